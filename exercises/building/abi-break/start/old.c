/*
 * Purpose: a user's program, built last year with release 1.0 and not compiled again since.
 * Run:     LD_LIBRARY_PATH=installed/lib ./old 50 2
 */
#include <plan.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    struct plan *plan = plan_new(argc > 1 ? atoi(argv[1]) : 50);
    if (plan == NULL)
        return 1;
    if (argc > 2)
        plan->length = atof(argv[2]);
    printf("old: steps = %ld until time = %g\n", plan_steps(plan), plan->time);
    plan_free(plan);
    return 0;
}
