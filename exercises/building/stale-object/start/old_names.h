/*
 * Purpose: names that the report had before version 2.
 */
#ifndef OLD_NAMES_H
#define OLD_NAMES_H

#define print_mean report_mean

#endif
