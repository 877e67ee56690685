/*
 * Purpose: blocks of a plane on a grid of ranks, and the cells around each fetched from its neighbours in two ways.
 * Run:     mpicc -o halo halo.c && mpirun -n 4 ./halo
 * Source:  MPI 3.1, sections 7.5 (grids) and 7.6 (neighbourhood collectives)
 */
#include "check.h"

#include <string.h>

enum {
    ROWS = 3,
    COLUMNS = 4,
    WALL = -1,
    EMPTY = -2
};                                        // of a block; what lies outside; not yet fetched
typedef int block[ROWS + 2][COLUMNS + 2]; // with its halo

static MPI_Comm grid;
static int dims[2], here[2], up, down, left, right;
static MPI_Datatype column; // of a block, without its corners

static void arrange(void) {
    // [grid]
    int periods[2] = {0, 0}; // walls all around
    MPI_Dims_create(size_of(MPI_COMM_WORLD), 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 1, &grid); // 1: ranks may get other numbers
    MPI_Cart_coords(grid, my_rank(grid), 2, here);
    MPI_Cart_shift(grid, 0, 1, &up, &down); // MPI_PROC_NULL where there is none
    MPI_Cart_shift(grid, 1, 1, &left, &right);
    // [/grid]
    MPI_Type_vector(ROWS, 1, COLUMNS + 2, MPI_INT, &column);
    MPI_Type_commit(&column);
}

// The number that the cell (i, j) of this block must hold: its place in the whole plane
static int number(int i, int j) {
    int row = here[0] * ROWS + i - 1, col = here[1] * COLUMNS + j - 1;
    int inside = row >= 0 && row < dims[0] * ROWS && col >= 0 && col < dims[1] * COLUMNS;
    return inside ? 1000 * row + col : WALL;
}

static void fill(block a) {
    for (int i = 0; i <= ROWS + 1; i++)
        for (int j = 0; j <= COLUMNS + 1; j++) {
            int inner = i >= 1 && i <= ROWS && j >= 1 && j <= COLUMNS;
            a[i][j] = inner || number(i, j) == WALL ? number(i, j) : EMPTY;
        }
}

// [sendrecv]
static void shift(int *out, int to, int *in, int from, int count, MPI_Datatype type) {
    MPI_Sendrecv(out, count, type, to, 0, in, count, type, from, 0, grid, MPI_STATUS_IGNORE);
}

// Columns first. Then the rows take along what has just come: the corners, from a rank across
static void by_sendrecv(block a) {
    shift(&a[1][1], left, &a[1][COLUMNS + 1], right, 1, column);
    shift(&a[1][COLUMNS], right, &a[1][0], left, 1, column);
    shift(a[1], up, a[ROWS + 1], down, COLUMNS + 2, MPI_INT);
    shift(a[ROWS], down, a[0], up, COLUMNS + 2, MPI_INT);
}
// [/sendrecv]

// [neighbours]
// All four at once, in the order of the grid: up, down, left, right. Corners are not among them.
static void by_neighbours(block a) {
    MPI_Datatype types[4] = {MPI_INT, MPI_INT, column, column};
    int counts[4] = {COLUMNS, COLUMNS, 1, 1};
    int *first_out[4] = {&a[1][1], &a[ROWS][1], &a[1][1], &a[1][COLUMNS]};
    int *first_in[4] = {&a[0][1], &a[ROWS + 1][1], &a[1][0], &a[1][COLUMNS + 1]};
    MPI_Aint out[4], in[4]; // in bytes, from the buffer that is passed
    for (int k = 0; k < 4; k++) {
        out[k] = (char *)first_out[k] - (char *)a;
        in[k] = (char *)first_in[k] - (char *)a;
    }
    MPI_Neighbor_alltoallw(a, counts, out, types, a, counts, in, types, grid);
}
// [/neighbours]

static void check_all(block a, int corners, const char *what) {
    for (int i = 0; i <= ROWS + 1; i++)
        for (int j = 0; j <= COLUMNS + 1; j++) {
            int corner = (i == 0 || i == ROWS + 1) && (j == 0 || j == COLUMNS + 1);
            int fetched = !corner || corners || number(i, j) == WALL;
            check(a[i][j] == (fetched ? number(i, j) : EMPTY), what);
        }
}

static const char *name(int neighbour, char text[12]) {
    if (neighbour == MPI_PROC_NULL)
        return strcpy(text, "wall");
    snprintf(text, 12, "%d", neighbour);
    return text;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    arrange();
    char text[4][12];
    say("rank %d at (%d, %d) of %d x %d: up %s, down %s, left %s, right %s", my_rank(grid), here[0],
        here[1], dims[0], dims[1], name(up, text[0]), name(down, text[1]), name(left, text[2]),
        name(right, text[3]));

    block a;
    fill(a);
    by_sendrecv(a);
    check_all(a, 1, "a cell, by Sendrecv");
    fill(a);
    by_neighbours(a);
    check_all(a, 0, "a cell, by Neighbor_alltoallw");

    MPI_Type_free(&column);
    MPI_Comm_free(&grid);
    return verdict("halo");
}
