/*
 * Purpose: the product of a matrix and a vector, added to a vector, with a count of its operations.
 * Source:  each component of the product is the scalar product of a row and the vector
 */
#include "matrix.h"

#include "flops.h"
#include "vector.h"

void matrix_vector(const double *matrix, const double *vector, double *result, int n) {
    for (int i = 0; i < n; i++)
        result[i] += scalar_product(matrix + (long)i * n, vector, n);
    flops_add(n); // the additions to result
}
