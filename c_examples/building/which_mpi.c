/*
 * Purpose: says, on every rank, which MPI the program was compiled for, whether it has loaded that one, how
 *          large a handle is, and how many ranks the launcher started. Code 1 if they do not belong together.
 * Run:     mpicc -o which_mpi which_mpi.c && mpirun -n 4 ./which_mpi
 * Source:  MPI 4.0, section 9.1.1, Version Inquiries; the variables are those of Open MPI's mpirun and of
 *          Hydra, the launcher of MPICH
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(OPEN_MPI) // each header says whose it is
static const char compiled[] = "Open MPI";
#elif defined(MPICH_VERSION)
static const char compiled[] = "MPICH";
#else
#error "neither Open MPI nor MPICH"
#endif

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size, length, one = 1, counted;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Allreduce(&one, &counted, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);

    // [ask]
    char loaded[MPI_MAX_LIBRARY_VERSION_STRING]; // the library's own word
    MPI_Get_library_version(loaded, &length);
    int same = strncmp(loaded, compiled, strlen(compiled)) == 0;

    const char *of_open_mpi = getenv("OMPI_COMM_WORLD_SIZE"); // the launcher's word
    const char *of_mpich = getenv("PMI_SIZE");
    int started = atoi(of_open_mpi != NULL ? of_open_mpi : of_mpich != NULL ? of_mpich : "1");

    int right = same && size == started && size == counted;
    // [/ask]
    printf("rank %d of %d: %s%s, MPI_Comm of %d bytes, launched as one of %d: %s\n", rank, size,
           compiled, same ? "" : " by its header and another library", (int)sizeof(MPI_Comm),
           started, right ? "right" : "WRONG");
    MPI_Finalize();
    return right ? 0 : 1;
}
