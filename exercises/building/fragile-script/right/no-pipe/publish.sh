#!/bin/sh
# Publish tonight's module files: publish.sh STAGE SITE
#   STAGE  what the build left: VERSION, and a description NAME.txt of each package
#   SITE   what users see: a folder for each release, and current, a link to the newest
# For any POSIX shell, which need not have pipefail: no step's output is piped into another one.
set -eu
tools=$(cd "$(dirname "$0")/tools" && pwd)
stage=$(cd "$1" && pwd)
cd "$2"

release=$("$tools/version" "$stage/VERSION")
rm -rf .new
trap 'rm -rf .new .unsorted .link' EXIT
mkdir .new
for description in "$stage"/*.txt; do
    name=${description##*/}
    name=${name%.txt}
    "$tools/modulefile" <"$description" >.unsorted
    sort .unsorted >".new/$name.lua"
done

rm -rf "./$release"
mv .new "./$release"
ln -s "$release" .link
mv -T .link current
echo "published $release"
