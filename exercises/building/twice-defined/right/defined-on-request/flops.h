#ifndef FLOPS_H
#define FLOPS_H

// The floating-point operations of the whole program, counted by hand.
// One file, vector.c, defines FLOPS_DEFINE before it includes this.
extern long flops_total;

void flops_add(long operations);
long flops_count(void);

#ifdef FLOPS_DEFINE
long flops_total;

void flops_add(long operations) {
    flops_total += operations;
}

long flops_count(void) {
    return flops_total;
}
#endif

#endif
