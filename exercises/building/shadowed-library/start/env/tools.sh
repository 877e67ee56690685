# shellcheck shell=bash disable=SC1090,SC1091
# The tools that we share
for tool in plot viewer; do
  . "$PROJECT/env/$tool.sh"
done

# To repeat the numbers of last year: USE_OLD_STATS=1
if [ -n "${USE_OLD_STATS:-}" ]; then
  . "$PROJECT/env/stats-2.0.sh"
fi
