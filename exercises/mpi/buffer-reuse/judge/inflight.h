/*
 * Purpose: what inflight.c tells about the operations that a rank has started and not completed.
 * Source:  MPI 4.0, section 3.7 (nonblocking communication)
 */
#ifndef INFLIGHT_H
#define INFLIGHT_H
#include <stdarg.h>
#include <stddef.h>

// Print one line for the check: `judge: rank 0: …`.
void judge_say(const char *format, ...);

#endif
