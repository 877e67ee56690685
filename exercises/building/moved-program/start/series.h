#ifndef SERIES_H
#define SERIES_H

// The sum over k = 1 ... n of coefficients[k - 1] * sin(k * pi * x)
double sine_series(const double *coefficients, int n, double x);

#endif
