#!/bin/bash
# Build a release as somebody else would, elsewhere and at another time: build.sh FOLDER first|second
set -eu
export SOURCE_DATE_EPOCH=1558135800 # 2019-05-17 23:30 in UTC, the next day in Japan
export LD_PRELOAD=$PWD/elsewhere.so
cd "$1"
case $2 in
  first)
    umask 022
    export TZ=UTC LC_ALL=C ELSEWHERE_CLOCK=1942480800 ELSEWHERE_OWNER=1234 ELSEWHERE_ORDER=1
    ;;
  second)
    umask 077
    export TZ=JST-9 LC_ALL=C.UTF-8 ELSEWHERE_CLOCK=1945521011 ELSEWHERE_OWNER=5678 ELSEWHERE_ORDER=-1
    ;;
esac
exec make release
