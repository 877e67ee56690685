/*
 * Purpose: reductions beyond sums: where the largest value is, an operation of one's own, and one whose operands
 *          must keep their order.
 * Run:     mpicc -o operations operations.c -lm && mpirun -n 4 ./operations
 * Source:  merging of variances: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing
 *          Sample Variances, Stanford report STAN-CS-79-773 (1979)
 */
#include "check.h"

#include <math.h>

enum { NUMBERS = 1000, PRIME = 10007 };

static int rank, size;

// [location]
static void where_is_the_largest(void) {
    struct {
        double value;
        int rank;
    } mine = {fabs(rank - size / 2 + 0.25), rank}, least, most;
    MPI_Allreduce(&mine, &least, 1, MPI_DOUBLE_INT, MPI_MINLOC, MPI_COMM_WORLD);
    MPI_Allreduce(&mine, &most, 1, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD);
    // [/location]
    for (int r = 0; r < size; r++) { // of equal values the lowest rank is told
        double value = fabs(r - size / 2 + 0.25);
        check(value > least.value || (value == least.value && r >= least.rank), "MINLOC");
        check(value < most.value || (value == most.value && r >= most.rank), "MAXLOC");
    }
    if (rank == 0)
        printf("least %.2f on rank %d, most %.2f on rank %d\n", least.value, least.rank, most.value,
               most.rank);
}

// [merge]
struct moments { // of some numbers: how many, their mean, the sum of (x - mean)^2
    double count, mean, m2;
};

static void merge(void *lower, void *higher, int *length, MPI_Datatype *type) {
    (void)type;
    const struct moments *a = lower;
    struct moments *b = higher;
    for (int i = 0; i < *length; i++) { // an operation works on arrays
        double count = a[i].count + b[i].count, apart = b[i].mean - a[i].mean;
        if (count == 0.0)
            continue;
        b[i].m2 += a[i].m2 + apart * apart * a[i].count * b[i].count / count;
        b[i].mean = a[i].mean + apart * b[i].count / count;
        b[i].count = count;
    }
}
// [/merge]

static void variance(void) {
    const double far = 1e9; // the numbers are 1e9 + 1, 1e9 + 2, ...
    struct moments mine = {0}, all;
    double squares = 0.0, sum = 0.0, n = (double)NUMBERS * size;
    for (int i = 0; i < NUMBERS; i++) {
        double x = far + 1.0 + rank + (double)i * size;
        struct moments one = {1.0, x, 0.0};
        merge(&one, &mine, &(int){1}, NULL);
        sum += x;
        squares += x * x;
    }
    // [operation]
    MPI_Datatype three;
    MPI_Op op;
    MPI_Type_contiguous(3, MPI_DOUBLE, &three);
    MPI_Type_commit(&three);
    MPI_Op_create(merge, 1, &op); // 1: the operands may change places
    MPI_Allreduce(&mine, &all, 1, three, op, MPI_COMM_WORLD);
    // [/operation]
    MPI_Op_free(&op);
    MPI_Type_free(&three);

    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &squares, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    double exact = (n * n - 1.0) / 12.0, naive = squares / n - sum / n * (sum / n);
    check(all.count == n && fabs(all.mean - far - (n + 1.0) / 2.0) < 1e-5, "count and mean");
    check(fabs(all.m2 / n - exact) < 1e-6 * exact, "the variance");
    if (rank == 0)
        printf("variance %.2f, must be %.2f; by the sum of squares it would %s\n", all.m2 / n,
               exact, fabs(naive - exact) < 1e-6 * exact ? "be too" : "not be");
}

// [order]
struct map { // x -> (factor x + term) modulo a prime. One after another: the order matters.
    int factor, term;
};

static void then(void *lower, void *higher, int *length, MPI_Datatype *type) { // lower ranks first
    (void)type;
    const struct map *first = lower;
    struct map *second = higher;
    for (int i = 0; i < *length; i++) {
        second[i].term = (second[i].factor * first[i].term + second[i].term) % PRIME;
        second[i].factor = second[i].factor * first[i].factor % PRIME;
    }
}
// [/order]

static struct map map_of(int r) {
    return (struct map){r + 2, 3 * r + 1};
}

static void in_order(void) {
    struct map mine = map_of(rank), upto, all;
    MPI_Op op;
    // [create]
    MPI_Op_create(then, 0, &op); // 0: the order of the ranks is kept
    MPI_Reduce(&mine, &all, 1, MPI_2INT, op, 0, MPI_COMM_WORLD);
    MPI_Scan(&mine, &upto, 1, MPI_2INT, op, MPI_COMM_WORLD);
    // [/create]
    MPI_Op_free(&op);
    int x = 5, backwards = 5;
    for (int r = 0; r < size; r++) {
        x = (map_of(r).factor * x + map_of(r).term) % PRIME;
        backwards = (map_of(size - 1 - r).factor * backwards + map_of(size - 1 - r).term) % PRIME;
        check(r != rank || (upto.factor * 5 + upto.term) % PRIME == x, "Scan in order");
    }
    check(rank != 0 || (all.factor * 5 + all.term) % PRIME == x, "Reduce in order");
    if (rank == 0)
        printf("5 through all ranks is %d, in order; %d backwards\n", x, backwards);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    rank = my_rank(MPI_COMM_WORLD);
    size = size_of(MPI_COMM_WORLD);
    where_is_the_largest();
    variance();
    in_order();
    return verdict("operations");
}
