"""A hang is told from slowness: by what ranks call, as the preloaded counter sees it, and by where they stand."""

import contextlib
import os
import re
import subprocess
import sys
import time

import pytest

from rankzero import proc
from rankzero.mpi import preload, toolchain, watch
from rankzero.mpi.stacks import StacksTimeoutError
from rankzero.mpi.watch import Watch

LONG = watch.STILL + 3
"""Seconds that a slow program is slow for: longer than a hang needs to be seen."""

BEGIN = """\
#include <mpi.h>
#include <stdlib.h>
#include <unistd.h>
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void compute(double seconds) {
    for (double end = now() + seconds; now() < end;)
        ;
}
int main(int argc, char **argv) {
    int rank, size, one = 1, flag = 0, *data = calloc(1 << 20, sizeof *data);
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    (void)now, (void)compute, (void)one, (void)flag, (void)data, (void)request;
"""
END = """
    MPI_Finalize();
    return 0;
}
"""

HEAD_TO_HEAD = """
    MPI_Send(data, 1 << 20, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD);
    MPI_Recv(data, 1 << 20, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
"""
ONE_IS_MISSING = "if (rank != 2) MPI_Barrier(MPI_COMM_WORLD);"
ENDLESS_ASKING = """
    MPI_Irecv(data, 1, MPI_INT, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &request);
    if (rank == 0)
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    while (!flag)
        MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
"""
SLOW = {
    "one rank computes": f"if (rank == 0) compute({LONG}); MPI_Barrier(MPI_COMM_WORLD);",
    "one rank sleeps": f"if (rank == 0) sleep({LONG:.0f}); MPI_Bcast(data, 1, MPI_INT, 0, MPI_COMM_WORLD);",
    "all ranks talk": f"""
        for (double end = now() + {LONG}; one;) {{
            usleep(50000);
            one = now() < end;
            MPI_Allreduce(MPI_IN_PLACE, &one, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
        }}""",
    "ranks ask while one computes": f"""
        if (rank == 0)
            compute({watch.NO_PROGRESS + 2});
        MPI_Ibarrier(MPI_COMM_WORLD, &request);
        while (!flag)
            MPI_Test(&request, &flag, MPI_STATUS_IGNORE);""",
    "a reduction of the user's own takes long": """
        MPI_Op op;
        MPI_Op_create(slow, 1, &op);
        MPI_Allreduce(MPI_IN_PLACE, &one, 1, MPI_INT, op, MPI_COMM_WORLD);""",
}
SLOW_OPERATION = f"""
static void slow(void *a, void *b, int *n, MPI_Datatype *t) {{
    (void)a, (void)b, (void)n, (void)t;
    compute({LONG});
}}
"""

LOCKS = """\
#include <pthread.h>
#include <unistd.h>
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void *other(void *x) {
    pthread_mutex_lock(&second);
    if (SLEEP)
        sleep(SLEEP);
    else
        pthread_barrier_wait(&both);
    pthread_mutex_lock(&first);
    return x;
}
int main(void) {
    pthread_t thread;
    pthread_barrier_init(&both, NULL, 2);
    if (!SLEEP)
        pthread_mutex_lock(&first);
    pthread_create(&thread, NULL, other, NULL);
    if (!SLEEP)
        pthread_barrier_wait(&both);
    if (!SLEEP)
        pthread_mutex_lock(&second);
    pthread_join(thread, NULL);
    return 0;
}
"""

