/*
 * Purpose: another program with the same files: its own operations, and those of the library.
 * Run:     gcc user.c vector.c matrix.c … -o user && ./user
 */
#include "flops.h"
#include "matrix.h"
#include "vector.h"

#include <stdio.h>

int main(void) {
    double matrix[] = {1.0, 2.0, 3.0, 4.0}, x[] = {1.0, -1.0}, y[] = {0.0, 0.0};
    printf("%ld", flops_count());
    matrix_vector(matrix, x, y, 2);
    printf(" %ld", flops_count());
    flops_add(100);
    printf(" %ld", flops_count());
    (void)scalar_product(x, y, 2);
    printf(" %ld\n", flops_count());
    return 0;
}
