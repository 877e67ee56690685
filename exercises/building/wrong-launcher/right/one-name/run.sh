#!/bin/bash
# The job: builds pi and runs it.   bash run.sh RANKS STRIPS
set -euo pipefail
mpi=${MPI:-openmpi} # the only place where one is named
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
"mpicc.$mpi" -O2 -o "$build/pi" pi.c
"mpirun.$mpi" -n "$1" "$build/pi" "$2"
