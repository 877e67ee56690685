# shellcheck shell=bash disable=SC1090,SC1091
# The project's environment, for everybody in it:  . env/project.sh
PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SOFTWARE=$PROJECT/software
export PROJECT SOFTWARE

. "$PROJECT/env/functions.sh"
. "$PROJECT/env/compiler.sh"
. "$PROJECT/env/tools.sh"
