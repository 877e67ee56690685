#!/bin/bash
# Bring the index of a software tree up to date: sync.sh TREE INDEX
#   TREE   the tree
#   INDEX  a file that users' tools read: one line for each package, and at the end "# N packages"
tree=$1
index=$2
tools=$(dirname "$0")/tools

(
    flock -n 9 || exit 75
    # Only one run is ever here, so the name may be the same each time: what a killed run left is overwritten.
    trap 'rm -f "$index.new"' EXIT
    "$tools/list" "$tree" >"$index.new" || exit
    echo "# $(wc -l <"$index.new") packages" >>"$index.new" || exit
    mv "$index.new" "$index"
) 9<"$(dirname "$index")"
