/*
 * Purpose: the one counter of floating-point operations, and what is done with it.
 * Source:  see flops.h
 */
#include "flops.h"

static long total;
long flops_total;

void flops_add(long operations) {
    total += operations;
}

long flops_count(void) {
    return flops_total;
}
