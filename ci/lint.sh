#!/bin/sh
# Check the style of every file. All tools run, each says one line, and any fault fails the whole.
#
#   sh ci/lint.sh [TOOL…]     all tools, or those named: ruff format clang-format shellcheck
#                             yamllint codespell workflows citation words
#
# A tool that is missing fails in CI (when CI is set); elsewhere it is said and left out.
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
PATH=$PWD/.venv/bin:$PATH
failed=''
left_out=''

python=python3
[ -x .venv/bin/python ] && python=.venv/bin/python

result() { printf '%-4s  %-12s  %s\n' "$@"; }

# check NAME KIND COMMAND…: run the command on the project's files of a kind
check() {
  name=$1 kind=$2 program=$3
  shift 2
  case " $wanted " in *" $name "*) ;; *) return ;; esac
  if ! "$python" ci/files.py "$kind" >"$tmp/files" 2>"$tmp/output"; then
    fail "$name" 'the files cannot be listed'
    return
  fi
  count=$(tr -dc '\0' <"$tmp/files" | wc -c)
  if [ "$count" -eq 0 ]; then
    result ok "$name" 'no files of this kind'
  elif ! why=$(usable "$program"); then
    missing "$name" "$why"
  elif xargs -0 "$@" <"$tmp/files" >"$tmp/output" 2>&1; then
    result ok "$name" "$((count)) files"
  else
    fail "$name" "$*"
  fi
}

# usable PROGRAM: say why it cannot be used here, and fail
usable() {
  if ! command -v "$1" >/dev/null; then
    echo "$1 is not installed here (make setup brings it)"
    return 1
  fi
  if [ "$1" = clang-format ] && ! clang-format --version | grep -q ' 14\.0\.6'; then
    echo 'not the 14.0.6 of requirements.lock: another version formats otherwise (make setup brings it)'
    return 1
  fi
}

fail() {
  result FAIL "$1" "$2"
  sed 's/^/      /' "$tmp/output"
  failed="$failed $1"
}

missing() {
  if [ -n "${CI:-}" ]; then
    : >"$tmp/output"
    fail "$1" "$2"
  else
    result -- "$1" "not checked: $2"
    left_out="$left_out $1"
  fi
}

all='ruff format clang-format shellcheck yamllint codespell workflows gitlab citation words'
wanted=${*:-$all}
for name in $wanted; do
  case " $all " in *" $name "*) ;; *) echo "ci/lint.sh: no tool is called $name; there are: $all" >&2; exit 2 ;; esac
done

check ruff python ruff check --quiet --output-format concise --force-exclude --no-cache
check format python ruff format --quiet --check --diff --force-exclude --no-cache
check clang-format c clang-format --dry-run -Werror --style=file
check shellcheck shell shellcheck
check yamllint yaml yamllint --strict
check codespell prose codespell
check workflows workflow check-jsonschema --builtin-schema vendor.github-workflows
check gitlab gitlab check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci
check citation citation check-jsonschema --builtin-schema vendor.citation-file-format --force-filetype yaml
check words prose "$python" ci/words.py

[ -z "$left_out" ] || echo "not checked:$left_out"
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
