# shellcheck shell=bash
# libstats 2.0, with which last year's paper was made
prepend LD_LIBRARY_PATH "$SOFTWARE/stats-2.0/lib"
