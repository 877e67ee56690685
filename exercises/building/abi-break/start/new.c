/*
 * Purpose: a user's program for release 1.1, as the release notes show it.
 * Run:     LD_LIBRARY_PATH=installed/lib ./new 50 0.7
 */
#include <plan.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    struct plan *plan = plan_new(argc > 1 ? atoi(argv[1]) : 50);
    if (plan == NULL)
        return 1;
    if (argc > 2)
        plan->diffusivity = atof(argv[2]);
    plan->length = 2.0;
    printf("new: steps = %ld until time = %g\n", plan_steps(plan), plan->time);
    plan_free(plan);
    return 0;
}
