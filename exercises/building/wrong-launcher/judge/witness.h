/*
 * Purpose: let every process that starts MPI leave a line behind: its rank, its world's size, its MPI.
 *          The check puts this in front of pi.c, with WITNESS defined as the file, so that nothing that
 *          happens to the program's output can hide how many worlds there were.
 * Source:  MPI 4.0, chapter 15 (profiling interface)
 */
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int witnessed_init(int *argc, char ***argv) {
    int code = MPI_Init(argc, argv), rank, size, length;
    char version[MPI_MAX_LIBRARY_VERSION_STRING], line[64];
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Get_library_version(version, &length);
    const char *mpi = strstr(version, "Open MPI") ? "Open MPI" : "MPICH";
    length = snprintf(line, sizeof line, "%d %d %s\n", rank, size, mpi);
    int file = open(WITNESS, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0 || write(file, line, (size_t)length) != length) {
        perror(WITNESS);
        MPI_Abort(MPI_COMM_WORLD, 3);
    }
    close(file);
    return code;
}
#define MPI_Init witnessed_init
