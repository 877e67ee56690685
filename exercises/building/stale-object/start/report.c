/*
 * Purpose: print a mean temperature, in the unit of units.h.
 */
#include "report.h"
#include "old_names.h"
#include "units.h"

#include <stdio.h>

void print_mean(const char *what, double mean) {
    printf("%s = %.2f %s\n", what, mean + ZERO_CELSIUS, UNIT);
}
