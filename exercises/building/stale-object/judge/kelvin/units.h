/*
 * Purpose: the unit in which temperatures are shown.
 */
#ifndef UNITS_H
#define UNITS_H

#define UNIT "K"
#define ZERO_CELSIUS 273.15 // what 0 degrees Celsius are in that unit

#endif
