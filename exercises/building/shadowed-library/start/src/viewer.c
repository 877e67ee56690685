/*
 * Purpose: a viewer bought elsewhere, without its pictures: how many different values there are.
 * Run:     ./view.sh 1 2 2 3
 */
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double values[64];
    int n = 0;
    for (int i = 1; i < argc && n < 64; i++)
        values[n++] = atof(argv[i]);
    printf("levels = %d\n", stats_levels(values, n));
    return 0;
}