CALLS_C = """\
#include <mpi.h>
int main(int argc, char **argv) {
    int rank, flag = 0, value = 0;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Irecv(&value, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, &request);
    MPI_Send(&rank, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Iprobe(1 - rank, 9, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return MPI_Finalize() || value != 1;
}
"""
CALLS_MPIF = """\
      program p
      include 'mpif.h'
      integer ierr, rank, value, request
      logical flag
      call MPI_INIT(ierr)
      call MPI_COMM_RANK(MPI_COMM_WORLD, rank, ierr)
      call MPI_IRECV(value, 1, MPI_INTEGER, 1 - rank, 0,
     & MPI_COMM_WORLD, request, ierr)
      call MPI_SEND(rank, 1, MPI_INTEGER, 1 - rank, 0,
     & MPI_COMM_WORLD, ierr)
      call MPI_WAIT(request, MPI_STATUS_IGNORE, ierr)
      call MPI_IPROBE(1 - rank, 9, MPI_COMM_WORLD, flag,
     & MPI_STATUS_IGNORE, ierr)
      call MPI_ALLREDUCE(MPI_IN_PLACE, value, 1, MPI_INTEGER, MPI_SUM,
     & MPI_COMM_WORLD, ierr)
      call MPI_FINALIZE(ierr)
      if (value .ne. 1) stop 1
      end
"""
CALLS_F08 = """\
program p
  use mpi_f08
  implicit none
  integer :: rank, value
  logical :: flag
  type(MPI_Request) :: request
  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Irecv(value, 1, MPI_INTEGER, 1 - rank, 0, MPI_COMM_WORLD, request)
  call MPI_Send(rank, 1, MPI_INTEGER, 1 - rank, 0, MPI_COMM_WORLD)
  call MPI_Wait(request, MPI_STATUS_IGNORE)
  call MPI_Iprobe(1 - rank, 9, MPI_COMM_WORLD, flag, MPI_STATUS_IGNORE)
  call MPI_Allreduce(MPI_IN_PLACE, value, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
  call MPI_Finalize()
  if (value /= 1) stop 1
end program
"""
CALLS_PY = """\
from array import array
from mpi4py import MPI

comm, value, total = MPI.COMM_WORLD, array("i", [0]), array("i", [0])
request = comm.Irecv(value, 1 - comm.rank)
comm.Send(array("i", [comm.rank]), 1 - comm.rank)
request.Wait()
comm.Iprobe(1 - comm.rank, 9)
comm.Allreduce(value, total)
assert total[0] == 1
"""
CALLS = {"MPI_Irecv": 1, "MPI_Send": 1, "MPI_Wait": 1, "MPI_Iprobe": 1, "MPI_Allreduce": 1, "MPI_Finalize": 1}


@pytest.fixture(params=["Open MPI", "MPICH"])
def mpi(request):
    found = toolchain.find(request.param)
    if found is None:
        pytest.skip(f"there is no {request.param} here")
    return found


class Watched:
    """A program that runs, and what looks at it."""

    def __init__(self, supervisor, argv, mpi):
        self.folder = supervisor.run_dir.path / "calls"
        self.folder.mkdir()
        env = os.environ | toolchain.environment()
        env |= {"OMPI_MCA_btl": "self,vader", "OMPI_MCA_btl_vader_backing_directory": str(supervisor.run_dir.shm)}
        env["TMPDIR"] = str(supervisor.run_dir.path)
        env |= Watch.environment(self.folder, mpi, env)
        self.output = supervisor.run_dir.path / "output"
        self.supervisor = supervisor
        self.watch = Watch(supervisor.start("program", argv, env=env, stdout=self.output), self.folder)

    def hang(self, seconds=40):
        """Look until there is a hang, or the program has ended, or the time is up."""
        deadline = time.monotonic() + seconds
        found = None
        while found is None and self.supervisor.wait("program", 0.1) is None and time.monotonic() < deadline:
            found = self.watch.look()
        assert not self.watch.problem
        return found

    def succeeded(self):
        end = self.supervisor.wait("program", 60)
        assert end is not None
        assert end["returncode"] == 0, self.output.read_text()
        return True


@pytest.fixture
def supervisor():
    with proc.Supervisor() as made:
        yield made


def build(tmp_path, body, mpi, before=""):
    source = BEGIN.replace("int main", before + "int main").replace(
        "#include <unistd.h>", "#include <time.h>\n#include <unistd.h>"
    )
    (tmp_path / "program.c").write_text(source + body + END)
    return toolchain.compile_c(tmp_path / "program.c", tmp_path / "program", mpi=mpi)


def run(tmp_path, supervisor, body, mpi, ranks=4, wrapper=(), before=""):
    program = build(tmp_path, body, mpi, before)
    return Watched(supervisor, [*wrapper, mpi.mpirun, "-n", str(ranks), program], mpi)


# -- the counter ------------------------------------------------------------------------------------------------


