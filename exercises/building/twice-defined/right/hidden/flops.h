#ifndef FLOPS_H
#define FLOPS_H

// The floating-point operations of the whole program, counted by hand
void flops_add(long operations);
long flops_count(void);

#endif
