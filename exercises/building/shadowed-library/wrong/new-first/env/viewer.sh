# shellcheck shell=bash
# The viewer: it needs the libraries that came with it
VIEWER_HOME=$SOFTWARE/viewer
prepend PATH "$VIEWER_HOME/bin"
prepend LD_LIBRARY_PATH "$VIEWER_HOME/lib"
prepend LD_LIBRARY_PATH "$SOFTWARE/stats-2.1/lib"
