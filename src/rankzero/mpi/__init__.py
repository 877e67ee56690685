"""MPI on this machine: which there is, ranks for a notebook, and C called on them."""
