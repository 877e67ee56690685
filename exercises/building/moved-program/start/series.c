/*
 * Purpose: sums of sines, for libseries.so.
 * Source:  the definition of a Fourier sine series
 */
#include "series.h"

#include <math.h>

double sine_series(const double *coefficients, int n, double x) {
    const double pi = 3.14159265358979323846;
    double sum = 0.0;
    for (int k = n; k >= 1; k--) // the small terms first
        sum += coefficients[k - 1] * sin(k * pi * x);
    return sum;
}
