/*
 * Purpose: add up numbers whose sum is known, one after another and with compensation, and look at three more
 *          things that a compiler's flags can change: a difference of products, tiny numbers, and NaN.
 * Run:     mpicc -std=c11 -O2 -o sum sum.c && mpirun -n 4 ./sum 1000000
 *          mpirun -n 3 ./sum 10
 *          ./sum --version | cut -d, -f1
 *          ./sum 1000 nan || echo "exit code $?"
 * Source:  compensated summation: Kahan, Further remarks on reducing truncation errors, Communications of the
 *          ACM 8 (1965), page 40; 1/(1*2) + 1/(2*3) + ... + 1/(n(n+1)) is n/(n+1), as 1/(i(i+1)) is 1/i - 1/(i+1)
 */
#include <float.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// [plain]
static double plain(const double *x, long n) {
    double sum = 0.0;
    for (long i = 0; i < n; i++)
        sum += x[i];
    return sum;
}
// [/plain]

// [compensated]
static double compensated(const double *x, long n) {
    double sum = 0.0, lost = 0.0; // what the last addition rounded away
    for (long i = 0; i < n; i++) {
        double add = x[i] - lost;
        double next = sum + add;
        lost = (next - sum) - add; // algebra says 0, and rounding says what went missing
        sum = next;
    }
    return sum;
}
// [/compensated]

// [others]
static long not_numbers(const double *x, long n) {
    long count = 0;
    for (long i = 0; i < n; i++)
        count += isnan(x[i]) ? 1 : 0;
    return count;
}

// Twice the area of a triangle with the edges (a, b) and (c, d): 0 if they have one direction
static double area(double a, double b, double c, double d) {
    return a * d - b * c;
}
// [/others]

static double total(double mine) {
    double all;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return all;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("sum 1.0, built %s %s\n", __DATE__, __TIME__);
        return 0;
    }
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    long n = argc > 1 ? atol(argv[1]) : 1000000;
    if (n < size) {
        if (rank == 0)
            fprintf(stderr, "sum: give the number of terms, at least one for each rank\n");
        MPI_Finalize();
        return 2;
    }
    // [block]
    long first = n * rank / size, mine = n * (rank + 1) / size - first;
    double *x = malloc((size_t)mine * sizeof *x);
    if (x == NULL)
        MPI_Abort(MPI_COMM_WORLD, 2);
    for (long i = 0; i < mine; i++) {
        double number = (double)(first + i + 1);
        x[i] = 1.0 / (number * (number + 1.0));
    }
    // [/block]
    if (rank == 0 && argc > 2)
        x[mine / 2] = strtod(argv[2], NULL); // as it comes from a broken file

    double bad = total((double)not_numbers(x, mine));
    double one = total(plain(x, mine)), other = total(compensated(x, mine));
    free(x);

    // [judge]
    double exact = (double)n / ((double)n + 1.0);
    double ulp = DBL_EPSILON / 2.0; // from one double to the next, between 0.5 and 1
    double error = fabs(other - exact) / ulp;
    volatile double edge = 0.1, tiny = DBL_MIN; // volatile: not to be computed by the compiler
    int right = bad == 0.0 && error <= 1.0 + size;
    // [/judge]
    if (rank == 0) {
        printf("sum: ranks %d, terms %ld, not a number: %.0f\n", size, n, bad);
        printf("plain        %.17f, error %.0f ULP\n", one, fabs(one - exact) / ulp);
        printf("compensated  %.17f, error %.0f ULP\n", other, error);
        printf("flat area    %g\n", area(edge, edge, edge, edge));
        printf("half of the smallest normal number is %s\n", tiny / 2.0 > 0.0 ? "kept" : "0");
        printf("%s\n", right ? "right" : "WRONG");
    }
    MPI_Finalize();
    return right ? 0 : 1;
}
