"""Holds when spread and collect move blocks of any type and shape rightly, and pickle none of their numbers."""

from rankzero.exercises.kinds.python import Bench

RANKS = 4
HINTS = {
    "not contiguous": "The numbers of a slice such as `field[:, ::3]` do not lie side by side, and MPI is given one "
    "address. `np.ascontiguousarray` copies them together where that is needed.",
    "MPI_ERR_TRUNCATE": "More came than the receiver had room for. Counts are in numbers, not in rows; and the block "
    "must have the type of the field on every rank, not only on rank 0.",
    "KeyError|invalid literal|not supported": "mpi4py finds the MPI type of an array by its `dtype`.",
    "message: (expecting|unexpected)|mismatch": "What mpi4py was given are a buffer and counts that do not fit "
    "together: a list is `[array, counts]`, with a count, in numbers, for each rank.",
    "NoneType": "Only rank 0 has the field. What the other ranks must know of it, its shape and its type, must come to "
    "them first: a few bytes, which may well be pickled by `comm.bcast`.",
    "had finished|were in|waits? in": "Each rank must call the same collective calls, in the same order.",
}
FAULTS = {
    "pickled": (
        "an array is pickled",
        "numbers go from buffer to buffer",
        "The methods with small letters pickle what they are given: the array is copied into a string of bytes, sent, "
        "and copied again. Those with capital letters, such as Scatterv and Gatherv, send the memory of the array. "
        "Both spread and collect need one of these.",
    ),
    "dtype": (
        "a block or the field has another type than it had",
        "the type of the field",
        "np.empty makes doubles unless it is told another type. Which rank knows the type of the field?",
    ),
    "shape": (
        "a block or the field has another shape than it should have",
        "rows as np.array_split shares them, and the columns of the field",
        "A buffer is only memory; its shape is yours to give. How many rows has this rank, and how many columns "
        "the field?",
    ),
    "values": (
        "a block or the field has wrong numbers",
        "the rows of the field, in order",
        "Counts and displacements are in numbers, not in rows, and each rank has its own. Were the numbers side by "
        "side in memory, row after row, when they were sent?",
    ),
    "type": (
        "what is returned is no array",
        "a NumPy array",
        "Each rank returns its block, of two dimensions.",
    ),
    "none": ("collect returns something on a rank other than 0", "None", "Only rank 0 has the whole field."),
}


def check(bench: Bench) -> None:
    bench.bring("judged.py")
    bench.file("transfer.py")
    said = bench.engines(RANKS, "judged.py", "said", limit=8.0, hints=HINTS)["said"]
    for case in zip(*said, strict=True):
        for text in filter(None, case):
            fault, _, place = text.partition("|")
            what, expected, hint = FAULTS[fault]
            bench.refuse(what, yours=place, expected=expected, hint=hint)
