#ifndef FLOPS_H
#define FLOPS_H

// The floating-point operations of the whole program, counted by hand. Defined in main.c.
extern long flops_total;

void flops_add(long operations);
long flops_count(void);

#endif
