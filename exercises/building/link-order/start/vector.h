#ifndef VECTOR_H
#define VECTOR_H
double vector_norm(const double *values, int n);
double scalar_product(const double *a, const double *b, int n);
#endif
