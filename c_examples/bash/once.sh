#!/usr/bin/env bash
# Purpose: Run a command unless another one runs under the same lock, in two ways. pid_file is wrong.
# Run:     ./once.sh pid_file pid echo works; ./once.sh with_flock lock echo works
#          ./once.sh pid_file pid ./once.sh pid_file pid echo works || echo "exit code $?"
#          ./once.sh with_flock lock ./once.sh with_flock lock echo works || echo "exit code $?"
# Source:  flock(1), flock(2)
set -euo pipefail

# [locks]
pid_file() { # FILE COMMAND…
  if [[ -e $1 ]]; then
    echo "refused: there is a process in the lock file"
    exit 75
  fi
  echo "$(hostname) $$" >"$1"
  "${@:2}"
  rm -- "$1"
}
with_flock() { # FILE COMMAND…
  exec {lock}>>"$1"
  if ! flock --nonblock "$lock"; then
    echo "refused: somebody holds the lock"
    exit 75
  fi
  "${@:2}"
}
# [/locks]

"$@"
