/*
 * Purpose: the cells of the model at the start.
 */
#include "grid.h"

struct cell grid[MOST_CELLS];

void grid_start(int n) {
    for (int i = 0; i < n; i++) {
        grid[i].temperature = COLDEST + i;
        grid[i].conductivity = 2.5;
    }
}
