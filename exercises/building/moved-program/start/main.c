/*
 * Purpose: print the temperature of a rod, by way of two shared libraries.
 * Run:     make install PREFIX=$PWD/staging && staging/bin/rod 0.5 0.1
 */
#include "rod.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double x = argc > 1 ? atof(argv[1]) : 0.5;
    double t = argc > 2 ? atof(argv[2]) : 0.1;
    printf("temperature = %.9f\n", rod_temperature(x, t));
    return 0;
}
