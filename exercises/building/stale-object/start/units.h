/*
 * Purpose: the unit in which temperatures are shown.
 */
#ifndef UNITS_H
#define UNITS_H

#define UNIT "C"
#define ZERO_CELSIUS 0.0 // what 0 degrees Celsius are in that unit

#endif
