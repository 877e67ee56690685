# Buggy on purpose: a nightly job that says "done" whatever happens. Run it with bash; the lesson finds the bugs.
# shellcheck shell=bash
# Purpose: Build a program, run it, keep what it printed as latest.txt.
# Run:     mkdir -p results/work && bash nightly_broken.sh ../../../heat results; cat results/latest.txt
# Source:  the habits of many such scripts

# [job]
source=$1
results=$2
cd $results/work
rm -f *.txt
mpicc -O2 -o heat_c $source/heat_main.c $source/heat.c -lm
./heat_c 50 50 | tee ../latest.txt
echo "one more night" >>../history
echo "nightly: done"
# [/job]
