#!/bin/bash
# shellcheck disable=SC1091
# Look at the numbers with the viewer: ./view.sh 1 2 2 3
set -eu
cd "$(dirname "$0")"
. env/project.sh
viewer "$@"
