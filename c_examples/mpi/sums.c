/*
 * Purpose: the same numbers added up in two ways, on any number of ranks: by Allreduce of one sum for each rank, whose
 *          last bits depend on how many ranks there are, and by pieces that are the same on any number, added in their
 *          order, which gives the same bits always.
 * Run:     mpicc -o sums sums.c && mpirun -n 4 ./sums
 *          mpirun -n 3 ./sums
 * Source:  none; the bound of the error: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition (2002),
 *          section 4.2
 */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { NUMBERS = 100000, PIECES = 60 };

static int rank, size;

static double number(int i) { // 1 - 1/2 + 1/3 - 1/4 + ...
    return (i % 2 ? -1.0 : 1.0) / (i + 1);
}

static double add(int from, int to) {
    double sum = 0.0;
    for (int i = from; i < to; i++)
        sum += number(i);
    return sum;
}

static int begin(int part, int parts) {
    return (int)((long)NUMBERS * part / parts);
}

// [usual]
static double usual(void) { // one sum for each rank
    double mine = add(begin(rank, size), begin(rank + 1, size)), all;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return all;
}
// [/usual]

// [fixed]
static double fixed(void) { // pieces that know nothing of ranks; each is added up by one rank
    double mine[PIECES] = {0.0}, all[PIECES], sum = 0.0;
    for (int piece = rank; piece < PIECES; piece += size)
        mine[piece] = add(begin(piece, PIECES), begin(piece + 1, PIECES));
    MPI_Allreduce(mine, all, PIECES, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD); // adds zeros only
    for (int piece = 0; piece < PIECES; piece++) // every rank adds them in the same order
        sum += all[piece];
    return sum;
}
// [/fixed]

// Whether all ranks have the same bits: a rank that goes on with others may take another branch
static int same_everywhere(double value) {
    double of_rank_0 = value;
    MPI_Bcast(&of_rank_0, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    return memcmp(&value, &of_rank_0, sizeof value) == 0;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    double first = usual(), second = fixed();
    long double exact = 0.0L, absolute = 0.0L;
    for (int i = NUMBERS - 1; i >= 0; i--) { // from the smallest up
        exact += (long double)number(i);
        absolute += fabsl((long double)number(i));
    }
    double bound = NUMBERS * DBL_EPSILON * (double)absolute;
    check(fabsl((long double)first - exact) <= bound, "the sum by Allreduce");
    check(fabsl((long double)second - exact) <= bound, "the sum of the pieces");
    check(fabs(first - log(2.0)) < 1e-5 && fabs(second - log(2.0)) < 1e-5, "log 2");
    check(same_everywhere(first) && same_everywhere(second), "the sum of another rank");
    if (rank == 0)
        printf("usual %.16f, fixed %.16f\n", first, second);
    return verdict("sums");
}
