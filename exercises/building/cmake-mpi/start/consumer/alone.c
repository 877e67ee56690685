/*
 * Purpose: use the installed libaverage.
 */
#include <average.h>

#include <stdio.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    printf("average = %.2f\n", average(MPI_COMM_SELF, 7.0));
    MPI_Finalize();
    return 0;
}
