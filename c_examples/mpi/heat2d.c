/*
 * Purpose: the heat equation of ../heat, on blocks of a grid of ranks, and its state written to a file from which any
 *          number of ranks can go on. What is computed in a point does not depend on the ranks: same bits.
 * Run:     mpicc -O2 -o heat2d heat2d.c -lm && mpirun -n 4 ./heat2d 100 200
 *          mpirun -n 4 ./heat2d 100 100 --write half && mpirun -n 3 ./heat2d 100 100 --read half
 * Source:  see ../heat/heat.h
 */
#include "check.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
static const double RATIO = 0.2; // time step / width^2: above 0.25 the method is unstable

static MPI_Comm grid;
static MPI_Datatype column;
static int n, rows, columns, first_row,
    first_column; // of the square; of the block; where it begins
static int up, down, left, right;
static long steps;
static double *now, *next; // (rows + 2) x (columns + 2): the block with its halo

static double *at(double *values, int i, int j) {
    return values + (size_t)i * ((size_t)columns + 2) + j;
}

static double start(int i, int j) {
    double width = 1.0 / (n + 1.0);
    return sin(PI * (first_row + i) * width) * sin(PI * (first_column + j) * width);
}

// [block]
static int begin(int part, int parts) { // the first parts have one more where parts do not divide n
    return part * (n / parts) + (part < n % parts ? part : n % parts);
}

static int decompose(void) { // returns whether every rank has a part of it
    int dims[2] = {0, 0}, periods[2] = {0, 0}, here[2];
    MPI_Dims_create(size_of(MPI_COMM_WORLD), 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 1, &grid);
    MPI_Cart_coords(grid, my_rank(grid), 2, here);
    MPI_Cart_shift(grid, 0, 1, &up, &down);
    MPI_Cart_shift(grid, 1, 1, &left, &right);
    first_row = begin(here[0], dims[0]);
    first_column = begin(here[1], dims[1]);
    rows = begin(here[0] + 1, dims[0]) - first_row;
    columns = begin(here[1] + 1, dims[1]) - first_column;
    return n >= dims[0]; // dims[0] is the larger one
}
// [/block]

static void create(void) {
    size_t bytes = ((size_t)rows + 2) * ((size_t)columns + 2) * sizeof(double);
    now = memset(room(bytes), 0, bytes); // the edge of the square stays 0
    next = memset(room(bytes), 0, bytes);
    for (int i = 1; i <= rows; i++)
        for (int j = 1; j <= columns; j++)
            *at(now, i, j) = start(i, j);
    MPI_Type_vector(rows, 1, columns + 2, MPI_DOUBLE, &column);
    MPI_Type_commit(&column);
}

// [halo]
static void shift(double *out, int to, double *in, int from, int count, MPI_Datatype type) {
    MPI_Sendrecv(out, count, type, to, 0, in, count, type, from, 0, grid, MPI_STATUS_IGNORE);
}

static void exchange(void) { // no corners: the method does not look at them
    shift(at(now, 1, 1), up, at(now, rows + 1, 1), down, columns, MPI_DOUBLE);
    shift(at(now, rows, 1), down, at(now, 0, 1), up, columns, MPI_DOUBLE);
    shift(at(now, 1, 1), left, at(now, 1, columns + 1), right, 1, column);
    shift(at(now, 1, columns), right, at(now, 1, 0), left, 1, column);
}
// [/halo]

static void step(void) {
    exchange();
    for (int i = 1; i <= rows; i++) {
        const double *above = at(now, i - 1, 0), *here = at(now, i, 0), *below = at(now, i + 1, 0);
        for (int j = 1; j <= columns; j++) {
            double around = above[j] + below[j] + here[j - 1] + here[j + 1];
            *at(next, i, j) = here[j] + RATIO * (around - 4.0 * here[j]);
        }
    }
    double *old = now;
    now = next;
    next = old;
    steps++;
}

static void need(int code, const char *what) { // errors of files end nothing by themselves
    if (code == MPI_SUCCESS)
        return;
    fprintf(stderr, "heat2d: the checkpoint: cannot %s\n", what);
    MPI_Abort(MPI_COMM_WORLD, 2);
}

// [view]
// The file: n and the steps, then the n x n points, row after row. Nothing in it tells of ranks.
enum { HEADER = 2 * sizeof(int64_t) };

// One rank is to write what all have, as the file is small. Where several do, Open MPI 4.1 may lose
// what one of them wrote: each puts back what it has read of the others' part (open-mpi/ompi issue 12718).
static MPI_Info one_writer(void) {
    MPI_Info hints;
    MPI_Info_create(&hints);
    MPI_Info_set(hints, "cb_nodes", "1");
    return hints;
}

static void see_block(MPI_File file) { // of the file, this rank's block
    MPI_Info hints = one_writer();
    int whole[2] = {n, n}, part[2] = {rows, columns}, from[2] = {first_row, first_column};
    MPI_Datatype block;
    MPI_Type_create_subarray(2, whole, part, from, MPI_ORDER_C, MPI_DOUBLE, &block);
    MPI_Type_commit(&block);
    need(MPI_File_set_view(file, HEADER, MPI_DOUBLE, block, "native", hints), "see it");
    MPI_Info_free(&hints);
    MPI_Type_free(&block);
}

