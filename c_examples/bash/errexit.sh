#!/usr/bin/env bash
# Purpose: Seven places where `set -e` does not see a failure (holes), and what to write instead (cures).
# Run:     ./errexit.sh
# Source:  Bash Reference Manual, The Set Builtin, -e; Command Substitution; Process Substitution
set -e

# Any step that can fail: a download, a compiler, a test
fetch() {
  echo "half a file"
  return 3
}

# [pairs]
hole_local() {
  # shellcheck disable=SC2155
  local file=$(fetch)
  echo "went on with <$file>"
}
cure_local() {
  local file
  file=$(fetch)
  echo "went on with <$file>"
}

hole_argument() {
  echo "went on with <$(fetch)>"
}
cure_argument() {
  file=$(fetch)
  echo "went on with <$file>"
}

hole_substitution() {
  file=$(fetch; echo "and more")
  echo "went on with <$file>"
}
cure_substitution() {
  shopt -s inherit_errexit
  file=$(fetch; echo "and more")
  echo "went on with <$file>"
}

hole_pipeline() {
  fetch | sed 's/^/log: /'
  echo "went on"
}
cure_pipeline() {
  set -o pipefail
  fetch | sed 's/^/log: /'
  echo "went on"
}

hole_process() {
  mapfile -t lines < <(fetch)
  echo "went on with ${#lines[@]} line"
}
cure_process() {
  mapfile -t lines < <(fetch)
  wait $!
  echo "went on with ${#lines[@]} line"
}

hole_list() {
  fetch && echo "installed"
  echo "went on"
}
cure_list() {
  fetch
  echo "installed"
  echo "went on"
}

build() {
  fetch
  echo "installed"
}
hole_condition() {
  if build; then echo "went on: all is well"; fi
}
cure_condition() {
  if bash "$0" build; then echo "went on: all is well"; else exit $?; fi
}
# [/pairs]

if (($#)); then
  "$1"
  exit
fi
wrong=0
for name in local argument substitution pipeline process list condition; do
  for kind in hole cure; do
    said=$(bash "$0" "${kind}_$name") && code=0 || code=$?
    echo "$kind $name: exit code $code, said: ${said//$'\n'/ / }"
    if [[ $kind$code != hole0 && $kind$code != cure3 ]]; then wrong=1; fi
  done
done
((wrong == 0))
