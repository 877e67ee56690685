/*
 * Purpose: a simulation that is easily checked: the energy of molecule k is k + 0.5. Every third takes longer.
 * Source:  none
 */
#include <unistd.h>

#include "work.h"

double work(int task) {
    usleep(task % 3 == 0 ? 30000 : 3000);
    return task + 0.5;
}
