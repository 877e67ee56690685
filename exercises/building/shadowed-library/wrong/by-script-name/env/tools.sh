# shellcheck shell=bash disable=SC1090,SC1091
# The tools that we share; the viewer only in view.sh
. "$PROJECT/env/plot.sh"
if [ "${0##*/}" = view.sh ]; then
  . "$PROJECT/env/viewer.sh"
fi

# To repeat the numbers of last year: USE_OLD_STATS=1
if [ -n "${USE_OLD_STATS:-}" ]; then
  . "$PROJECT/env/stats-2.0.sh"
fi
