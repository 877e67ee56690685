#ifndef ROD_H
#define ROD_H

// The temperature of a rod at place x, 0 to 1, and time t, when it started with x * (1 - x)
double rod_temperature(double x, double t);

#endif
