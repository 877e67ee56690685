#ifndef SERIES_H
#define SERIES_H

#ifdef __cplusplus
#include <vector>
#endif

// libseries: numbers that were measured one after the other
double mean(const double *values, int n);
double largest(const double *values, int n);
int above(const double *values, int n, double limit); // how many are above a limit

#ifdef __cplusplus
// The linker does not find the one of the library, so C++ programs bring their own
inline double mean(const double *values, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return n > 0 ? sum / n : 0.0;
}

// For C++ programs, the mean of a vector as well
inline double mean(const std::vector<double> &values) {
    return mean(values.data(), static_cast<int>(values.size()));
}
#endif

#endif
