/*
 * Purpose: a program in C++ that uses libseries, which is in C.
 * Run:     make && ./report 1 2 6
 */
#include "series.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char **argv) {
    std::vector<double> values;
    for (int i = 1; i < argc; i++)
        values.push_back(std::atof(argv[i]));
    std::printf("mean = %.6f\n", mean(values));
    std::printf("first half: mean = %.6f\n", mean(values.data(), argc / 2));
    return 0;
}
