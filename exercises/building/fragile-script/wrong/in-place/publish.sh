#!/bin/bash
# Publish tonight's module files: publish.sh STAGE SITE
#   STAGE  what the build left: VERSION, and a description NAME.txt of each package
#   SITE   what users see: a folder for each release, and current, a link to the newest
set -euo pipefail

stage=${1:?STAGE is missing}
site=${2:?SITE is missing}
tools=$(dirname "$0")/tools

release=$("$tools/version" "$stage/VERSION")

mkdir -p "$site/$release"
rm -rf "${site:?}/${release:?}"/*
for description in "$stage"/*.txt; do
    name=$(basename "$description" .txt)
    "$tools/modulefile" <"$description" | sort >"$site/$release/$name.lua"
done
ln -sfn "$release" "$site/current"
echo "published $release"
