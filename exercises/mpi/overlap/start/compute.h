/*
 * Purpose: what happens in a cell of the rod.
 * Source:  the explicit method (FTCS): Morton and Mayers, Numerical Solution of Partial Differential Equations, 2nd
 *          edition, section 2.4
 */
#ifndef COMPUTE_H
#define COMPUTE_H

// The temperature of a cell of the rod at the start; cells count from 0.
double initial(int cell);

// One step: next[i] from u[i - 1], u[i] and u[i + 1], for i = first to last. Nothing when last is less than first.
void compute(const double *u, double *next, int first, int last);

#endif
