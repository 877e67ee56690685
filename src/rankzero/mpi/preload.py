"""Preloadable C libraries, compiled once into the state folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from rankzero import places, proc


def into(folder: Path, source: Path, compiler: str = "cc") -> Path:
    """Put `library(source, compiler)` into a folder and return its path there.

    For LD_PRELOAD the path may hold neither a space nor a colon, as the state folder's may, and it must be there for
    the program that is shut in a sandbox: a run directory is both.
    """
    made = library(source, compiler)
    return Path(shutil.copy(made, folder / made.name))


def library(source: Path, compiler: str = "cc") -> Path:
    """Return the shared library made of one C file (and the headers beside it), for LD_PRELOAD; compiled once.

    `compiler` is `cc`, or an MPI's `mpicc` for a source that includes mpi.h: a library fits one MPI only. Libraries
    that the source does not need are not linked in, as a preloaded one comes into every process below.
    Raises proc.CommandFailedError with the compiler's words, proc.ProcError when there is no such compiler.
    """
    found = shutil.which(compiler)
    if found is None:
        raise proc.ProcError(f"{compiler}: no such program on this machine (`rankzero doctor` says what brings it)")
    # Another version of compiler or MPI is another file behind the name.
    stat = Path(found).stat()
    key = hashlib.sha256(source.read_bytes())
    for header in sorted(source.parent.glob("*.h")):
        key.update(header.read_bytes())
    key.update(f"{os.uname().machine} {found} {os.path.realpath(found)} {stat.st_size} {stat.st_mtime_ns}".encode())
    made = places.home() / "build" / f"{source.stem}-{key.hexdigest()[:12]}.so"
    if not made.exists():
        made.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=made.parent) as folder:
            partial = Path(folder) / made.name
            flags = ["-O2", "-shared", "-fPIC", "-Wl,--as-needed"]
            proc.run([found, *flags, "-o", partial, source, "-ldl"], check=True)
            partial.replace(made)
    return made
