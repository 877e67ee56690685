"""Runs on every rank: calls spread and collect with fields of the check, and counts the bytes that are pickled.

It leaves `said`, a list: for each case what is wrong on this rank, in words that check.py knows, or "".
"""

import pickle
import runpy
from typing import Any

import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
most = 0  # bytes of the largest pickle of a case


def count(value: Any, protocol: int | None = None) -> bytes:
    """Pickle, and remember how large that is."""
    global most
    data = pickle.dumps(value, protocol if protocol is not None else pickle.HIGHEST_PROTOCOL)
    most = max(most, len(data))
    return data


def wrong(what: str, yours: Any, wanted: np.ndarray) -> str:
    """Return what an array has not as it should be, "" when all is well."""
    if not isinstance(yours, np.ndarray):
        return f"type|{what} is a {type(yours).__name__}"
    if yours.dtype != wanted.dtype:
        return f"dtype|{what} has the type {yours.dtype} instead of {wanted.dtype}"
    if yours.shape != wanted.shape:
        return f"shape|{what} has the shape {yours.shape} instead of {wanted.shape}"
    places = np.argwhere(yours != wanted)
    if len(places):
        row, column = map(int, places[0])
        return (
            f"values|{what} holds {yours[row, column]} in row {row}, column {column} instead of {wanted[row, column]}"
        )
    return ""


def judge(name: str, comm: MPI.Comm, field: np.ndarray) -> str:
    """Spread a field, collect it without its first column, and return what is wrong."""
    global most
    where = f"({name}: {field.shape} on {comm.size} ranks)"
    most = 0
    block = functions["spread"](comm, field if comm.rank == 0 else None)
    in_spread, most = most, 0
    own = np.array_split(field, comm.size)[comm.rank]
    whole = functions["collect"](comm, own[:, 1:])
    fault = wrong(f"the block of rank {comm.rank}", block, own)
    if not fault and comm.rank == 0:
        fault = wrong("the field that is collected", whole, field[:, 1:])
    if not fault and comm.rank and whole is not None:
        fault = f"none|collect returns a {type(whole).__name__} on rank {comm.rank}"
    for function, size in (("spread", in_spread), ("collect", most)):
        if not fault and size > 2000:
            fault = f"pickled|{function}"
    return f"{fault} {where}" if fault else ""


functions = runpy.run_path("transfer.py")
MPI.pickle.__init__(count, pickle.loads)
some = world.Split(world.rank // 3)
grid = np.arange(103.0 * 40).reshape(103, 40)
said = [
    judge("double precision", world, grid),
    judge("single precision", world, (grid.reshape(40, 103) / 8).astype("f4")),
    judge("every third column", world, np.arange(61 * 600, dtype="i4").reshape(61, 600)[:, ::3]),
    judge("fewer rows than ranks", world, (np.arange(1200) * (1 - 2j)).astype("c8").reshape(2, 600)),
    judge("another communicator", some, (np.arange(50 * 70) % 9001).astype("i2").reshape(70, 50).T),
]
MPI.pickle.__init__()
