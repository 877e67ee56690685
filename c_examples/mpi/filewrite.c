/*
 * Purpose: the same n x n numbers written again and again, by all ranks, in one of three ways; each time rank 0 reads all
 *          of it as a serial program would, and counts the writes after which something was not there. The one file
 *          begins with a header of three numbers. Of more than 100 writes, the time of the fastest is told.
 * Run:     mpicc -O2 -o filewrite filewrite.c && mpirun -n 4 ./filewrite
 *          mpirun -n 4 ./filewrite collective 40 31 . cb_nodes=1    # 40 writes of 31 x 31 numbers, here, with a hint
 *          mpirun -n 4 ./filewrite independent 10 31                # in a temporary folder, without a hint
 *          mpirun -n 4 ./filewrite separate 10 31                   # a file for each rank
 * Source:  MPI 3.1, chapter 13
 */
#define _POSIX_C_SOURCE 200809L // mkdtemp
#include "check.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 24 }; // bytes: three integers of 8
static const int64_t MAGIC = 1995;

static int rank, size, n, dims[2]; // a grid of ranks, each with a block of the n x n numbers
static double *mine;               // its numbers
static int count;                  // how many
static char folder[400];
static MPI_Info hints;
static int told; // of the hints

static double number(int round, int i, int j) {
    return 1e6 * round + n * (double)i + j;
}

struct block {
    int first[2], part[2]; // row and column where it begins; its rows and columns
};

static struct block block_of(int r) {
    int here[2] = {r / dims[1], r % dims[1]};
    struct block b;
    for (int d = 0; d < 2; d++) {
        b.first[d] = (int)((long)n * here[d] / dims[d]);
        b.part[d] = (int)((long)n * (here[d] + 1) / dims[d]) - b.first[d];
    }
    return b;
}

static void need(int code, const char *what) { // errors of files end nothing by themselves
    if (code == MPI_SUCCESS)
        return;
    fprintf(stderr, "filewrite: cannot %s\n", what);
    MPI_Abort(MPI_COMM_WORLD, 2);
}

static void name_of(int r, char path[440]) { // -1: the one file of all
    snprintf(path, 440, r < 0 ? "%s/all.bin" : "%s/%d.bin", folder, r);
}

// [hints]
// A hint may be taken, changed or ignored, and none of these is an error. What an open file has of them:
static void tell_hints(MPI_File file) {
    MPI_Info used;
    int asked = 0, there;
    char name[MPI_MAX_INFO_KEY + 1], wanted[80], has[80];
    MPI_File_get_info(file, &used);
    MPI_Info_get_nkeys(hints, &asked);
    for (int k = 0; k < asked; k++) {
        MPI_Info_get_nthkey(hints, k, name);
        MPI_Info_get(hints, name, sizeof wanted - 1, wanted, &there);
        MPI_Info_get(used, name, sizeof has - 1, has, &there);
        printf("hint %s: asked for %s, the file says %s\n", name, wanted, there ? has : "nothing");
    }
    MPI_Info_free(&used);
}
// [/hints]

// [view]
static MPI_File open_one(void) {
    char path[440];
    MPI_File file;
    MPI_Datatype block;
    int whole[2] = {n, n};
    struct block b = block_of(rank);
    name_of(-1, path);
    need(MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_CREATE | MPI_MODE_WRONLY, hints, &file),
         "open");
    if (rank == 0) { // in bytes from the beginning, as long as there is no view
        int64_t header[3] = {MAGIC, n, n};
        need(MPI_File_write_at(file, 0, header, 3, MPI_INT64_T, MPI_STATUS_IGNORE), "write");
    }
    MPI_Type_create_subarray(2, whole, b.part, b.first, MPI_ORDER_C, MPI_DOUBLE, &block);
    MPI_Type_commit(&block);
    need(MPI_File_set_view(file, HEADER, MPI_DOUBLE, block, "native", hints), "see it");
    MPI_Type_free(&block);
    if (rank == 0 && !told++)
        tell_hints(file);
    return file;
}
// [/view]

// [ways]
static void collective(void) { // all ranks together: the library may collect what lies side by side
    MPI_File file = open_one();
    need(MPI_File_write_all(file, mine, count, MPI_DOUBLE, MPI_STATUS_IGNORE), "write");
    need(MPI_File_close(&file), "close");
}

static void independent(void) { // each for itself: n pieces, with gaps that belong to others
    MPI_File file = open_one();
    need(MPI_File_write(file, mine, count, MPI_DOUBLE, MPI_STATUS_IGNORE), "write");
    need(MPI_File_close(&file), "close");
}

