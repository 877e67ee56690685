#!/bin/sh
# Write the locks anew from pyproject.toml. Needs uv on PATH.
#
# requirements.lock       every package but torch and its CUDA companions, with hashes, for every
#                         platform and Python >= 3.11
# requirements-gpu.lock   the CUDA build of torch and what only it needs, with hashes
# requirements-mpich.lock the second MPI, for who has neither Debian's nor root; never installed with the
#                         others, because its mpicc would hide the system's
#
# Call it with packages to move them only: ci/lock.sh --upgrade-package jupyterlab
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
touch requirements-mpich.lock
cp requirements-mpich.lock "$tmp/mpich"
echo mpich | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command ci/lock.sh "$@" - --output-file "$tmp/mpich"
set -- --quiet --universal --python-version 3.11 --extra test --generate-hashes \
       --custom-compile-command ci/lock.sh "$@" pyproject.toml
# Start from the versions locked today, so that a run without arguments changes nothing.
cat requirements.lock requirements-gpu.lock >"$tmp/all" 2>"$tmp/no-lock-yet" || : >"$tmp/all"
uv pip compile "$@" --output-file "$tmp/all"
cuda=$(sed -n 's/^\(torch\|triton\|nvidia-[a-z0-9-]*\|cuda-toolkit\)==.*/\1/p' "$tmp/all")
omit=''
for name in $cuda; do omit="$omit --no-emit-package $name"; done
cp "$tmp/all" "$tmp/cpu"
# shellcheck disable=SC2086  # one option and one name a package
uv pip compile "$@" $omit --output-file "$tmp/cpu"
keep=''
# shellcheck disable=SC2013  # one name a line
for name in $(sed -n 's/^\([a-z0-9][a-z0-9._-]*\)==.*/\1/p' "$tmp/cpu" | sort -u); do
  keep="$keep --no-emit-package $name"
done
# shellcheck disable=SC2086
uv pip compile "$@" $keep --output-file "$tmp/all"
mv "$tmp/mpich" requirements-mpich.lock
mv "$tmp/cpu" requirements.lock
mv "$tmp/all" requirements-gpu.lock
