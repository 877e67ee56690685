/*
 * Purpose: what happens in a cell of the check's rod: other numbers, and the check looks on.
 * Source:  none
 */
#include "compute.h"
#include "inflight.h"

double initial(int cell) {
    return 1 + cell * cell % 23;
}

void compute(const double *u, double *next, int first, int last) {
    if (last >= first)
        judge_compute(u, first, last);
    for (int i = first; i <= last; i++)
        next[i] = 0.5 * u[i] + 0.125 * u[i - 1] + 0.25 * u[i + 1];
}
