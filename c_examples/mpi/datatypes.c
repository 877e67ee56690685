/*
 * Purpose: derived datatypes: each is sent to the rank on the right, and received there in another layout.
 * Run:     mpicc -o datatypes datatypes.c && mpirun -n 4 ./datatypes
 * Source:  MPI 3.1, chapter 4
 */
#include "check.h"

#include <stddef.h>

enum { ROWS = 4, COLUMNS = 5 };

static int rank, size, left; // left: whose numbers come to this rank

// Send to the right, receive from the left: what must agree is the sequence of numbers, not where they lie
static void pass(const void *out, int out_count, MPI_Datatype out_type, void *in, int in_count,
                 MPI_Datatype in_type) {
    MPI_Sendrecv(out, out_count, out_type, (rank + 1) % size, 0, in, in_count, in_type, left, 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static int number(int of_rank, int i, int j) {
    return 1000 * (of_rank + 1) + 10 * i + j;
}

static void fill(int a[ROWS][COLUMNS]) {
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            a[i][j] = number(rank, i, j);
}

// [tell]
static void tell(const char *name, MPI_Datatype type) { // the bytes in it, and from one to the next
    int bytes;
    MPI_Aint lower, extent;
    MPI_Type_size(type, &bytes);
    MPI_Type_get_extent(type, &lower, &extent);
    if (rank == 0)
        printf("%-10s size %2d, extent %2ld\n", name, bytes, (long)extent);
}
// [/tell]

static void contiguous(int a[ROWS][COLUMNS]) {
    // [contiguous]
    MPI_Datatype row;
    MPI_Type_contiguous(COLUMNS, MPI_INT, &row);
    MPI_Type_commit(&row);
    // [/contiguous]
    int in[2 * COLUMNS] = {0};
    pass(a[1], 2, row, in, 2 * COLUMNS, MPI_INT);
    for (int k = 0; k < 2 * COLUMNS; k++)
        check(in[k] == number(left, 1 + k / COLUMNS, k % COLUMNS), "rows");
    tell("contiguous", row);
    MPI_Type_free(&row);
}

static void vector_and_resized(int a[ROWS][COLUMNS]) {
    // [vector]
    MPI_Datatype column;
    MPI_Type_vector(ROWS, 1, COLUMNS, MPI_INT, &column); // 4 blocks of 1, one every 5
    MPI_Type_commit(&column);
    // [/vector]
    int in[ROWS * COLUMNS] = {0};
    pass(&a[0][2], 1, column, in, ROWS, MPI_INT);
    for (int i = 0; i < ROWS; i++)
        check(in[i] == number(left, i, 2), "a column");
    tell("vector", column);

    // [resized]
    MPI_Datatype next_beside; // a column whose next one begins 1 int further, not where it ends
    MPI_Type_create_resized(column, 0, sizeof(int), &next_beside);
    MPI_Type_commit(&next_beside);
    pass(a, COLUMNS, next_beside, in, ROWS * COLUMNS, MPI_INT); // transposed on the way
    // [/resized]
    for (int j = 0; j < COLUMNS; j++)
        for (int i = 0; i < ROWS; i++)
            check(in[j * ROWS + i] == number(left, i, j), "all columns");
    tell("resized", next_beside);
    MPI_Type_free(&column);
    MPI_Type_free(&next_beside);
}

static void indexed(int a[ROWS][COLUMNS]) {
    // [indexed]
    MPI_Datatype triangle; // from the diagonal to the end of each row
    int lengths[ROWS], begins[ROWS];
    for (int i = 0; i < ROWS; i++) {
        lengths[i] = COLUMNS - i;
        begins[i] = i * COLUMNS + i;
    }
    MPI_Type_indexed(ROWS, lengths, begins, MPI_INT, &triangle);
    MPI_Type_commit(&triangle);
    // [/indexed]
    int in[ROWS * COLUMNS] = {0}, k = 0;
    pass(a, 1, triangle, in, ROWS * COLUMNS - 6, MPI_INT);
    for (int i = 0; i < ROWS; i++)
        for (int j = i; j < COLUMNS; j++)
            check(in[k++] == number(left, i, j), "the triangle");
    tell("indexed", triangle);
    MPI_Type_free(&triangle);
}

static void subarray(int a[ROWS][COLUMNS]) {
    // [subarray]
    MPI_Datatype inner, corner; // 2 x 3 numbers, here and there
    int whole[2] = {ROWS, COLUMNS}, part[2] = {2, 3}, from[2] = {1, 1}, to[2] = {2, 2};
    MPI_Type_create_subarray(2, whole, part, from, MPI_ORDER_C, MPI_INT, &inner);
    MPI_Type_create_subarray(2, whole, part, to, MPI_ORDER_C, MPI_INT, &corner);
    MPI_Type_commit(&inner);
    MPI_Type_commit(&corner);
    int in[ROWS][COLUMNS] = {{0}};
    pass(a, 1, inner, in, 1, corner);
    // [/subarray]
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            check(in[i][j] == (i < 2 || j < 2 ? 0 : number(left, i - 1, j - 1)), "the corner");
    tell("subarray", inner);
    MPI_Type_free(&inner);
    MPI_Type_free(&corner);
}

// [struct]
struct particle { // the compiler leaves gaps, so that each double lies at a multiple of 8
    char kind;
    double mass;
    int cell;
};
struct packed_better { // the same, in another order
    double mass;
    int cell;
    char kind;
};

static MPI_Datatype fields(size_t kind, size_t mass, size_t cell, size_t whole) {
    MPI_Datatype plain, type, types[3] = {MPI_CHAR, MPI_DOUBLE, MPI_INT};
    MPI_Aint places[3] = {(MPI_Aint)kind, (MPI_Aint)mass, (MPI_Aint)cell};
    MPI_Type_create_struct(3, (int[]){1, 1, 1}, places, types, &plain);
    MPI_Type_create_resized(plain, 0, (MPI_Aint)whole, &type); // the gap at the end is in it too
    MPI_Type_commit(&type);
    MPI_Type_free(&plain);
    return type;
}
// [/struct]

static void structure(void) {
    // [offsetof]
    typedef struct particle P;
    typedef struct packed_better B;
    MPI_Datatype one =
        fields(offsetof(P, kind), offsetof(P, mass), offsetof(P, cell), sizeof(struct particle));
    MPI_Datatype other = fields(offsetof(B, kind), offsetof(B, mass), offsetof(B, cell),
                                sizeof(struct packed_better));
    // [/offsetof]
    P out[3];
    B in[3] = {{0}};
    for (int i = 0; i < 3; i++)
        out[i] = (P){.kind = (char)('a' + i), .mass = 0.5 * rank + i, .cell = number(rank, i, 0)};
    pass(out, 3, one, in, 3, other);
    for (int i = 0; i < 3; i++)
        check(in[i].kind == 'a' + i && in[i].mass == 0.5 * left + i &&
                  in[i].cell == number(left, i, 0),
              "a structure");
    tell("struct", one);
    tell("the other", other);
    MPI_Type_free(&one);
    MPI_Type_free(&other);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    left = (rank + size - 1) % size;
    int a[ROWS][COLUMNS];
    fill(a);
    contiguous(a);
    vector_and_resized(a);
    indexed(a);
    subarray(a);
    structure();
    return verdict("datatypes");
}