static MPI_Datatype without_halo(void) { // of the memory, the same block
    int whole[2] = {rows + 2, columns + 2}, part[2] = {rows, columns}, from[2] = {1, 1};
    MPI_Datatype inner;
    MPI_Type_create_subarray(2, whole, part, from, MPI_ORDER_C, MPI_DOUBLE, &inner);
    MPI_Type_commit(&inner);
    return inner;
}
// [/view]

// [write]
static void write_checkpoint(const char *path) {
    char unfinished[FILENAME_MAX]; // the name of a whole one is given when it is one
    snprintf(unfinished, sizeof unfinished, "%s.part", path);
    MPI_File file;
    MPI_Datatype inner = without_halo();
    int64_t header[2] = {n, steps};
    need(MPI_File_open(grid, unfinished, MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file),
         "open it to write");
    need(MPI_File_set_size(file, 0), "empty it");
    if (my_rank(grid) == 0)
        need(MPI_File_write_at(file, 0, header, 2, MPI_INT64_T, MPI_STATUS_IGNORE), "write n");
    see_block(file);
    need(MPI_File_write_all(file, now, 1, inner, MPI_STATUS_IGNORE), "write the points");
    need(MPI_File_close(&file), "close it"); // all ranks have written
    if (my_rank(grid) == 0)
        need(rename(unfinished, path) ? MPI_ERR_FILE : MPI_SUCCESS, "rename it");
    MPI_Type_free(&inner);
}
// [/write]

// [read]
static void read_checkpoint(const char *path) {
    MPI_File file;
    MPI_Offset bytes;
    MPI_Datatype inner = without_halo();
    int64_t header[2] = {0, 0};
    need(MPI_File_open(grid, path, MPI_MODE_RDONLY, MPI_INFO_NULL, &file), "open it to read");
    need(MPI_File_get_size(file, &bytes), "tell its size");
    need(MPI_File_read_at_all(file, 0, header, 2, MPI_INT64_T, MPI_STATUS_IGNORE), "read n");
    int good = header[0] == n && header[1] >= 0 && header[1] <= INT_MAX &&
               bytes == HEADER + (MPI_Offset)n * n * (MPI_Offset)sizeof(double);
    need(good ? MPI_SUCCESS : MPI_ERR_FILE, "use it: it is none of this n, or not whole");
    steps = (long)header[1];
    see_block(file);
    need(MPI_File_read_all(file, now, 1, inner, MPI_STATUS_IGNORE), "read the points");
    need(MPI_File_close(&file), "close it");
    MPI_Type_free(&inner);
}
// [/read]

static int report(void) { // returns whether the solution is right
    double width = 1.0 / (n + 1.0), time = (double)steps * RATIO * width * width;
    double decay = exp(-2.0 * PI * PI * time), sum = 0.0, most = 0.0;
    for (int i = 1; i <= rows; i++)
        for (int j = 1; j <= columns; j++) {
            double error = fabs(*at(now, i, j) - decay * start(i, j));
            most = isnan(error) ? INFINITY : fmax(most, error); // fmax would drop a NaN
            sum += *at(now, i, j) * width * width;
        }
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, grid);
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, grid);
    double bound = time * pow(PI, 4) * (2.0 * RATIO + 1.0 / 6.0) * width * width +
                   4.0 * DBL_EPSILON * (double)(steps + 1); // the method's error, and rounding
    if (my_rank(grid) == 0) {
        printf("heat2d: ranks %d, n %d, steps %ld, time %.9E\n", size_of(grid), n, steps, time);
        printf("heat2d: sum %.9E, error %.9E, bound %.9E: %s\n", sum, most, bound,
               most <= bound ? "within the bound" : "WRONG");
    }
    return most <= bound;
}

static int number(const char *text) { // -1: it is none
    char *end;
    long value = strtol(text, &end, 10);
    return end == text || *end != '\0' || value < 0 || value > INT_MAX ? -1 : (int)value;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const char *from = NULL, *to = NULL;
    n = argc > 1 ? number(argv[1]) : 100;
    int more = argc > 2 ? number(argv[2]) : 50, good = n > 0 && n < 40000 && more >= 0;
    for (int i = 3; i < argc && good; i += 2) {
        good = i + 1 < argc;
        if (good && strcmp(argv[i], "--read") == 0)
            from = argv[i + 1];
        else if (good && strcmp(argv[i], "--write") == 0)
            to = argv[i + 1];
        else
            good = 0;
    }
    if (!good || !decompose())
        refuse("heat2d: give n, at least the rows of ranks; steps; --read FILE; --write FILE");

    create();
    if (from != NULL)
        read_checkpoint(from);
    for (int i = 0; i < more; i++)
        step();
    if (to != NULL)
        write_checkpoint(to);
    int right_result = report();
    MPI_Type_free(&column);
    MPI_Comm_free(&grid);
    free(now);
    free(next);
    MPI_Finalize();
    return right_result ? 0 : 1;
}
