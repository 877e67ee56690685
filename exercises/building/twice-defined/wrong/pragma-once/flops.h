#pragma once

// The floating-point operations of the whole program, counted by hand
long flops_total;

void flops_add(long operations) {
    flops_total += operations;
}

long flops_count(void) {
    return flops_total;
}
