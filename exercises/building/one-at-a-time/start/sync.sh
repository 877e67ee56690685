#!/bin/bash
# Bring the index of a software tree up to date: sync.sh TREE INDEX
#   TREE   the tree
#   INDEX  a file that users' tools read: one line for each package, and at the end "# N packages"
tree=$1
index=$2
tools=$(dirname "$0")/tools

"$tools/list" "$tree" >"$index"
echo "# $(wc -l <"$index") packages" >>"$index"
