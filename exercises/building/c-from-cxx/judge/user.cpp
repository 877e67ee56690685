/*
 * Purpose: a user's program in C++ that uses all of the library.
 * Run:     g++ user.cpp -L. -lseries -o user_cxx && ./user_cxx 1 2 6
 */
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "series.h"

int main(int argc, char **argv) {
    std::vector<double> values;
    for (int i = 1; i < argc; i++)
        values.push_back(std::atof(argv[i]));
    int n = static_cast<int>(values.size());
    std::printf("mean = %.6f, largest = %.6f, above = %d\n", mean(values),
                largest(values.data(), n), above(values.data(), n, 2.0));
    return 0;
}
