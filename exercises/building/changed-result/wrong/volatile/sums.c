/*
 * Purpose: sums of numbers of very different size that almost cancel each other.
 * Source:  compensated summation as A. Neumaier improved it: "Rundungsfehleranalyse einiger Verfahren
 *          zur Summation endlicher Summen", ZAMM 54 (1974), 39-51
 */
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
    volatile double sum = 0.0;
    volatile double lost = 0.0; // what rounding took away from sum so far
    for (int i = 0; i < n; i++) {
        volatile double value = values[i];
        if (isnan(value))
            continue;
        volatile double next = sum + value;
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
