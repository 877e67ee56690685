# shellcheck shell=bash
# Plots; installed on the login nodes only
prepend PATH "$SOFTWARE/plot/bin"
prepend LD_LIBRARY_PATH "$SOFTWARE/plot/lib"
