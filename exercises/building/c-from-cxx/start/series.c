/*
 * Purpose: libseries, a library in C.
 * Source:  the definitions in series.h
 */
#include "series.h"

double mean(const double *values, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return n > 0 ? sum / n : 0.0;
}

double largest(const double *values, int n) {
    double most = n > 0 ? values[0] : 0.0;
    for (int i = 1; i < n; i++)
        if (values[i] > most)
            most = values[i];
    return most;
}

int above(const double *values, int n, double limit) {
    int count = 0;
    for (int i = 0; i < n; i++)
        count += values[i] > limit;
    return count;
}
