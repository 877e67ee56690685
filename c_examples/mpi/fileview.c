/*
 * Purpose: all ranks write one file: each a block of columns of an array, in one collective call. It is read again by
 *          ranks that share the columns out otherwise, and by a serial program.
 * Run:     mpicc -o fileview fileview.c && mpirun -n 4 ./fileview
 *          mpirun -n 4 ./fileview .         # in a folder that all ranks see; without one: in a temporary one
 * Source:  MPI 3.1, chapter 13
 */
#define _POSIX_C_SOURCE 200809L // mkdtemp
#include "check.h"

#include <unistd.h>

enum { ROWS = 5, COLUMNS = 24 };

static int rank, size;

// An error of a file ends nothing by itself, unlike all other errors of MPI
static void need(int code, const char *what) {
    char text[MPI_MAX_ERROR_STRING];
    int length;
    if (code == MPI_SUCCESS)
        return;
    MPI_Error_string(code, text, &length);
    fprintf(stderr, "fileview: %s: %s\n", what, text);
    MPI_Abort(MPI_COMM_WORLD, 2);
}

// Where a rank's columns begin: of equal shares, or of shares that grow with the rank
static int equal(int r) {
    return COLUMNS * r / size;
}

static int growing(int r) {
    return COLUMNS * r * (r + 1) / (size * (size + 1));
}

static int number(int i, int j) {
    return 1000 * i + j;
}

// [view]
// Open the file, and see of it only columns from .. to - 1 of each row, as if it held nothing else
static MPI_File open_columns(const char *path, int mode, int from, int to) {
    MPI_File file;
    MPI_Datatype mine;
    MPI_Info hints;
    int whole[2] = {ROWS, COLUMNS}, part[2] = {ROWS, to - from}, begin[2] = {0, from};
    need(MPI_File_open(MPI_COMM_WORLD, path, mode, MPI_INFO_NULL, &file), path);
    MPI_Type_create_subarray(2, whole, part, begin, MPI_ORDER_C, MPI_INT, &mine);
    MPI_Type_commit(&mine);
    MPI_Info_create(&hints);
    MPI_Info_set(hints, "cb_nodes", "1"); // one rank writes for all: heat2d.c says why
    need(MPI_File_set_view(file, 0, MPI_INT, mine, "native", hints), "the view");
    MPI_Info_free(&hints);
    MPI_Type_free(&mine);
    return file;
}
// [/view]

static void write_file(const char *path) {
    int from = equal(rank), to = equal(rank + 1), k = 0;
    int *block = room((size_t)ROWS * (size_t)(to - from) * sizeof *block);
    for (int i = 0; i < ROWS; i++)
        for (int j = from; j < to; j++)
            block[k++] = number(i, j);
    // [write]
    MPI_File file = open_columns(path, MPI_MODE_CREATE | MPI_MODE_WRONLY, from, to);
    need(MPI_File_set_size(file, 0), "size"); // or more of an older file would stay
    need(MPI_File_write_all(file, block, k, MPI_INT, MPI_STATUS_IGNORE), "write"); // all together
    need(MPI_File_close(&file), "close");
    // [/write]
    free(block);
}

static void read_file(const char *path) {
    int from = growing(rank), to = growing(rank + 1), count = ROWS * (to - from), got, k = 0;
    int *block = room((size_t)count * sizeof *block);
    // [read]
    MPI_Status status;
    MPI_File file = open_columns(path, MPI_MODE_RDONLY, from, to);
    need(MPI_File_read_all(file, block, count, MPI_INT, &status), "read");
    MPI_Get_count(&status, MPI_INT, &got); // fewer, if the file ends before
    need(MPI_File_close(&file), "close");
    // [/read]
    check(got == count, "how much was read");
    for (int i = 0; i < ROWS && got == count; i++)
        for (int j = from; j < to; j++)
            check(block[k++] == number(i, j), "what was read");
    say("rank %d wrote columns %d to %d, and read %d to %d", rank, equal(rank), equal(rank + 1) - 1,
        from, to - 1);
    free(block);
}

// [serial]
static void read_serially(const char *path) { // the file holds the array in C's order, and no more
    int all[ROWS * COLUMNS + 1];
    FILE *file = fopen(path, "rb");
    check(file != NULL && fread(all, sizeof(int), ROWS * COLUMNS + 1, file) == ROWS * COLUMNS,
          "the size of the file");
    for (int k = 0; found_wrong == 0 && k < ROWS * COLUMNS; k++)
        check(all[k] == number(k / COLUMNS, k % COLUMNS), "what is in the file");
    if (file != NULL)
        fclose(file);
}
// [/serial]

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    if (size > 6) // shares that grow: the first would be none
        refuse("fileview: has columns for 6 ranks at most");

    char folder[400], path[420], *temporary = getenv("TMPDIR");
    int good = 1;
    if (argc > 1) {
        snprintf(folder, sizeof folder, "%s", argv[1]);
    } else if (rank == 0) {
        snprintf(folder, sizeof folder, "%s/fileview-XXXXXX", temporary ? temporary : "/tmp");
        good = mkdtemp(folder) != NULL;
    }
    MPI_Bcast(&good, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (!good)
        refuse("fileview: cannot make a temporary folder: give one");
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, sizeof path, "%s/array.bin", folder);

    write_file(path);
    read_file(path);
    if (rank == 0) {
        read_serially(path);
        need(MPI_File_delete(path, MPI_INFO_NULL), "delete");
        if (argc == 1)
            rmdir(folder);
    }
    return verdict("fileview");
}
