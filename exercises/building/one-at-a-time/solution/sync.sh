#!/bin/bash
# Bring the index of a software tree up to date: sync.sh TREE INDEX
#   TREE   the tree
#   INDEX  a file that users' tools read: one line for each package, and at the end "# N packages"
set -euo pipefail
tree=$1
index=$2
tools=$(dirname "$0")/tools

# The kernel holds the lock for as long as a process has this file open, and no longer, however it ends.
# The file itself stays: whoever removed it would take it away from those who have it open already.
exec 9>"$index.lock"
if ! flock -n 9; then
    echo "sync.sh: another run is under way" >&2
    exit 75
fi

# In the folder of the index, so that mv is a rename.
new=$(mktemp "$index.XXXXXX")
trap 'rm -f "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$tools/list" "$tree" >"$new"
echo "# $(wc -l <"$new") packages" >>"$new"
chmod +r "$new" # mktemp makes it private
mv "$new" "$index"
