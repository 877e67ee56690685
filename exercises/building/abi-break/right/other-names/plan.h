#ifndef PLAN_H
#define PLAN_H

// How a plate is computed
struct plan {
    int points;         // in each direction
    double diffusivity; // of the material; since release 1.1
    double length;      // of an edge
    double time;        // until which it is followed
};

// Since release 1.1 these two have other names in the library. Under plan_new and plan_steps it keeps
// the functions of release 1.0, for programs that were compiled with its header.
#define plan_new plan_new_1_1
#define plan_steps plan_steps_1_1
struct plan *plan_new(int points); // diffusivity 1, length 1, time 0.1; or NULL, without memory
long plan_steps(const struct plan *plan);
void plan_free(struct plan *plan);

#endif
