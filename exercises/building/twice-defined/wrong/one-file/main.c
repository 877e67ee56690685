/*
 * Purpose: y = y + A x and the norm of y squared, with the count of all operations.
 * Run:     make && ./count 10
 */
#include "flops.h"
#include "matrix.h"
#include "vector.h"

#include "matrix.c"
#include "vector.c"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 10;
    double *matrix = malloc(sizeof(double) * (size_t)n * (size_t)n);
    double *x = malloc(sizeof(double) * (size_t)n), *y = malloc(sizeof(double) * (size_t)n);
    if (matrix == NULL || x == NULL || y == NULL)
        return 1;
    for (int i = 0; i < n; i++) {
        x[i] = 1.0;
        y[i] = i;
        for (int j = 0; j < n; j++)
            matrix[(long)i * n + j] = i == j ? 2.0 : 0.0;
    }
    matrix_vector(matrix, x, y, n);
    printf("norm squared = %g\n", scalar_product(y, y, n));
    printf("operations = %ld\n", flops_count());
    free(matrix);
    free(x);
    free(y);
    return 0;
}
