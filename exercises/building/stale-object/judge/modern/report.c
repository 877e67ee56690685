/*
 * Purpose: print a mean temperature, in the unit of units.h.
 */
#include "report.h"
#include "units.h"

#include <stdio.h>

void report_mean(const char *what, double mean) {
    printf("%s = %.2f %s\n", what, mean + ZERO_CELSIUS, UNIT);
}
