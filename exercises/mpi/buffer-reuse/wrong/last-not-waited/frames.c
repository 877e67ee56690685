/*
 * Purpose: rank 0 reads the frames of a detector and hands them to the other ranks in turn; each adds up the pixels of
 *          its frames.
 * Run:     mpicc -O2 -o frames frames.c detector.c && mpirun -n 3 ./frames 6 200000
 * Source:  MPI 4.0, section 3.7 (nonblocking communication)
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "detector.h"

// Rank 0: frame k goes to worker 1 + k % workers. The frame's number is the tag.
static void hand_out(int frames, int pixels, int workers) {
    double *frame[2]; // one is on its way while the next frame is read into the other
    MPI_Request sends[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    for (int b = 0; b < 2; b++)
        frame[b] = malloc((size_t)pixels * sizeof *frame[b]);
    for (int k = 0; k < frames; k++) {
        int b = k % 2;
        MPI_Wait(&sends[b], MPI_STATUS_IGNORE);
        read_frame(k, frame[b], pixels);
        MPI_Isend(frame[b], pixels, MPI_DOUBLE, 1 + k % workers, k, MPI_COMM_WORLD, &sends[b]);
    }
    for (int b = 0; b < 2; b++)
        free(frame[b]);
}

// A worker: sums[k] becomes the sum of frame k, for each frame that is its own.
static void take(int frames, int pixels, int workers, int rank, double *sums) {
    double *frame = malloc((size_t)pixels * sizeof *frame);
    for (int k = rank - 1; k < frames; k += workers) {
        MPI_Recv(frame, pixels, MPI_DOUBLE, 0, k, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int p = 0; p < pixels; p++)
            sums[k] += frame[p];
    }
    free(frame);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int frames = argc > 1 ? atoi(argv[1]) : 6;
    int pixels = argc > 2 ? atoi(argv[2]) : 200000;
    if (size < 2 || frames < 1 || pixels < 1) {
        fprintf(stderr, "frames: needs two ranks at least, and a frame with a pixel\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    double *sums = calloc((size_t)frames, sizeof *sums);
    double *all = calloc((size_t)frames, sizeof *all);
    if (rank == 0)
        hand_out(frames, pixels, size - 1);
    else
        take(frames, pixels, size - 1, rank, sums);
    MPI_Reduce(sums, all, frames, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    for (int k = 0; k < frames && rank == 0; k++)
        printf("frame %d: sum = %.0f\n", k, all[k]);
    free(all);
    free(sums);
    MPI_Finalize();
    return 0;
}
