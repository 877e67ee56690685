#!/bin/bash
# shellcheck disable=SC1091
# The user's job: ./run.sh 2 4 9
set -eu
cd "$(dirname "$0")"
. env/project.sh
bin/spread "$@"
