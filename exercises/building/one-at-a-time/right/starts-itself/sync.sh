#!/bin/bash
# Bring the index of a software tree up to date: sync.sh TREE INDEX
#   TREE   the tree
#   INDEX  a file that users' tools read: one line for each package, and at the end "# N packages"
set -euo pipefail
tree=$1
index=$2
tools=$(dirname "$0")/tools

# Start again as a child of flock, which holds the lock until that has ended.
if [ -z "${SYNC_HAS_LOCK:-}" ]; then
    SYNC_HAS_LOCK=1 exec flock --nonblock --conflict-exit-code 75 "$index.lock" bash "$0" "$@"
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
