# shellcheck shell=bash

# prepend NAME FOLDER: put a folder first in a variable that lists folders
prepend() {
  printf -v "$1" '%s%s' "$2" "${!1:+:${!1}}"
  export "${1?}"
}
