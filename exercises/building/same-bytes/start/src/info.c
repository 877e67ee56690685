/*
 * Purpose: say which libstencil this is, and try it.
 * Run:     make release && ./stencil-info --version && ./stencil-info 6
 */
#include "stencil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("stencil %s of %s\n", VERSION, BUILT);
        return 0;
    }
    int n = argc == 2 ? atoi(argv[1]) : 0;
    if (n < 3) {
        fprintf(stderr, "stencil-info: give --version, or a number of cells from 3\n");
        return 2;
    }
    double *from = field_create(n), *to = field_create(n);
    from[n / 2] = 3.0;
    stencil_smooth(from, to, n);
    for (int i = 0; i < n; i++) {
        printf("%g%c", to[i], i < n - 1 ? ' ' : '\n');
    }
    free(from);
    free(to);
    return 0;
}
