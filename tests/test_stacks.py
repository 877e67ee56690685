"""Stacks of all ranks: who is which rank, where it stands, and that a process may live anywhere."""

import os
import shutil
import sys
import time

import pytest

from rankzero import proc
from rankzero.mpi import stacks, toolchain
from rankzero.mpi.stacks import Frame, Place

NAMESPACES = ["unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc"]

RING_C = """\
#include <mpi.h>
#include <stdlib.h>
static void exchange(int *b, int n, int to, int from) {
    MPI_Send(b, n, MPI_INT, to, 0, MPI_COMM_WORLD);
    MPI_Recv(b, n, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}
int main(int argc, char **argv) {
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int *b = calloc(1 << 20, sizeof *b);
    if (rank == 1)
        MPI_Barrier(MPI_COMM_WORLD);
    exchange(b, 1 << 20, (rank + 1) % size, (rank + size - 1) % size);
    MPI_Finalize();
    return 0;
}
"""
RING_TEXT = "ranks 0, 2-3  main ring.c:15 > exchange ring.c:4 > MPI_Send\nrank 1        main ring.c:14 > MPI_Barrier"

BARRIER_F08 = """\
program p
  use mpi_f08
  implicit none
  integer :: rank
  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  if (rank == 0) call MPI_Barrier(MPI_COMM_WORLD)
  call MPI_Recv(rank, 1, MPI_INTEGER, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
  call MPI_Finalize()
end program
"""

WAIT_PY = """\
from mpi4py import MPI

def wait(comm):
    comm.recv(source=comm.size - 1)

wait(MPI.COMM_WORLD)
"""

THREADS_C = """\
#include <pthread.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *other(void *x) {
    pthread_mutex_lock(&lock);
    return x;
}
int main(void) {
    pthread_t thread;
    pthread_mutex_lock(&lock);
    pthread_create(&thread, NULL, other, NULL);
    pause();
    return 0;
}
"""


@pytest.fixture(params=["Open MPI", "MPICH"])
def mpi(request):
    found = toolchain.find(request.param)
    if found is None:
        pytest.skip(f"there is no {request.param} here")
    return found


@pytest.fixture
def supervisor():
    with proc.Supervisor() as made:
        yield made


def build(tmp_path, name, source, compiler):
    (tmp_path / name).write_text(source)
    program = (tmp_path / name).with_suffix("")
    proc.run([compiler, "-g", "-O1", "-pthread", "-o", program, tmp_path / name], check=True)
    return program


def launch(supervisor, argv):
    env = os.environ | toolchain.environment()
    env |= {"OMPI_MCA_btl": "self,vader", "OMPI_MCA_btl_vader_backing_directory": str(supervisor.run_dir.shm)}
    env["TMPDIR"] = str(supervisor.run_dir.path)
    return supervisor.start("program", argv, env=env)


