/*
 * Purpose: after how many time steps half of the heat has left the square: an application that uses a libheat
 *          which somebody installed, found by CMake (CMakeLists.txt) or by pkg-config.
 * Run:     make check
 * Source:  the heat falls as exp(-2 pi^2 t), so that half of it is left at t = ln 2 / (2 pi^2); see heat.h
 */
#include <heat.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    int n = argc > 1 ? atoi(argv[1]) : 50;
    heat *h = heat_create(MPI_COMM_WORLD, n);
    if (h == NULL) {
        if (rank == 0)
            fprintf(stderr, "cooling: give n, at least the number of ranks\n");
        MPI_Finalize();
        return 2;
    }

    // [half]
    double half = heat_sum(h) / 2.0, before = 0.0;
    int steps = 0;
    while (heat_sum(h) > half) {
        before = heat_time(h);
        heat_step(h, 1);
        steps++;
    }
    // [/half]
    double after = heat_time(h), width = 1.0 / (n + 1.0), pi = acos(-1.0);
    heat_free(h);

    // The method itself is off by a part of about pi^2 width^2 / 3 at most
    double exact = log(2.0) / (2.0 * pi * pi), slack = exact * pi * pi * width * width / 3.0;
    int right = before <= exact + slack && after >= exact - slack;
    if (rank == 0)
        printf("cooling: ranks %d, n %d: half is left after %d steps, time %.6f to %.6f, exact "
               "%.6f: %s\n",
               size, n, steps, before, after, exact, right ? "right" : "WRONG");
    MPI_Finalize();
    return right ? 0 : 1;
}
