/*
 * Purpose: a user's program in C, as there are many.
 * Run:     gcc -std=c99 user.c -L. -lseries -o user_c && ./user_c 1 2 6
 */
#include "series.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double values[64];
    int n = 0;
    for (int i = 1; i < argc && n < 64; i++)
        values[n++] = atof(argv[i]);
    printf("mean = %.6f, largest = %.6f, above = %d\n", mean(values, n), largest(values, n),
           above(values, n, 2.0));
    return 0;
}
