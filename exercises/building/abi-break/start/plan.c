/*
 * Purpose: libplan, release 1.1: how many time steps the explicit method needs for a plate.
 * Source:  its limit of stability in two dimensions, a time step of width^2 / (4 diffusivity)
 */
#include "plan.h"

#include <math.h>
#include <stdlib.h>

struct plan *plan_new(int points) {
    struct plan *plan = malloc(sizeof *plan);
    if (plan != NULL)
        *plan = (struct plan){.points = points, .diffusivity = 1.0, .length = 1.0, .time = 0.1};
    return plan;
}

long plan_steps(const struct plan *plan) {
    double width = plan->length / (plan->points + 1);
    return (long)ceil(plan->time / (width * width / (4.0 * plan->diffusivity)));
}

void plan_free(struct plan *plan) {
    free(plan);
}
