/*
 * Purpose: counts which communicators a program makes and frees. MPI_Finalize on rank 0 prints it.
 * Run:     mpicc program.c count.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mpi.h>
#include <stdio.h>

static int made, freed;

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static int counted(int code, const MPI_Comm *comm) {
    made += code == MPI_SUCCESS && *comm != MPI_COMM_NULL;
    return code;
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *newcomm) {
    return counted(NEXT(MPI_Comm_split)(comm, color, key, newcomm), newcomm);
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *newcomm) {
    return counted(NEXT(MPI_Comm_split_type)(comm, type, key, info, newcomm), newcomm);
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *newcomm) {
    return counted(NEXT(MPI_Comm_dup)(comm, newcomm), newcomm);
}

int MPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm *newcomm) {
    return counted(NEXT(MPI_Comm_create)(comm, group, newcomm), newcomm);
}

int MPI_Comm_create_group(MPI_Comm comm, MPI_Group group, int tag, MPI_Comm *newcomm) {
    return counted(NEXT(MPI_Comm_create_group)(comm, group, tag, newcomm), newcomm);
}

int MPI_Cart_create(MPI_Comm old, int ndims, const int dims[], const int periods[], int reorder,
                    MPI_Comm *newcomm) {
    return counted(NEXT(MPI_Cart_create)(old, ndims, dims, periods, reorder, newcomm), newcomm);
}

int MPI_Cart_sub(MPI_Comm comm, const int remain[], MPI_Comm *newcomm) {
    return counted(NEXT(MPI_Cart_sub)(comm, remain, newcomm), newcomm);
}

int MPI_Comm_free(MPI_Comm *comm) {
    int code = NEXT(MPI_Comm_free)(comm);
    freed += code == MPI_SUCCESS;
    return code;
}

int MPI_Comm_disconnect(MPI_Comm *comm) {
    int code = NEXT(MPI_Comm_disconnect)(comm);
    freed += code == MPI_SUCCESS;
    return code;
}

int MPI_Finalize(void) {
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        printf("communicators: %d made, %d freed\n", made, freed);
    return NEXT(MPI_Finalize)();
}
