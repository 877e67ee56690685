# shellcheck shell=bash
# For those who compile: headers and libraries of libstats 2.1
prepend CPATH "$SOFTWARE/stats-2.1/include"
prepend LIBRARY_PATH "$SOFTWARE/stats-2.1/lib"
