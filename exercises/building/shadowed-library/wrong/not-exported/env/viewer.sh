# shellcheck shell=bash disable=SC2034
# The viewer: env/bin/viewer starts it with the libraries that came with it
VIEWER_HOME=$SOFTWARE/viewer
prepend PATH "$PROJECT/env/bin"
