/*
 * Purpose: what inflight.c tells about the operations that a rank has started and not completed.
 * Source:  MPI 4.0, section 3.7 (nonblocking communication)
 */
#ifndef INFLIGHT_H
#define INFLIGHT_H

// Cells first to last are about to be computed: are they those that can be, and is the exchange on its way?
void judge_compute(const double *u, int first, int last);

#endif
