/*
 * Purpose: the one counter of floating-point operations, and what is done with it.
 * Source:  see flops.h
 */
#include "flops.h"

static long total; // nobody else can see it

void flops_add(long operations) {
    total += operations;
}

long flops_count(void) {
    return total;
}
