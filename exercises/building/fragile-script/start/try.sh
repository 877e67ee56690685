#!/bin/bash
# Try publish.sh on a small site of its own: try.sh CASE
#   night       an ordinary night           no-version  VERSION holds no version
#   again       the same night, twice       broken      a description lacks its prefix
#   spaces      names with spaces           nothing     the build left no description
# Everything happens in the folder try/, which is made new each time.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf try
mkdir -p try/home try/stage try/site/1.1
cd try
echo "my notes" >home/notes.txt
echo "1.2" >stage/VERSION
printf 'name zlib\nprefix /sw/zlib\n' >stage/zlib.txt
printf 'name hdf5\nprefix /sw/hdf5\n' >stage/hdf5.txt
echo 'whatis("Name: zlib")' >site/1.1/zlib.lua
ln -s 1.1 site/current

runs=1 stage=stage site=site
case ${1:-night} in
  night) ;;
  again) runs=2 ;;
  no-version) echo "tonight" >stage/VERSION ;;
  broken) echo 'name hdf5' >stage/hdf5.txt ;;
  nothing) rm stage/*.txt ;;
  spaces)
    mv stage/zlib.txt stage/"zlib 1.3.txt"
    mv stage "my stage"
    mv site "my site"
    stage="my stage" site="my site"
    ;;
  *) sed -n '2,6p' ../try.sh; exit 2 ;;
esac

cd home
while [ "$runs" -gt 0 ]; do
  code=0
  bash ../../publish.sh "../$stage" "../$site" 2>&1 || code=$?
  echo "exit code $code"
  runs=$((runs - 1))
done
cd ..
echo "-- what there is now"
find . | sort
echo "-- what users see"
cd "$site/current" 2>/dev/null || { echo "nothing: $site/current is gone"; exit; }
find . -type f -exec grep -H '' {} + | sort
