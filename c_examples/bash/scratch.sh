#!/usr/bin/env bash
# Purpose: Run a command with a scratch folder, in three ways. Two are wrong; only `right` stops when it is told to,
#          takes the command and the folder with it, and keeps the exit code.
# Run:     for way in goes_on orphan right; do ./scratch.sh $way ./worker.sh TERM 40 || echo "exit code $?"; done | cat
#          ./scratch.sh right ./worker.sh INT 600 || echo "exit code $?"
#          ./scratch.sh right bash -c 'exit 7' || echo "exit code $?"
# Source:  Bash Reference Manual, Signals
set -euo pipefail

# [traps]
goes_on() {
  trap 'rm -rf "$scratch"' EXIT INT TERM
  "$@"
}
orphan() {
  trap 'rm -rf "$scratch"' EXIT
  "$@"
}
right() {
  trap 'rm -rf "$scratch"' EXIT
  trap 'stop INT' INT
  trap 'stop TERM' TERM
  "$@" &
  wait $!
}
stop() { # SIGNAL: end the command, then die of the signal, so that the caller sees it
  local child
  for child in $(jobs -p); do kill "$child"; done
  wait
  trap - "$1"
  kill -s "$1" $$
}
# [/traps]

scratch=$(mktemp -d ./scratch.XXXXXX)
"$@"
echo "script: the next step, and the scratch folder is $([[ -d $scratch ]] && echo there || echo gone)"
