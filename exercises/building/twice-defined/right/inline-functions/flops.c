/*
 * Purpose: the one counter of floating-point operations, and what is done with it.
 * Source:  see flops.h
 */
#include "flops.h"

long flops_total;
