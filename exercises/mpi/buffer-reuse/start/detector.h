/*
 * Purpose: the detector, as far as a program sees it.
 * Source:  none; it stands for the driver of a real one
 */
#ifndef DETECTOR_H
#define DETECTOR_H

// Read frame k (from 0) into memory for that many pixels. It overwrites all of them.
void read_frame(int k, double *frame, int pixels);

#endif
