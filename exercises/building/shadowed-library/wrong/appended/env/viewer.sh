# shellcheck shell=bash
# The viewer: it needs the libraries that came with it
VIEWER_HOME=$SOFTWARE/viewer
prepend PATH "$VIEWER_HOME/bin"
export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$VIEWER_HOME/lib"
