#!/usr/bin/env bash
# Purpose: Stand for a long program: signal the script that started it, then say what becomes of the program itself.
# Run:     { ./scratch.sh orphan ./worker.sh TERM 600 || echo "exit code $?"; } | cat
#          ./scratch.sh right ./worker.sh TERM 600 || echo "exit code $?"
# Source:  none, a loop that looks who its parent is
set -euo pipefail
# SIGNAL TIMES: how often to look, twenty times a second
trap 'echo "worker: told to stop"; exit 1' TERM

kill -s "$1" "$PPID"
for _ in $(seq "$2"); do
  parent=$(ps -o ppid= -p $$)
  if ((parent != PPID)); then
    echo "worker: still running, and nobody waits for me"
    exit
  fi
  sleep 0.05
done
echo "worker: finished"
