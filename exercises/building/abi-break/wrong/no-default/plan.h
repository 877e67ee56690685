#ifndef PLAN_H
#define PLAN_H

// How a plate is computed
struct plan {
    int points;         // in each direction
    double length;      // of an edge
    double time;        // until which it is followed
    double diffusivity; // of the material; since release 1.1: new members come last
};

struct plan *plan_new(int points); // diffusivity 1, length 1, time 0.1; or NULL, without memory
long plan_steps(const struct plan *plan);
void plan_free(struct plan *plan);

#endif
