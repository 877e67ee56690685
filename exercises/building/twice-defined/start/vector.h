#ifndef VECTOR_H
#define VECTOR_H

double scalar_product(const double *a, const double *b, int n);

#endif
