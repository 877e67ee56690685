/*
 * Purpose: what the programs of this folder share: each rank counts what is not as it must be, and all end alike.
 * Run:     #include "check.h", and pass a verdict at the end: return verdict("ring");
 * Source:  none
 */
#ifndef CHECK_H
#define CHECK_H

#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// MPICH 4.0's MPI_STATUSES_IGNORE is the address 1, which gcc 12 takes for an array that is too short.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

static int found_wrong; // by this rank

static inline int my_rank(MPI_Comm comm) {
    int rank;
    MPI_Comm_rank(comm, &rank);
    return rank;
}

static inline int size_of(MPI_Comm comm) {
    int size;
    MPI_Comm_size(comm, &size);
    return size;
}

// [check]
static inline void check(int good, const char *what) {
    if (!good && found_wrong++ < 3) // the first ones tell enough
        fprintf(stderr, "rank %d: WRONG: %s\n", my_rank(MPI_COMM_WORLD), what);
}

// All ranks together, last of all: one line, and what main returns
static inline int verdict(const char *program) {
    int all;
    MPI_Allreduce(&found_wrong, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (my_rank(MPI_COMM_WORLD) == 0)
        printf("%s: ranks %d: %s\n", program, size_of(MPI_COMM_WORLD), all ? "WRONG" : "right");
    MPI_Finalize();
    return all ? 1 : 0;
}
// [/check]

// All ranks together: end with code 2 and say why: the program cannot do what it is asked for
static inline void refuse(const char *why) {
    if (my_rank(MPI_COMM_WORLD) == 0)
        fprintf(stderr, "%s\n", why);
    MPI_Finalize();
    exit(2);
}

// [say]
// All ranks together: each says a line, and rank 0 prints them in the order of the ranks. Were each to print
// its own, they would come in any order.
__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...) {
    char line[160];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);

    int rank = my_rank(MPI_COMM_WORLD), size = size_of(MPI_COMM_WORLD);
    char *lines = rank == 0 ? malloc((size_t)size * sizeof line) : NULL;
    MPI_Gather(line, sizeof line, MPI_CHAR, lines, sizeof line, MPI_CHAR, 0, MPI_COMM_WORLD);
    for (int i = 0; rank == 0 && i < size; i++)
        printf("%s\n", lines + (size_t)i * sizeof line);
    free(lines);
}
// [/say]

// Memory, or the end of all ranks: a rank alone cannot go on, and the others would wait for it
static inline void *room(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (memory == NULL)
        MPI_Abort(MPI_COMM_WORLD, 2);
    return memory;
}

#endif
