/*
 * Purpose: libstats, release 2.0. Its known fault: the spread divides by n; release 2.1 mends that.
 * Source:  the standard deviation of a sample, which divides by n - 1
 */
#include "stats.h"

#include <math.h>

double stats_mean(const double *values, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return sum / n;
}

double stats_spread(const double *values, int n) {
    double mean = stats_mean(values, n), sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / n);
}
