/*
 * Purpose: what the maker of the viewer added to the copy of libstats that comes with it.
 * Source:  a value counts when no value before it is the same
 */
#include "stats.h"

int stats_levels(const double *values, int n) {
    int levels = 0;
    for (int i = 0; i < n; i++) {
        int before = 0;
        while (before < i && values[before] != values[i])
            before++;
        levels += before == i;
    }
    return levels;
}
