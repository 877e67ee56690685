/*
 * Purpose: the user's program: mean and spread of some numbers, by libstats.
 * Run:     ./run.sh 2 4 9
 */
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double values[64];
    int n = 0;
    for (int i = 1; i < argc && n < 64; i++)
        values[n++] = atof(argv[i]);
    printf("mean = %.6f\n", stats_mean(values, n));
    printf("spread = %.6f\n", stats_spread(values, n));
    return 0;
}
