"""Purpose: ring.c in Python, with mpi4py: arrays of numpy go as fast as in C.

Run:     mpirun -n 4 python ring.py
Source:  see ring.c
"""

import sys

import numpy as np
from mpi4py import MPI

COMM = MPI.COMM_WORLD
RANK, SIZE = COMM.rank, COMM.size
RIGHT, LEFT = (RANK + 1) % SIZE, (RANK - 1) % SIZE


def pass_token() -> int:
    """One token goes round; each adds its number, counted from 1."""
    token = np.array([1], dtype=np.intc)
    if RANK == 0:
        COMM.Send(token, RIGHT, 0)
        COMM.Recv(token, LEFT, 0)
    else:
        COMM.Recv(token, LEFT, 0)
        token += RANK + 1
        COMM.Send(token, RIGHT, 0)
    return int(token[0])


# [ordered]
def pass_ordered(value: np.ndarray) -> np.ndarray:
    """Even ranks send first."""
    got = np.empty_like(value)
    if RANK % 2 == 0:
        COMM.Send(value, RIGHT, 1)
        COMM.Recv(got, LEFT, 1)
    else:
        COMM.Recv(got, LEFT, 1)
        COMM.Send(value, RIGHT, 1)
    return got


# [/ordered]


# [sendrecv]
def pass_sendrecv(value: object) -> object:
    """Send any object: the methods with a small letter pickle what they send."""
    return COMM.sendrecv(value, RIGHT, 2, source=LEFT, recvtag=2)


# [/sendrecv]


def main() -> int:
    """Pass messages round the ring in three ways; return what the program ends with."""
    if SIZE < 2:
        print("ring: needs 2 ranks or more", file=sys.stderr)
        return 2
    mine, must = RANK + 1, SIZE * (SIZE + 1) // 2
    token = pass_token()
    ordered, combined = mine, mine
    a, b = np.array([mine], dtype=np.intc), mine
    for _ in range(SIZE - 1):
        a = pass_ordered(a)
        b = pass_sendrecv(b)
        ordered += int(a[0])
        combined += b

    right = token == (must if RANK == 0 else mine * (mine + 1) // 2) and ordered == combined == must
    right = COMM.allreduce(right, MPI.LAND)
    if RANK == 0:
        print(f"token {token}, by Send and Recv {ordered}, by Sendrecv {combined}")
        print(f"ring: ranks {SIZE}: {'right' if right else 'WRONG'}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