def test_the_counter_passes_on_as_many_arguments_as_mpi_h_declares(tmp_path, mpi):
    (tmp_path / "mpi.c").write_text("#include <mpi.h>\n")
    header = proc.run(
        [mpi.mpicc, "-E", "-P", tmp_path / "mpi.c"], limits=proc.Limits(output=1 << 24), check=True
    ).stdout
    declared = {
        name: 0 if arguments.strip() == "void" else arguments.count(",") + 1
        for name, arguments in re.findall(r"\bint\s+MPI_(\w+)\s*\(([^()]*(?:\(\*\w*\)\([^()]*\)[^()]*)*)\)", header)
    }
    library = preload.library(watch.COUNTER, mpi.mpicc)
    symbols = proc.run(["nm", "-D", "--defined-only", library], check=True).stdout
    defined = set(re.findall(r" T MPI_(\w+)", symbols)) - {"Wtime"}
    counted = {
        name: int(count)
        for count, name in re.findall(r"\b(?:[BST]|LARGE\([BST]),? ?\(?(\d+), (\w+)", watch.COUNTER.read_text())
    }
    counted |= {f"{name}_c": count for name, count in counted.items()}
    assert len(defined) > 150
    assert defined <= declared.keys(), "a function that this MPI lacks must not seem to be there"
    assert {name: counted[name] for name in defined} == {name: declared[name] for name in defined}
    assert {f"P{line}" for line in re.findall(r" T P(MPI_\w+)", symbols)} == {f"PMPI_{n}" for n in defined | {"Wtime"}}


@pytest.mark.parametrize("language", ["C", "mpif.h", "mpi_f08", "mpi4py"])
def test_calls_are_seen_from_every_language(tmp_path, supervisor, mpi, language):
    if language == "mpi4py" and mpi != toolchain.course():
        pytest.skip("mpi4py uses the MPI of the course")
    source = {"C": CALLS_C, "mpif.h": CALLS_MPIF, "mpi_f08": CALLS_F08, "mpi4py": CALLS_PY}[language]
    path = tmp_path / f"calls{ {'C': '.c', 'mpif.h': '.f', 'mpi_f08': '.f90', 'mpi4py': '.py'}[language] }"
    path.write_text(source)
    program = [sys.executable, path] if language == "mpi4py" else [tmp_path / "calls"]
    if language != "mpi4py":
        compiler = mpi.mpicc if language == "C" else mpi.mpicc.replace("mpicc", "mpifort")
        proc.run([compiler, "-o", *program, path], check=True)
    watched = Watched(supervisor, [mpi.mpirun, "-n", "2", *program], mpi)
    assert watched.succeeded()
    calls = watch.counters(watched.folder)
    assert list(calls) == [0, 1]
    for rank, one in calls.items():
        by_name = {name: count for name, count in one.by_name.items() if not name.startswith("MPI_Init")}
        assert by_name == CALLS
        assert (one.rank, one.size, one.finalized, one.call, one.inside) == (rank, 2, True, "", 0)
        # Init, Send, Wait, Allreduce, Finalize; Irecv proves no progress, and Iprobe found nothing.
        assert (one.begun, one.ended, one.completions, one.asked) == (7, 7, 5, 1)


def test_a_program_without_mpi_is_not_touched_by_the_counter(supervisor):
    watched = Watched(supervisor, ["sh", "-c", "sh -c 'exit 0'; ls"], toolchain.course())
    assert watched.succeeded()
    assert [path.name for path in watched.folder.iterdir() if path.suffix != ".so"] == []


