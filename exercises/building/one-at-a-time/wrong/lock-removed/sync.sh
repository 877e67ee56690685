#!/bin/bash
# Bring the index of a software tree up to date: sync.sh TREE INDEX
#   TREE   the tree
#   INDEX  a file that users' tools read: one line for each package, and at the end "# N packages"
set -euo pipefail
tree=$1
index=$2
tools=$(dirname "$0")/tools

# Only one at a time: the others wait here.
exec 9>"$index.lock"
flock 9

# In the folder of the index, so that mv is a rename.
new=$(mktemp "$index.XXXXXX")
trap 'rm -f "$new" "$index.lock"' EXIT
trap 'exit 1' HUP INT TERM

"$tools/list" "$tree" >"$new"
echo "# $(wc -l <"$new") packages" >>"$new"
chmod +r "$new" # mktemp makes it private
mv "$new" "$index"
