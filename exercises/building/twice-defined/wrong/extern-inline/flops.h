#ifndef FLOPS_H
#define FLOPS_H

// The floating-point operations of the whole program, counted by hand
extern long flops_total;

inline void flops_add(long operations) {
    flops_total += operations;
}

inline long flops_count(void) {
    return flops_total;
}

#endif
