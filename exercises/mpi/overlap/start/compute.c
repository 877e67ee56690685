/*
 * Purpose: what happens in a cell of the rod.
 * Source:  the explicit method (FTCS): Morton and Mayers, Numerical Solution of Partial Differential Equations, 2nd
 *          edition, section 2.4
 */
#include "compute.h"

double initial(int cell) {
    return cell % 7;
}

void compute(const double *u, double *next, int first, int last) {
    for (int i = first; i <= last; i++)
        next[i] = u[i] + 0.25 * (u[i - 1] - 2.0 * u[i] + u[i + 1]);
}
