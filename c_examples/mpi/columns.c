/*
 * Purpose: a column of a matrix goes to the rank on the right in four ways: as a derived datatype, copied by hand, copied
 *          by MPI_Pack, and number by number.
 * Run:     mpicc -O2 -o columns columns.c && mpirun -n 4 ./columns
 * Times:   mpirun -n 2 ./columns 500 2000 prints them in microseconds, for matrices of n x n
 * Source:  MPI 3.1, chapter 4
 */
#include "check.h"

#include <string.h>

static int rank, size, right, left, n;
static double *matrix, *packed_out, *packed_in;
static MPI_Datatype column;

static double number(int of_rank, int i, int j) {
    return 1e6 * (of_rank + 1) + n * (double)i + j;
}

static double *at(int i, int j) {
    return matrix + (size_t)i * (size_t)n + j;
}

static void pass(const void *out, void *in, int count, MPI_Datatype type) {
    MPI_Sendrecv(out, count, type, right, 0, in, count, type, left, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
}

// Each way sends the last column and receives into the first one.
// [ways]
static void by_datatype(void) {
    pass(at(0, n - 1), at(0, 0), 1, column);
}

static void by_hand(void) {
    for (int i = 0; i < n; i++)
        packed_out[i] = *at(i, n - 1);
    pass(packed_out, packed_in, n, MPI_DOUBLE);
    for (int i = 0; i < n; i++)
        *at(i, 0) = packed_in[i];
}

static void by_pack(void) {
    int bytes = n * (int)sizeof(double), used = 0;
    MPI_Pack(at(0, n - 1), 1, column, packed_out, bytes, &used, MPI_COMM_WORLD);
    pass(packed_out, packed_in, used, MPI_PACKED);
    used = 0;
    MPI_Unpack(packed_in, bytes, &used, at(0, 0), 1, column, MPI_COMM_WORLD);
}

static void one_by_one(void) {
    for (int i = 0; i < n; i++)
        pass(at(i, n - 1), at(i, 0), 1, MPI_DOUBLE);
}
// [/ways]

static const struct {
    const char *name;
    void (*way)(void);
} ways[] = {{"datatype", by_datatype},
            {"by hand", by_hand},
            {"MPI_Pack", by_pack},
            {"one by one", one_by_one}};

static void fill(void) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            *at(i, j) = number(rank, i, j);
}

static void check_matrix(const char *name) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            check(*at(i, j) == (j == 0 ? number(left, i, n - 1) : number(rank, i, j)), name);
}

static double seconds(void (*way)(void)) { // the best of some rounds, each that of the slowest rank
    double best = 1e30;
    for (int round = 0; round < 15; round++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double time = MPI_Wtime();
        way();
        time = MPI_Wtime() - time;
        MPI_Allreduce(MPI_IN_PLACE, &time, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        best = time < best ? time : best;
    }
    return best;
}

static void try_all(int timed) {
    matrix = room((size_t)n * (size_t)n * sizeof *matrix);
    packed_out = room((size_t)n * sizeof(double));
    packed_in = room((size_t)n * sizeof(double));
    MPI_Type_vector(n, 1, n, MPI_DOUBLE, &column);
    MPI_Type_commit(&column);
    for (int w = 0; w < 4; w++) {
        fill();
        ways[w].way();
        check_matrix(ways[w].name);
        double best = timed ? seconds(ways[w].way) : 0.0;
        if (timed && rank == 0)
            printf("%d;%s;%.2f\n", n, ways[w].name, best * 1e6);
    }
    MPI_Type_free(&column);
    free(matrix);
    free(packed_out);
    free(packed_in);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    right = (rank + 1) % size;
    left = (rank + size - 1) % size;
    for (int i = 1; i < argc; i++)
        if (atoi(argv[i]) < 2 || atoi(argv[i]) > 10000)
            refuse("columns: give n, from 2 to 10000");
    for (int i = 1; i < argc; i++) {
        n = atoi(argv[i]);
        try_all(1);
    }
    if (argc == 1) {
        n = 7;
        try_all(0);
    }
    return verdict(argc > 1 ? "# columns" : "columns");
}
