/*
 * Purpose: what the workers of the check's farm know of each other: a file that all ranks have mapped.
 * Source:  mmap(2)
 */
#ifndef BOARD_H
#define BOARD_H
#include <stdatomic.h>

typedef struct {
    int tasks;   // the check writes it
    int ordered; // and whether the results come in an order that it wants
    _Atomic int begun[64];
    _Atomic int
        answered[64]; // rank 0 has taken the result: it has handed that worker something new
} board;

board *shared(void);

#endif
