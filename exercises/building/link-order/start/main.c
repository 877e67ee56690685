/*
 * Purpose: print the norm of a vector, by way of two static libraries.
 * Run:     make && ./norm 3 4
 */
#include "vector.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double values[16];
    int n = 0;
    for (int i = 1; i < argc && n < 16; i++) {
        values[n++] = atof(argv[i]);
    }
    printf("norm = %.6f\n", vector_norm(values, n));
    return 0;
}
