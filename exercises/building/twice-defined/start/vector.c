/*
 * Purpose: the scalar product of two vectors, with a count of its operations.
 * Source:  the sum of the products of their components
 */
#include "vector.h"

#include "flops.h"

double scalar_product(const double *a, const double *b, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    flops_add(2L * n);
    return sum;
}
