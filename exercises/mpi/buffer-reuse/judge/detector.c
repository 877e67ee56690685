/*
 * Purpose: the detector of the check: no two frames have the same sum, nor the same pixels in another order.
 * Source:  none
 */
#include "detector.h"

void read_frame(int k, double *frame, int pixels) {
    for (int p = 0; p < pixels; p++)
        frame[p] = 100.0 * (k + 1) * (k + 3) + (p % 7) * (k + 1);
}
