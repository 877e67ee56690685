/*
 * Purpose: the cells of the model, and how they start.
 */
#ifndef GRID_H
#define GRID_H

#include "cell.h"
#include "start_values.h"

#define MOST_CELLS 64

extern struct cell grid[MOST_CELLS];
void grid_start(int n); // each of the n cells is one degree warmer than the one before

#endif
