/*
 * Purpose: the heat budget of one time step: what all cells together gained or lost.
 * Run:     make && ./budget data/step_0100.txt
 * Source:  see sums.c
 */
#include "sums.h"

#include <stdio.h>

#define MOST 4096

int main(int argc, char **argv) {
    static double values[MOST];
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "budget: give a file with one number for each cell\n");
        return 2;
    }
    int n = 0;
    while (n < MOST && fscanf(file, "%lf", &values[n]) == 1) {
        n++;
    }
    fclose(file);
    printf("cells   = %d\n", n);
    printf("missing = %d\n", missing(values, n));
    printf("largest = %.17g\n", largest(values, n));
    printf("sum     = %.17g\n", compensated_sum(values, n));
    return 0;
}
