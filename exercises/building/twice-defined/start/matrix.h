#ifndef MATRIX_H
#define MATRIX_H

// result = result + matrix * vector, for an n x n matrix, row by row
void matrix_vector(const double *matrix, const double *vector, double *result, int n);

#endif