def test_a_library_is_compiled_once(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKZERO_HOME", str(tmp_path / "state"))
    (tmp_path / "a.c").write_text("int a(void) { return 1; }\n")
    made = preload.library(tmp_path / "a.c")
    before = made.stat().st_mtime_ns
    assert preload.library(tmp_path / "a.c") == made
    assert made.stat().st_mtime_ns == before
    (tmp_path / "a.c").write_text("int a(void) { return 2; }\n")
    assert preload.library(tmp_path / "a.c") != made
    assert {path.suffix for path in made.parent.iterdir()} == {".so"}


# -- hangs ------------------------------------------------------------------------------------------------------


def test_a_hang_is_seen_also_where_gdb_was_too_slow_at_first(tmp_path, supervisor, mpi, monkeypatch):
    times, real = [], watch.stacks.snapshots

    def slow_at_first(pids, count=2, *, seconds, **options):
        times.append(seconds)
        if len(times) == 1:
            raise StacksTimeoutError("gdb read no stack in time")
        taken = real(pids, count, seconds=seconds, **options)
        return [{rank: one for rank, one in each.items() if rank} for each in taken] if len(times) == 2 else taken

    monkeypatch.setattr(watch.stacks, "snapshots", slow_at_first)
    assert run(tmp_path, supervisor, HEAD_TO_HEAD, mpi).hang().kind == "deadlock"
    assert times == sorted(times)
    assert times[2] > times[1] > times[0]


def test_sends_that_wait_for_each_other_are_a_deadlock(tmp_path, supervisor, mpi):
    hang = run(tmp_path, supervisor, HEAD_TO_HEAD, mpi).hang()
    assert hang is not None
    assert hang.kind == "deadlock"
    line = hang.ranks[0].line
    assert hang.why == (
        f"ranks 0-3 wait in MPI_Send at program.c:{line} (main): a send that does not return until a receive is posted."
    )
    assert hang.text == f"ranks 0-3  main program.c:{line} > MPI_Send"


def test_a_rank_that_skips_a_barrier_is_named_also_from_outside_its_namespace(tmp_path, supervisor):
    wrapper = ["unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    hang = run(tmp_path, supervisor, ONE_IS_MISSING, toolchain.course(), wrapper=wrapper).hang()
    assert hang is not None
    assert [hang.ranks[rank].call for rank in range(4)] == ["MPI_Barrier", "MPI_Barrier", "MPI_Finalize", "MPI_Barrier"]
    assert "ranks 0-1, 3 wait in MPI_Barrier" in hang.why
    assert "rank 2 waits in MPI_Finalize" in hang.why


def test_what_an_earlier_run_has_counted_is_not_looked_at(tmp_path, supervisor, mpi):
    watched = run(tmp_path, supervisor, "", mpi, ranks=3)
    assert watched.succeeded()
    before = len(watch.counters(watched.folder))
    later = supervisor.start("later", ["sleep", "60"])
    assert (before, watch._files(watched.folder, Watch(later, watched.folder)._since)) == (3, {})


def test_asking_without_end_is_no_progress(tmp_path, supervisor):
    hang = run(tmp_path, supervisor, ENDLESS_ASKING, toolchain.course(), ranks=2).hang()
    assert hang is not None
    assert hang.kind == "no-progress"
    assert "rank 0 waits in MPI_Wait" in hang.why
    assert "rank 1 asks again and again, MPI_Test at program.c" in hang.why


def test_threads_that_wait_for_each_others_locks_are_a_deadlock(tmp_path, supervisor):
    (tmp_path / "locks.c").write_text(LOCKS)
    proc.run(["cc", "-g", "-pthread", "-DSLEEP=0", "-o", tmp_path / "locks", tmp_path / "locks.c"], check=True)
    hang = Watched(supervisor, ["sh", "-c", f"{tmp_path}/locks; true"], toolchain.course()).hang()
    assert hang is not None
    assert [(place.call, place.function) for place in hang.ranks.values()] == [
        ("pthread_mutex_lock", "main"),
        ("pthread_mutex_lock", "other"),
    ]


# -- slowness ---------------------------------------------------------------------------------------------------


def test_slow_programs_are_no_hang(tmp_path):
    mpi = toolchain.course()
    watched = {}
    with contextlib.ExitStack() as all_of_them:
        for number, (what, body) in enumerate(SLOW.items()):
            folder = tmp_path / str(number)
            folder.mkdir()
            supervisor = all_of_them.enter_context(proc.Supervisor())
            watched[what] = run(folder, supervisor, body, mpi, ranks=2, before=SLOW_OPERATION)
        (tmp_path / "locks.c").write_text(LOCKS)
        proc.run(["cc", "-pthread", f"-DSLEEP={LONG:.0f}", "-o", tmp_path / "locks", tmp_path / "locks.c"], check=True)
        watched["a thread sleeps"] = Watched(all_of_them.enter_context(proc.Supervisor()), [tmp_path / "locks"], mpi)
        hangs = {what: one.hang(0.2) for what, one in watched.items()}
        while any(one.supervisor.wait("program", 0) is None for one in watched.values()):
            hangs |= {what: one.hang(0.2) for what, one in watched.items() if hangs[what] is None}
        assert hangs == dict.fromkeys(watched)
        assert all(one.succeeded() for one in watched.values())


def test_a_program_whose_time_is_up_stands_somewhere(tmp_path, supervisor, mpi):
    watched = run(tmp_path, supervisor, "if (rank == 0) compute(60); MPI_Barrier(MPI_COMM_WORLD);", mpi, ranks=2)
    deadline = time.monotonic() + 20
    while "rank 1  main program.c" not in (said := watched.watch.where()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert re.search(r"^rank 0  main program\.c:\d+ > compute program\.c:\d+", said, re.MULTILINE)
    assert re.search(r"^rank 1  main program\.c:\d+ > MPI_Barrier$", said, re.MULTILINE)
    assert watched.watch.look() is None
