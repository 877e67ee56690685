/*
 * Purpose: the temperature of a rod whose ends are kept at 0, for librod.so. It needs libseries.so.
 * Source:  the heat equation u_t = u_xx, solved by separation of variables
 */
#include "rod.h"

#include "series.h"

#include <math.h>

double rod_temperature(double x, double t) {
    enum { TERMS = 99 };
    const double pi = 3.14159265358979323846;
    double coefficients[TERMS];
    for (int k = 1; k <= TERMS; k++) {
        double start = k % 2 == 1 ? 8.0 / pow(k * pi, 3) : 0.0;
        coefficients[k - 1] = start * exp(-k * k * pi * pi * t);
    }
    return sine_series(coefficients, TERMS, x);
}
