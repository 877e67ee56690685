/*
 * Purpose: the scalar product of two vectors, for libproduct.a.
 * Source:  the sum of the products of their components
 */
#include "vector.h"

double scalar_product(const double *a, const double *b, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}
