/*
 * Purpose: what the heat budget computes from the contributions of all cells.
 * Source:  see sums.c
 */
#ifndef SUMS_H
#define SUMS_H

// A cell outside the model's domain has no contribution: its value is NaN, and none of these counts it.
int missing(const double *values, int n);            // how many cells have none
double compensated_sum(const double *values, int n); // the sum, without losing the small ones
double largest(const double *values, int n);         // the largest magnitude

#endif
