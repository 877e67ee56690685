/*
 * Purpose: what the MPI libraries of this folder share, to be preloaded into any program: going on to the real
 *          functions, and a file that is memory, so that what a killed rank has written is there.
 * Use:     #include "preloaded.h" in a library of one C file; see counter.c for how it is compiled and loaded
 * Source:  dlsym(3), dl_iterate_phdr(3), mmap(2), posix_fallocate(3)
 *
 * Such a library defines MPI_X and PMPI_X, and each goes on to the next library's function of the same name. C, C++
 * and mpi4py call MPI_X. So does Fortran with MPICH 4.0, but Open MPI 4.1's Fortran calls PMPI_X: a library that only
 * defines MPI_X never sees it. Going on to MPI_X, not to PMPI_X, lets a second preloaded library see the call too.
 *
 * Arguments are passed on as words. All arguments of these functions are integers or pointers, and in the 64-bit ABIs
 * of Linux each takes one register or one 8-byte slot of the stack, so a wrapper need only know how many there are.
 * Of an int, only the lower half of its word counts. Tests compare those numbers with mpi.h.
 *
 * The library must not need libmpi itself: it is also loaded into the shell and mpirun. Hence --as-needed, and no
 * MPI_COMM_WORLD, which is an object of libmpi's in Open MPI. A process that never calls MPI_Init makes no file.
 */
#ifndef RANKZERO_PRELOADED_H
#define RANKZERO_PRELOADED_H
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <mpi.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 8, "arguments are passed on as 8-byte words");

/* -- the next library --------------------------------------------------------------------------------------------- */

static int open_if_mpi(struct dl_phdr_info *library, size_t size, void *handle) {
    (void)size;
    const char *slash = strrchr(library->dlpi_name, '/');
    const char *name = slash ? slash + 1 : library->dlpi_name;
    if (strncmp(name, "libmpi.so", 9) == 0 || strncmp(name, "libmpich.so", 11) == 0) {
        *(void **)handle = dlopen(library->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
    }
    return *(void **)handle != NULL;
}

/* Return the next symbol of that name, or NULL. mpi4py is loaded late and privately: RTLD_NEXT does not see its MPI. */
static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) {
        static void *_Atomic mpi;
        void *handle = atomic_load(&mpi);
        if (!handle) {
            dl_iterate_phdr(open_if_mpi, &handle);
            atomic_store(&mpi, handle);
        }
        found = handle ? dlsym(handle, name) : NULL;
    }
    return found;
}

/* Return an object of the MPI library. Its address may be in the program itself, which got a copy when it was linked. */
static void *object(const char *name) {
    void *found = dlsym(RTLD_DEFAULT, name);
    return found ? found : next(name);
}

static void *must(const char *name) {
    void *found = next(name);
    if (!found) {
        fprintf(stderr,
                "a preloaded library of Rank Zero: %s was called, and no MPI library has it\n",
                name);
        abort();
    }
    return found;
}

/* -- the file ----------------------------------------------------------------------------------------------------- */

static char path[4096];

static int rank_by_launcher(void) {
    const char *names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value) {
            return atoi(value);
        }
    }
    return 0;
}

/* Return `size` bytes of zeros that are a new file NAME.PID in $RANKZERO_PMPI_FOLDER, or NULL. */
static void *new_file(const char *name, size_t size) {
    const char *folder = getenv("RANKZERO_PMPI_FOLDER");
    if (!folder) {
        return NULL;
    }
    if (snprintf(path, sizeof path, "%s/%s.%d", folder, name, (int)getpid()) >= (int)sizeof path) {
        return NULL;
    }
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return NULL;
    }
    void *memory = MAP_FAILED;
    if (posix_fallocate(fd, 0, (off_t)size) == 0) { /* a full disk is no SIGBUS later */
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    close(fd);
    if (memory == MAP_FAILED) {
        unlink(path);
        return NULL;
    }
    return memory;
}

/* The rank is known: give the file the name NAME.NUMBER, which replaces that of an earlier run. */
static void rename_file(const char *name, int number) {
    char named[sizeof path + 32];
    int folder = (int)(strrchr(path, '/') - path);
    snprintf(named, sizeof named, "%.*s/%s.%d", folder, path, name, number);
    rename(path, named);
}

/* Set the handles that libmpi may keep in objects; 0 when the program uses another MPI than this library was made with. */
static int handles(MPI_Comm *world, MPI_Comm *none) {
#ifdef OPEN_MPI
    *world = object("ompi_mpi_comm_world");
    *none = object("ompi_mpi_comm_null");
    return *world && *none;
#else
    *world = MPI_COMM_WORLD;
    *none = MPI_COMM_NULL;
    return !object("ompi_mpi_comm_world");
#endif
}

/* -- arguments ---------------------------------------------------------------------------------------------------- */

typedef intptr_t word;

#define P0 void
#define P1 word a
#define P2 P1, word b
#define P3 P2, word c
#define P4 P3, word d
#define P5 P4, word e
#define P6 P5, word f
#define P7 P6, word g
#define P8 P7, word h
#define P9 P8, word i
#define P10 P9, word j
#define P11 P10, word k
#define P12 P11, word l
#define P13 P12, word m
#define A0
#define A1 a
#define A2 A1, b
#define A3 A2, c
#define A4 A3, d
#define A5 A4, e
#define A6 A5, f
#define A7 A6, g
#define A8 A7, h
#define A9 A8, i
#define A10 A9, j
#define A11 A10, k
#define A12 A11, l
#define A13 A12, m

#endif
