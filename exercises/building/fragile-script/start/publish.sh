#!/bin/bash
# Publish tonight's module files: publish.sh STAGE SITE
#   STAGE  what the build left: VERSION, and a description NAME.txt of each package
#   SITE   what users see: a folder for each release, and current, a link to the newest
STAGE=$1
SITE=$2
TOOLS=$(dirname $0)/tools

release_name() {
    local release=$($TOOLS/version $STAGE/VERSION)
    echo $release
}

publish() {
    local here=$PWD
    local release=$(release_name)

    # what an earlier run may have left there
    mkdir -p $SITE/$release
    cd $SITE/$release
    rm -rf *
    cd $here

    for description in $STAGE/*.txt; do
        name=$(basename $description .txt)
        $TOOLS/modulefile < $description | sort > $SITE/$release/$name.lua
    done

    rm -f $SITE/current
    ln -s $release $SITE/current
    echo "published $release"
}

if publish; then
    echo "users see it now"
else
    echo "publish.sh: failed" >&2
    exit 1
fi
