#!/bin/bash
# The job: builds pi and runs it.   bash run.sh RANKS STRIPS
set -euo pipefail
make -s pi
mpirun.openmpi -n 1 ./pi "$2"
