/*
 * Purpose: the cells of the model, and how they start.
 */
#ifndef GRID_H
#define GRID_H

#include "cell.h"

#define MOST_CELLS 64
#define COLDEST 10.0 // degrees Celsius, the first cell at the start

extern struct cell grid[MOST_CELLS];
void grid_start(int n); // each of the n cells is one degree warmer than the one before

#endif
