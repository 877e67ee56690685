#ifndef SERIES_H
#define SERIES_H

#ifdef __cplusplus
extern "C" {
#endif

// libseries: numbers that were measured one after the other
double mean(const double *values, int n);
double largest(const double *values, int n);
int above(const double *values, int n, double limit); // how many are above a limit

#ifdef __cplusplus
} // extern "C"
#endif

#endif
