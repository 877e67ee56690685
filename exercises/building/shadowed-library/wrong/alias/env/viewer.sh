# shellcheck shell=bash
# The viewer: it needs the libraries that came with it, and nobody else does
VIEWER_HOME=$SOFTWARE/viewer
prepend PATH "$VIEWER_HOME/bin"
alias viewer='LD_LIBRARY_PATH=$VIEWER_HOME/lib viewer'
