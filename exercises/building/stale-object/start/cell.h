/*
 * Purpose: what the model knows of one cell.
 */
#ifndef CELL_H
#define CELL_H

struct cell {
    double temperature; // degrees Celsius
    double conductivity;
};

#endif
