/*
 * Purpose: the interface of libstencil.
 */
#ifndef STENCIL_H
#define STENCIL_H

double *field_create(int n);                                // n cells, all 0; NULL without memory
void stencil_smooth(const double *from, double *to, int n); // each inner cell: the mean of three

#endif
