#!/bin/bash
# Publish tonight's module files: publish.sh STAGE SITE
#   STAGE  what the build left: VERSION, and a description NAME.txt of each package
#   SITE   what users see: a folder for each release, and current, a link to the newest
set -eu

stage=${1:?STAGE is missing}
site=${2:?SITE is missing}
tools=$(dirname "$0")/tools

release=$("$tools/version" "$stage/VERSION")

# Make the whole release beside what users see: mktemp fails where there is no site.
work=$(mktemp -d "$site/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
new=$work/$release
mkdir "$new"
for description in "$stage"/*.txt; do
    name=$(basename "$description" .txt)
    # A pattern that matches nothing stays as it is: the redirection then fails.
    "$tools/modulefile" <"$description" | sort >"$new/$name.lua"
done

# All is there. What is left are renames, which either happen or not.
if [ -e "$site/$release" ]; then
    mv "$site/$release" "$work/replaced"
fi
mv "$new" "$site/$release"
ln -s "$release" "$work/current"
mv -T "$work/current" "$site/current"
echo "published $release"
