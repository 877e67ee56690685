# shellcheck shell=bash
# The viewer: it needs the libraries that came with it, and nobody else does
VIEWER_HOME=$SOFTWARE/viewer
prepend PATH "$VIEWER_HOME/bin"

viewer() {
  LD_LIBRARY_PATH=$VIEWER_HOME/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} command viewer "$@"
}
