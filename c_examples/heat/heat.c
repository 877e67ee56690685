/*
 * Purpose: libheat, see heat.h. Each rank holds a block of rows and, on either side of it, a copy of
 *          the neighbour's nearest row: the halo, fetched before every step.
 * Run:     mpicc -o heat_c heat_main.c heat.c -lm && mpirun -n 4 ./heat_c 41 20
 * Source:  see heat.h; the bound of the error is that of section 2.6 there, in two dimensions
 */
#include "heat.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;
static const double RATIO = 0.2; // time step / width^2: above 0.25 the method is unstable

struct heat {
    MPI_Comm comm;      // a duplicate, so that our messages never meet the caller's
    int n, rows, first; // points in a row; rows of this rank; rows of the ranks before it
    int above, below;   // the neighbours, or MPI_PROC_NULL
    long steps;
    double width;       // from point to point
    double *now, *next; // (rows + 2) x (n + 2): the block, its halo, and the edge of the square
};

static double *row(const heat *h, double *values, int i) {
    return values + (size_t)i * ((size_t)h->n + 2);
}

static double start(const heat *h, int i, int j) { // i and j count from 1, i on this rank
    return sin(PI * (h->first + i) * h->width) * sin(PI * j * h->width);
}

heat *heat_create(MPI_Comm comm, int n) {
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);

    heat *h = malloc(sizeof *h);
    int good = h != NULL && n >= size;
    if (h != NULL)
        *h = (heat){.comm = MPI_COMM_NULL, .n = n, .width = 1.0 / (n + 1.0)};
    if (good) {
        // [sizes]
        int rest = n % size; // the first ranks take one row more
        h->rows = n / size + (rank < rest ? 1 : 0);
        h->first = rank * (n / size) + (rank < rest ? rank : rest);
        // [/sizes]
        h->above = rank > 0 ? rank - 1 : MPI_PROC_NULL;
        h->below = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
        h->now = calloc((size_t)h->rows + 2, ((size_t)n + 2) * sizeof(double)); // the edge stays 0
        h->next = calloc((size_t)h->rows + 2, ((size_t)n + 2) * sizeof(double));
        good = h->now != NULL && h->next != NULL;
    }
    // If one rank lacks memory, the others must not wait for it later
    MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, comm);
    if (!good) {
        heat_free(h);
        return NULL;
    }
    MPI_Comm_dup(comm, &h->comm);
    for (int i = 1; i <= h->rows; i++)
        for (int j = 1; j <= n; j++)
            row(h, h->now, i)[j] = start(h, i, j);
    return h;
}

heat *heat_create_f(MPI_Fint comm, int n) {
    return heat_create(MPI_Comm_f2c(comm), n);
}

// [halo]
static void exchange(const heat *h) {
    int count = h->n + 2, above = h->above, below = h->below;
    double *top = row(h, h->now, 0), *bottom = row(h, h->now, h->rows + 1); // the halo

    MPI_Sendrecv(row(h, h->now, 1), count, MPI_DOUBLE, above, 0, // the first row goes up,
                 bottom, count, MPI_DOUBLE, below, 0,            // one comes from below
                 h->comm, MPI_STATUS_IGNORE);
    MPI_Sendrecv(row(h, h->now, h->rows), count, MPI_DOUBLE, below, 1, // the last row goes down,
                 top, count, MPI_DOUBLE, above, 1,                     // one comes from above
                 h->comm, MPI_STATUS_IGNORE);
}
// [/halo]

void heat_step(heat *h, int steps) {
    for (int step = 0; step < steps; step++, h->steps++) {
        exchange(h);
        // [update]
        for (int i = 1; i <= h->rows; i++) {
            double *above = row(h, h->now, i - 1), *here = row(h, h->now, i);
            double *below = row(h, h->now, i + 1), *next = row(h, h->next, i);
            for (int j = 1; j <= h->n; j++) {
                double around = above[j] + below[j] + here[j - 1] + here[j + 1];
                next[j] = here[j] + RATIO * (around - 4.0 * here[j]);
            }
        }
        // [/update]
        double *old = h->now;
        h->now = h->next;
        h->next = old;
    }
}

double heat_time(const heat *h) {
    return (double)h->steps * RATIO * h->width * h->width;
}

double heat_sum(const heat *h) {
    double sum = 0.0;
    for (int i = 1; i <= h->rows; i++)
        for (int j = 1; j <= h->n; j++)
            sum += row(h, h->now, i)[j] * h->width * h->width;
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, h->comm);
    return sum;
}

double heat_error(const heat *h) {
    double decay = exp(-2.0 * PI * PI * heat_time(h)), most = 0.0;
    for (int i = 1; i <= h->rows; i++)
        for (int j = 1; j <= h->n; j++) {
            double error = fabs(row(h, h->now, i)[j] - decay * start(h, i, j));
            most = isnan(error) ? INFINITY : fmax(most, error); // fmax would drop a NaN
        }
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, h->comm);
    return most;
}

double heat_bound(const heat *h) { // time x (dt/2 |u_tt| + width^2/12 (|u_xxxx| + |u_yyyy|))
    double scheme = pow(PI, 4) * (2.0 * RATIO + 1.0 / 6.0) * h->width * h->width;
    return heat_time(h) * scheme + 4.0 * DBL_EPSILON * (double)(h->steps + 1); // and rounding
}

void heat_free(heat *h) {
    if (h == NULL)
        return;
    if (h->comm != MPI_COMM_NULL)
        MPI_Comm_free(&h->comm);
    free(h->now);
    free(h->next);
    free(h);
}
