#ifndef STATS_H
#define STATS_H

double stats_mean(const double *values, int n);
double stats_spread(const double *values, int n); // the standard deviation of a sample

// Only in the copy that comes with the viewer: how many different values there are
int stats_levels(const double *values, int n);

#endif
