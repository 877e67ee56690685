/*
 * Purpose: how the cells of the model start.
 */
#ifndef START_VALUES_H
#define START_VALUES_H

#define COLDEST 14.0 // degrees Celsius, the first cell

#endif
