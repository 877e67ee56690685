/*
 * Purpose: the norm of a vector, for libvector.a.
 * Source:  the Euclidean norm: the root of the scalar product of a vector with itself
 */
#include "vector.h"

#include <math.h>

double vector_norm(const double *values, int n) {
    return sqrt(scalar_product(values, values, n));
}