def poll(look, ready, seconds=20):
    """Look until what is seen is ready, and return it."""
    deadline = time.monotonic() + seconds
    while not ready(seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def where(pid, size):
    pids = poll(lambda: stacks.ranks_below(pid), lambda pids: len(pids) == size)
    return stacks.text(stacks.merge(stacks.take(pids, seconds=10)))


def needs_namespaces():
    if not shutil.which("unshare") or not proc.run([*NAMESPACES, "true"]).ok:
        pytest.skip("user namespaces are not allowed here")


def test_ranks_are_found_below_a_shell_and_merged(tmp_path, supervisor, mpi):
    program = build(tmp_path, "ring.c", RING_C, mpi.mpicc)
    pid = launch(supervisor, [mpi.mpirun, "-n", "4", "sh", "-c", f"{program}; true"])
    assert poll(lambda: where(pid, 4), lambda text: text == RING_TEXT) == RING_TEXT


def test_ranks_in_namespaces_of_their_own_are_seen_from_outside(tmp_path, supervisor):
    needs_namespaces()
    mpi = toolchain.course()
    program = build(tmp_path, "ring.c", RING_C, mpi.mpicc)
    pid = launch(supervisor, [*NAMESPACES, mpi.mpirun, "-n", "4", program])
    assert poll(lambda: where(pid, 4), lambda text: text == RING_TEXT) == RING_TEXT


def test_fortran_wrappers_are_shown_as_the_calls_that_they_are(tmp_path, supervisor, mpi):
    compiler = mpi.mpicc.replace("mpicc", "mpifort")
    program = build(tmp_path, "p.f90", BARRIER_F08, compiler)
    pid = launch(supervisor, [mpi.mpirun, "-n", "2", program])
    expected = "rank 0  p p.f90:7 > MPI_Barrier\nrank 1  p p.f90:8 > MPI_Recv"
    assert poll(lambda: where(pid, 2), lambda text: text == expected) == expected


def test_ranks_of_mpi4py_stand_at_lines_of_python(tmp_path, supervisor):
    (tmp_path / "wait.py").write_text(WAIT_PY)
    mpi = toolchain.course()
    pid = launch(supervisor, [mpi.mpirun, "-n", "2", sys.executable, tmp_path / "wait.py"])
    expected = "ranks 0, 1  <module> wait.py:6 > wait wait.py:4 > MPI_Mprobe"
    assert poll(lambda: where(pid, 2), lambda text: text == expected) == expected


def test_all_threads_are_there_the_main_one_first(tmp_path, supervisor):
    pid = launch(supervisor, [build(tmp_path, "threads.c", THREADS_C, "cc")])

    def places():
        return [(thread.main, str(Place.of(thread.stack))) for thread in stacks.take_threads({0: pid})[0]]

    expected = [(True, "pause at threads.c:12 (main)"), (False, "pthread_mutex_lock at threads.c:5 (other)")]
    assert poll(places, lambda seen: seen == expected) == expected


def test_a_process_that_has_ended_is_left_out():
    assert stacks.take({0: 2**22 + 1}) == {}


def test_a_missing_gdb_is_named_with_the_command_that_brings_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(stacks.StacksError, match="apt-get install gdb"):
        stacks.take({0: os.getpid()})


def test_another_debugger_is_named_as_what_forbids_it(supervisor):
    if not shutil.which("gdb"):
        pytest.skip("there is no gdb here")
    program = launch(supervisor, ["sleep", "60"])
    supervisor.start("gdb", ["gdb", "-nx", "-batch", "-p", str(program), "-ex", "shell exec sleep 60"])
    poll(lambda: stacks._read(f"/proc/{program}/status"), lambda text: b"TracerPid:\t0" not in text)
    with pytest.raises(stacks.StacksError, match="another debugger"):
        stacks.take({0: program})


@pytest.mark.parametrize(
    ("frame", "call"),
    [
        (Frame("PMPI_Send"), "MPI_Send"),
        (Frame("MPI_Comm_split"), "MPI_Comm_split"),
        (Frame("mpi_send_f08_", library="/lib/libmpi_usempif08.so.40"), "MPI_Send"),
        (Frame("pmpi_comm_split__", library="/lib/libmpi_mpifh.so.40"), "MPI_Comm_split"),
        (Frame("mpi_recv_f08ts_", library="/lib/libmpichfort.so.12"), "MPI_Recv"),
        (Frame("mpi_times_two_"), None),
        (Frame("MPIR_Wait_state", library="/lib/libmpich.so.12"), None),
    ],
)
def test_calls_of_mpi_are_known_by_their_names(frame, call):
    assert stacks.mpi_call(frame.function, frame.library) == call


def test_a_place_is_the_users_line_and_the_call_made_there():
    main = Frame("main", "/w/ring.c", 15)
    inner = (Frame("PMPI_Recv", library="/lib/libmpi.so.40"), Frame("opal_progress", library="/lib/libopen-pal.so.40"))
    start = Frame("__libc_start_main", library="/lib/libc.so.6")
    place = Place.of((start, main, *inner))
    assert (str(place), place.in_mpi) == ("MPI_Recv at ring.c:15 (main)", True)
    assert str(Place.of((start, main))) == "ring.c:15 (main)"
    assert str(Place.of((start, main, Frame("nanosleep", library="/lib/libc.so.6")))) == "nanosleep at ring.c:15 (main)"


def test_a_hundred_thousand_ranks_are_merged(summary):
    calls = [[Frame(f"level{depth}", "/w/deep.c", 10 * depth + odd) for depth in range(9)] for odd in range(2)]
    spin = [Frame("spin", "", number) for number in range(97)]
    ends = Frame("main", "/w/deep.c", 1), Frame("PMPI_Recv")
    made = {rank: (ends[0], *calls[rank // 1000 % 2], ends[1], spin[rank % 97]) for rank in range(100_000)}
    began = time.perf_counter()
    tree = stacks.merge(made)
    text = stacks.text(tree)
    summary(f"100,000 stacks merged in {time.perf_counter() - began:.2f} s")
    assert len(tree.ranks) == 100_000
    first, second = text.splitlines()
    assert first.startswith("ranks 0-999, 2000-2999, 4000-4999,")
    assert first.endswith("level8 deep.c:80 > MPI_Recv")
    assert second.endswith("level8 deep.c:81 > MPI_Recv")
