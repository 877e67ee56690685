#ifndef SERIES_H
#define SERIES_H

#ifdef __cplusplus
#include <vector>
#endif

#ifdef __CPLUSPLUS__
extern "C" {
#endif

// libseries: numbers that were measured one after the other
double mean(const double *values, int n);
double largest(const double *values, int n);
int above(const double *values, int n, double limit); // how many are above a limit

#ifdef __CPLUSPLUS__
} // extern "C"
#endif

#ifdef __cplusplus
// For C++ programs, the mean of a vector as well
inline double mean(const std::vector<double> &values) {
    return mean(values.data(), static_cast<int>(values.size()));
}
#endif

#endif
