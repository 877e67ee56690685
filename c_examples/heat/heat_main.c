/*
 * Purpose: the heat equation with libheat, from C: n x n points, some time steps, and the error.
 * Run:     mpicc -o heat_c heat_main.c heat.c -lm && mpirun -n 4 ./heat_c 100 200
 *          ./heat_c 20 1x || echo "exit code $?"
 * Source:  see heat.h
 */
#include "heat.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

// The number that an argument holds, or -1
static int number(const char *text) {
    char *end;
    long value = strtol(text, &end, 10);
    return end == text || *end != '\0' || value < 0 || value > INT_MAX ? -1 : (int)value;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    int n = argc > 1 ? number(argv[1]) : 100;
    int steps = argc > 2 ? number(argv[2]) : 200;
    heat *h = steps < 0 ? NULL : heat_create(MPI_COMM_WORLD, n);
    if (h == NULL) {
        if (rank == 0)
            fprintf(stderr, "heat: give n, at least the number of ranks, and the steps\n");
        MPI_Finalize();
        return 2;
    }

    heat_step(h, steps);
    double time = heat_time(h), sum = heat_sum(h), error = heat_error(h), bound = heat_bound(h);
    int right = error <= bound;
    heat_free(h);

    if (rank == 0) {
        printf("heat: ranks %d, n %d, steps %d, time %.9E\n", size, n, steps, time);
        printf("heat: sum %.9E, error %.9E, bound %.9E: %s\n", sum, error, bound,
               right ? "within the bound" : "WRONG");
    }
    MPI_Finalize();
    return right ? 0 : 1;
}
