/*
 * Purpose: sums of numbers of very different size that almost cancel each other.
 * Source:  compensated summation as A. Neumaier improved it: "Rundungsfehleranalyse einiger Verfahren
 *          zur Summation endlicher Summen", ZAMM 54 (1974), 39-51
 */
// Holds for the functions below, whatever the makefile says.
#pragma GCC optimize("no-fast-math")

#include "sums.h"

#include <math.h>

int missing(const double *values, int n) {
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(values[i]))
            count++;
    }
    return count;
}

double compensated_sum(const double *values, int n) {
    double sum = 0.0;
    double lost = 0.0; // what rounding took away from sum so far
    for (int i = 0; i < n; i++) {
        double value = values[i];
        if (isnan(value))
            continue;
        double next = sum + value;
        if (fabs(sum) >= fabs(value))
            lost += (sum - next) + value;
        else
            lost += (value - next) + sum;
        sum = next;
    }
    return sum + lost;
}

double largest(const double *values, int n) {
    double most = 0.0;
    for (int i = 0; i < n; i++) {
        if (!isnan(values[i]) && fabs(values[i]) > most)
            most = fabs(values[i]);
    }
    return most;
}
