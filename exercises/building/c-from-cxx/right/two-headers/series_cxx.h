#ifndef SERIES_CXX_H
#define SERIES_CXX_H

#include <vector>

// For C++ programs, the mean of a vector as well
inline double mean(const std::vector<double> &values) {
    return mean(values.data(), static_cast<int>(values.size()));
}

#endif
