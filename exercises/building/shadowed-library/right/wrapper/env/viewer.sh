# shellcheck shell=bash
# The viewer: env/bin/viewer starts it with the libraries that came with it
prepend PATH "$PROJECT/env/bin"
