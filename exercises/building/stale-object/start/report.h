/*
 * Purpose: what the program prints.
 */
#ifndef REPORT_H
#define REPORT_H

void report_mean(const char *what, double mean); // of temperatures, degrees Celsius

#endif