static void separate(void) { // no MPI at all; whoever reads must know how many ranks there were
    char path[440];
    name_of(rank, path);
    FILE *file = fopen(path, "wb");
    int good = file != NULL && fwrite(mine, sizeof *mine, (size_t)count, file) == (size_t)count;
    need((file == NULL || fclose(file) == 0) && good ? MPI_SUCCESS : MPI_ERR_FILE, "write");
}
// [/ways]

static const struct {
    const char *name;
    void (*write)(void);
} ways[] = {{"collective", collective}, {"independent", independent}, {"separate", separate}};

// How many of the numbers in a file, which are to be those of a block, are not
static int wrong_in(const char *path, int headed, int round, struct block b) {
    int wrong = 0;
    size_t numbers = (size_t)b.part[0] * (size_t)b.part[1];
    double *all = room((numbers + 1) * sizeof *all);
    int64_t header[3] = {MAGIC, n, n};
    FILE *file = fopen(path, "rb");
    if (file != NULL && headed &&
        (fread(header, sizeof header, 1, file) != 1 || fseek(file, HEADER, SEEK_SET) != 0))
        header[0] = 0;
    if (file == NULL || header[0] != MAGIC || header[1] != n || header[2] != n ||
        fread(all, sizeof *all, numbers + 1, file) != numbers)
        wrong = (int)numbers;
    for (int k = 0; wrong < (int)numbers && k < (int)numbers; k++)
        wrong += all[k] != number(round, b.first[0] + k / b.part[1], b.first[1] + k % b.part[1]);
    if (file != NULL)
        fclose(file);
    free(all);
    return wrong;
}

static int wrong_numbers(int way, int round) {
    char path[440];
    int wrong = 0, apart = ways[way].write == separate;
    for (int r = apart ? 0 : -1; r < (apart ? size : 0); r++) {
        struct block all = {{0, 0}, {n, n}};
        name_of(r, path);
        wrong += wrong_in(path, r < 0, round, r < 0 ? all : block_of(r));
        unlink(path);
    }
    return wrong;
}

static void try_way(int way, int rounds) {
    int bad = 0;
    struct block b = block_of(rank);
    double best = 1e30;
    for (int round = 1; round <= rounds; round++) {
        for (int k = 0; k < count; k++)
            mine[k] = number(round, b.first[0] + k / b.part[1], b.first[1] + k % b.part[1]);
        MPI_Barrier(MPI_COMM_WORLD);
        double time = MPI_Wtime();
        ways[way].write();
        MPI_Barrier(MPI_COMM_WORLD);
        time = MPI_Wtime() - time;
        best = time < best ? time : best;
        if (rank == 0)
            bad += wrong_numbers(way, round) > 0;
        MPI_Barrier(MPI_COMM_WORLD); // the file is gone before it is written again
    }
    if (rank == 0)
        printf("%s: %d of %d writes wrong\n", ways[way].name, bad, rounds);
    if (rank == 0 && rounds > 100)
        printf("# best time %.3f ms\n", best * 1e3);
    check(bad == 0, ways[way].name);
}

static int way_of(const char *name) {
    for (int way = 0; way < 3; way++)
        if (strcmp(ways[way].name, name) == 0)
            return way;
    return -1;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    int rounds = argc > 2 ? atoi(argv[2]) : 3, good = 1;
    n = argc > 3 ? atoi(argv[3]) : 31;
    if ((argc > 1 && way_of(argv[1]) < 0) || rounds < 1 || n < size || n > 5000)
        refuse(
            "filewrite: give collective, independent or separate; rounds; n, at least the ranks; a "
            "folder; hints such as cb_nodes=1");
    if (argc > 4) {
        snprintf(folder, sizeof folder, "%s", argv[4]);
    } else if (rank == 0) {
        const char *temporary = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/filewrite-XXXXXX", temporary ? temporary : "/tmp");
        good = mkdtemp(folder) != NULL;
    }
    MPI_Bcast(&good, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (!good)
        refuse("filewrite: cannot make a temporary folder: give one");
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);

    MPI_Info_create(&hints);
    for (int i = 5; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value == NULL)
            refuse("filewrite: a hint is name=value");
        *value = '\0';
        MPI_Info_set(hints, argv[i], value + 1);
    }
    if (argc == 1)
        MPI_Info_set(hints, "cb_nodes", "1"); // heat2d.c says why

    MPI_Dims_create(size, 2, dims);
    count = block_of(rank).part[0] * block_of(rank).part[1];
    mine = room((size_t)count * sizeof *mine);
    for (int way = 0; way < 3; way++)
        if (argc == 1 ? ways[way].write != independent : way == way_of(argv[1]))
            try_way(way, rounds);
    free(mine);
    MPI_Info_free(&hints);
    if (rank == 0 && argc <= 4)
        rmdir(folder);
    return verdict("filewrite");
}
