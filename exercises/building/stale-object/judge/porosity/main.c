/*
 * Purpose: the porosity of the first cell, and the mean temperature of the first cells of a model.
 * Run:     make && ./cells 5
 */
#include "grid.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int n = argc == 2 ? atoi(argv[1]) : 0;
    if (n < 1 || n > MOST_CELLS) {
        fprintf(stderr, "cells: give the number of cells, 1 to %d\n", MOST_CELLS);
        return 2;
    }
    grid_start(n);
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        sum += grid[i].temperature;
    }
    printf("bytes of a cell = %zu\n", sizeof(struct cell));
    printf("porosity = %.2f\n", grid[0].porosity);
    report_mean("mean", sum / n);
    return 0;
}
