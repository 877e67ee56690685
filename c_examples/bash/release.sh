#!/usr/bin/env bash
# Purpose: Publish a version of some software in a folder that others use: complete or not at all, one at a time,
#          and the same when run twice. COMMAND builds, and gets the folder to fill as its last argument.
# Run:     ./release.sh site 1.0 cp release.sh; ./release.sh site 1.0 cp release.sh; ls site site/current
#          ./release.sh site 1.1 false || echo "exit code $?"
#          ./release.sh site 1.1 ./release.sh site 1.2 cp release.sh || echo "exit code $?"; ls site/versions
#          ./release.sh || echo "exit code $?"
# Source:  rename(2), flock(2)

set -euo pipefail
shopt -s inherit_errexit

if (($# < 3)); then
  echo "usage: release.sh SITE VERSION COMMAND…" >&2
  exit 2
fi
site=$1 version=$2
build=("${@:3}")

stop() { # SIGNAL: end the build, then die of the signal, so that the caller sees it
  local child
  for child in $(jobs -p); do kill "$child"; done
  wait
  trap - "$1"
  kill -s "$1" $$
}

# [release]
mkdir -p -- "$site/versions"
exec {lock}>>"$site/.lock"
if ! flock --nonblock "$lock"; then
  echo "release: another one is at work in $site" >&2
  exit 75
fi
if [[ -e $site/versions/$version ]]; then
  echo "release: $version is there already"
else
  rm -rf -- "$site"/.new.* # of one that was killed: nobody else is here, the lock is ours
  new=$(mktemp -d -- "$site/.new.XXXXXX")
  trap 'rm -rf -- "$new"' EXIT
  trap 'stop INT' INT
  trap 'stop TERM' TERM
  "${build[@]}" "$new" &
  wait $!
  chmod 755 -- "$new" # mktemp makes it for its owner alone
  mv -T -- "$new" "$site/versions/$version"
  echo "release: $version is new"
fi

ln -sfn -- "versions/$version" "$site/.current"
mv -T -- "$site/.current" "$site/current"
# [/release]
