#!/bin/bash
# Publish tonight's module files: publish.sh STAGE SITE
#   STAGE  what the build left: VERSION, and a description NAME.txt of each package
#   SITE   what users see: a folder for each release, and current, a link to the newest
set -euo pipefail

stage=${1:?STAGE is missing}
site=${2:?SITE is missing}
tools=$(dirname "$0")/tools

release=$("$tools/version" "$stage/VERSION")

[ -d "$site" ]
# What is not finished goes away again, unless users see it.
trap 'if [ "$(readlink "$site/current")" != "$release" ]; then rm -rf "${site:?}/${release:?}"; fi' EXIT
mkdir -p "$site/$release"
rm -rf "${site:?}/${release:?}"/*
for description in "$stage"/*.txt; do
    name=$(basename "$description" .txt)
    "$tools/modulefile" <"$description" | sort >"$site/$release/$name.lua"
done
ln -sfn "$release" "$site/current"
echo "published $release"
