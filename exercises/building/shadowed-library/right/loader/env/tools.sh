# shellcheck shell=bash disable=SC1090,SC1091
# The tools that we share
. "$PROJECT/env/plot.sh"

# Not env/viewer.sh: its folder of libraries is for the viewer alone. The loader itself can be told where to look.
viewer() {
  "$(loader)" --library-path "$SOFTWARE/viewer/lib" "$SOFTWARE/viewer/bin/viewer" "$@"
}

# Print the loader that the viewer asks for
loader() {
  readelf -l "$SOFTWARE/viewer/bin/viewer" | sed -n 's/.*interpreter: \(.*\)]/\1/p'
}

# To repeat the numbers of last year: USE_OLD_STATS=1
if [ -n "${USE_OLD_STATS:-}" ]; then
  . "$PROJECT/env/stats-2.0.sh"
fi
