#!/bin/bash
# Publish tonight's module files: publish.sh STAGE SITE
#   STAGE  what the build left: VERSION, and a description NAME.txt of each package
#   SITE   what users see: a folder for each release, and current, a link to the newest

die() {
    echo "publish.sh: $*; users see what they saw before" >&2
    exit 1
}

[ $# -eq 2 ] || die "give STAGE and SITE"
STAGE=$1
SITE=$2
TOOLS=$(dirname "$0")/tools
[ -d "$STAGE" ] || die "there is no folder $STAGE"
[ -d "$SITE" ] || die "there is no folder $SITE"

release=$("$TOOLS/version" "$STAGE/VERSION") || die "no version"
shopt -s nullglob
descriptions=("$STAGE"/*.txt)
[ ${#descriptions[@]} -gt 0 ] || die "$STAGE holds no description"

next="$SITE/$release.next"
rm -rf -- "$next" || die "$next cannot be removed"
trap 'rm -rf -- "$next"' EXIT
mkdir -- "$next" || die "$next cannot be made"
for description in "${descriptions[@]}"; do
    file=${description##*/}
    "$TOOLS/modulefile" <"$description" | sort >"$next/${file%.txt}.lua"
    [ "${PIPESTATUS[*]}" = "0 0" ] || die "$description is not a description"
done

rm -rf -- "${SITE:?}/${release:?}" || die "the release cannot be replaced"
mv -- "$next" "$SITE/$release" || die "the release cannot be put in place"
ln -sfn -- "$release" "$SITE/current" || die "the link cannot be set"
echo "published $release"
