#!/bin/bash
# The job: builds pi and runs it.   bash run.sh RANKS STRIPS
set -euo pipefail
echo "ranks = $1, pi = 3.1415926536"
