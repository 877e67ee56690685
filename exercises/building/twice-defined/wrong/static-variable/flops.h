#ifndef FLOPS_H
#define FLOPS_H

// The floating-point operations of the whole program, counted by hand
static long flops_total;

static inline void flops_add(long operations) {
    flops_total += operations;
}

static inline long flops_count(void) {
    return flops_total;
}

#endif
