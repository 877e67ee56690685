# shellcheck shell=bash
# The viewer: it needs the libraries that came with it
VIEWER_HOME=$SOFTWARE/viewer
prepend PATH "$VIEWER_HOME/bin"
