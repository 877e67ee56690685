"""Every exercise's check is right about every answer that is known; the engine names what goes wrong, in time."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rankzero import places, proc, sandbox
from rankzero.exercises import check, compiled, kinds, manifest, verdict
from rankzero.exercises.manifest import Exercise

ALL = manifest.everything()
CASES = [(exercise, variant) for exercise in ALL for variant in exercise.variants()]


# -- the exercises of the course ------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.name)
def test_an_exercise_is_as_the_house_wants_it(exercise):
    assert list(manifest.problems(exercise, kinds.everything())) == []


def test_names_are_unique_and_every_exercise_has_its_place_in_the_order():
    names = [one.name for one in ALL]
    assert len(names) == len(set(names))
    for topic in {one.topic for one in ALL}:
        order = (places.ROOT / "exercises" / topic / "order.txt").read_text().split()
        assert sorted(order) == sorted(one.name for one in ALL if one.topic == topic)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("exercise", "variant"), CASES, ids=[f"{one.chapter}_{one.name}-{v}" for one, v in CASES])
def test_a_check_is_right_about(exercise, variant):
    said = check.check(exercise, exercise.variants()[variant])
    if said.result == verdict.UNJUDGED:
        pytest.skip(said.what)
    wanted = exercise.expected(variant)
    if wanted:
        assert said.result == verdict.REFUSED, f"{variant} was accepted"
        assert wanted in said.as_text().replace("\n", " ") or wanted in said.as_text(), said.as_text()
        assert said.hint, f"no next step:\n{said.as_text()}"
        assert said.commands or "is not started" not in said.what
    else:
        assert said.passed, said.as_text()
        assert said.why
        assert said.try_next


# -- the vocabulary -----------------------------------------------------------------------------------------


def test_competencies_cover_the_job_with_verbs_at_two_levels():
    found = manifest.competencies()
    areas = {one.area for one in found.values()}
    wanted = {
        *("Linux", "Programming", "Compiling and linking", "Build systems", "MPI and parallel programming"),
        *("Debugging", "Profiling", "Spack and modules", "Containers", "CI/CD and automation", "Slurm"),
        *("Test suites for cluster health and performance", "Software services as a non-admin", "GPU programming"),
        "AI/ML toolkits",
    }
    assert areas == wanted
    assert {one.level for one in found.values()} == {1, 2}
    for one in found.values():
        assert one.outcome.split()[0][0].isupper(), one.outcome
        assert not one.outcome.endswith("."), one.outcome


# -- judging: a small exercise of each kind, right and wrong ------------------------------------------------------


def small(folder: Path, kind: str, judge: str, files: dict[str, str], **more) -> Exercise:
    """An exercise of one check and some files, which stand for the learner's."""
    name = more.pop("name", "small")
    root = folder / "exercises" / "topic" / name
    for place, text in {"check.py": judge, **{f"start/{name}": text for name, text in files.items()}}.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
    given = {"competencies": (), "minutes": 1, "open": tuple(files), "hints": ("one", "two"), "after": "why"}
    given |= {"try_next": "next", "start": "", "wrong": {}, "chapter": "99", "title": "Small"}
    return Exercise(name=name, topic="topic", folder=root, kind=kind, **(given | more))


def judged(exercise: Exercise, **options) -> verdict.Verdict:
    return check.check(exercise, [exercise.folder / "start"], **options)


MPI_PROGRAM = """\
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static char data[1 << 20];
int main(int argc, char **argv) {
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    BODY
    if (rank == 0) printf("size = %d\\n", size);
    MPI_Finalize();
    return data[0];
}
"""
MPI_CHECK = """
def check(bench):
    program = bench.compile("p.c", mpi={mpi!r})
    bench.expect("the size of the world", yours=bench.mpirun(4, program, mpi={mpi!r}).number("size"), expected=4)
"""
HEAD_TO_HEAD = """\
    MPI_Send(data, sizeof data, MPI_CHAR, rank ^ 1, 0, MPI_COMM_WORLD);
    MPI_Recv(data, sizeof data, MPI_CHAR, rank ^ 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);"""


def of_mpi(folder, body, mpi=True, **more):
    files = {"p.c": MPI_PROGRAM.replace("BODY", body)}
    return small(folder, "c", MPI_CHECK.format(mpi=mpi), files, **more)


def second_mpi():
    from rankzero.mpi import toolchain

    return pytest.param("MPICH", marks=pytest.mark.skipif(not toolchain.find("MPICH"), reason="MPICH is not here"))


@pytest.mark.parametrize("mpi", [True, second_mpi()])
def test_a_deadlock_is_told_within_six_seconds_with_who_waits_where(tmp_path, mpi, summary):
    began = time.monotonic()
    said = judged(of_mpi(tmp_path, HEAD_TO_HEAD, mpi, timeout=30.0))
    summary(
        f"exercises: a deadlock on 4 ranks of {'Open MPI' if mpi is True else mpi} is told after "
        f"{time.monotonic() - began:.1f} s"
    )
    assert said.result == verdict.REFUSED
    assert said.what.startswith("Deadlock: ranks 0-3 wait in MPI_Send at p.c:11")
    assert "MPI_Send" in said.yours


def test_a_slow_program_is_not_called_a_deadlock(tmp_path):
    slow = "for (volatile double x = 0; x < 1e12; x += 1) {}"
    said = judged(of_mpi(tmp_path, slow, timeout=4.0))
    assert "was still running after 4 s" in said.what
    assert "main p.c:11" in said.yours
    chatty = "for (int i = 0; i < 300; i++) { MPI_Barrier(MPI_COMM_WORLD); usleep(10000); }"
    assert judged(of_mpi(tmp_path, chatty, name="chatty", timeout=30.0)).passed


def test_a_crash_names_rank_and_line(tmp_path):
    said = judged(of_mpi(tmp_path, "if (rank == 2) *(volatile int *)8 = 1;\nMPI_Barrier(MPI_COMM_WORLD);"))
    assert said.what == "rank 2 was killed by SIGSEGV, in main at p.c:11"
    said = judged(of_mpi(tmp_path, "if (rank == 1) MPI_Abort(MPI_COMM_WORLD, 7);", name="aborts"))
    assert said.what == "rank 1 called MPI_Abort with code 7"
    said = judged(of_mpi(tmp_path, "if (rank == 3) exit(5);\nMPI_Barrier(MPI_COMM_WORLD);", name="exits"))
    assert said.what == "rank 3 ended with exit code 5"


SHELL_CHECK = "def check(bench):\n    bench.shell('run.sh')\n"
# What the learner's script does -> what the verdict must say.
BAD = {
    "while :; do :; done": "was still running after 2 s",
    "trap '' TERM\nwhile :; do sleep 0.1; done": "ignores SIGTERM",
    "b() { b | b & }\nb\nsleep 60": "a fork bomb",
    "yes": "endless output",
    "while :; do n=$((n + 1)); head -c 90000000 /dev/zero >f$n; done": "fills a disk or a quota",
    "dd if=/dev/zero of=big bs=1M count=900 2>/dev/null": "wrote a file of more than 300 MB",
    "setsid sleep 613 >/dev/null 2>&1 &": "left processes running: sleep 613",
    "kill -SEGV $$": "SIGSEGV (a segmentation fault",
    "exit 3": "ended with exit code 3",
    "no_such_command": "ended with exit code 127",
}


@pytest.mark.parametrize(
    "isolate",
    [True, False] if not sandbox.isolation() else [False],
    ids=["shut in", "not"][: 2 - bool(sandbox.isolation())],
)
@pytest.mark.parametrize("script", BAD, ids=BAD.values())
def test_each_way_to_misbehave_has_its_name_within_the_limit(tmp_path, script, isolate):
    exercise = small(tmp_path, "shell", SHELL_CHECK, {"run.sh": script + "\n"}, timeout=2.0)
    began = time.monotonic()
    said = judged(exercise, isolate=isolate)
    assert time.monotonic() - began < 2 + 2 + 1  # the limit, two seconds, and a busy machine
    assert said.result == verdict.REFUSED
    assert BAD[script] in said.what


def test_threads_that_lock_each_other_out_are_a_deadlock(tmp_path):
    program = """\
#include <pthread.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void *other(void *unused) {
    pthread_mutex_lock(&b);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&a);
    return unused;
}
int main(void) {
    pthread_t thread;
    pthread_barrier_init(&both, 0, 2);
    pthread_create(&thread, 0, other, 0);
    pthread_mutex_lock(&a);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&b);
    return pthread_join(thread, 0);
}
"""
    judge = "def check(bench):\n    bench.run(bench.compile('t.c', mpi=False, flags=('-g', '-pthread')))\n"
    said = judged(small(tmp_path, "c", judge, {"t.c": program}, timeout=20.0))
    assert said.what.startswith("Deadlock: all 2 threads wait for each other")


def test_a_program_that_does_not_compile_shows_the_first_error(tmp_path):
    judge = "def check(bench):\n    bench.compile('p.c', mpi=False, hints={'undeclared': 'Declare it.'})\n"
    said = judged(small(tmp_path, "c", judge, {"p.c": "int main(void) { return x; }\n"}))
    assert said.what == "it does not compile"
    assert "'x' undeclared" in said.yours.replace("\u2018", "'").replace("\u2019", "'")
    assert said.hint == "Declare it."
    judge = "def check(bench):\n    bench.compile('p.c', mpi=False)\n"
    said = judged(small(tmp_path, "c", judge, {"p.c": "int f(void);\nint main(void) { return f(); }\n"}, name="links"))
    assert said.what == "it compiles, and does not link"


def test_the_error_that_is_shown_is_a_whole_message_and_the_one_that_the_hint_is_about():
    text = (
        "gcc -c p.c\n"
        "In file included from p.c:1:\np.h:3:5: warning: unused\n    3 | int x;\n"
        "p.c:4:9: error: first\n    4 |   y = 1;\n      |   ^\n"
        "p.c:5:1: error: second, the cause\n    5 | }\n"
        "make: *** [Makefile:2: p.o] Error 1\n"
    )
    assert compiled.first_error(text) == "p.c:4:9: error: first\n    4 |   y = 1;\n      |   ^"
    assert compiled.first_error(text, {"cause": "…"}) == "p.c:5:1: error: second, the cause\n    5 | }"
    assert compiled.first_error("sorry\n") == "sorry"
    linker = "".join(f"/usr/bin/ld: a.o: in function `f{n}':\na.c:{n}: undefined reference to `g'\n" for n in range(5))
    shown = compiled.first_error(linker)
    assert shown.startswith("/usr/bin/ld: a.o: in function `f0'")
    assert shown.endswith("…")


CXX = '#include <iostream>\nint main() { std::cout << "sum = " << 1 + 2 << "\\n"; }\n'
FORTRAN = "program p\n  use mpi_f08\n  call MPI_Init()\n  print *, 'sum = ', 3\n  call MPI_Finalize()\nend program\n"


def test_cxx_and_fortran_are_compiled_by_their_own(tmp_path):
    judge = (
        "def check(bench):\n    run = bench.run(bench.compile('p.cpp', mpi=False))\n"
        "    bench.expect('sum', yours=run.number('sum'), expected=3)\n"
    )
    said = judged(small(tmp_path, "cxx", judge, {"p.cpp": CXX}))
    assert said.passed, said.as_text()
    judge = (
        "def check(bench):\n    run = bench.mpirun(1, bench.compile('p.f90'))\n"
        "    bench.expect('sum', yours=run.number('sum'), expected=4)\n"
    )
    said = judged(small(tmp_path, "fortran", judge, {"p.f90": FORTRAN}, name="f"))
    assert (said.what, said.yours, said.expected) == ("sum is not right", "3", "4")


ON_ENGINES = "from mpi4py import MPI\n\ncomm = MPI.COMM_WORLD\ntotal = comm.allreduce(comm.rank)\n"
ENGINES_CHECK = """
def check(bench):
    total = bench.engines(3, "cell.py", "total")["total"]
    bench.expect("sums", yours=total, expected=[3, 3, 3])
"""


def test_python_runs_on_engines(tmp_path):
    said = judged(small(tmp_path, "python", ENGINES_CHECK, {"cell.py": ON_ENGINES}))
    assert said.passed, said.as_text()
    wrong = "if comm.rank == 0:\n    comm.recv(source=1)\n"
    said = judged(small(tmp_path, "python", ENGINES_CHECK, {"cell.py": ON_ENGINES + wrong}, name="hangs"))
    assert said.result == verdict.REFUSED
    assert "recv" in said.yours
    said = judged(small(tmp_path, "python", ENGINES_CHECK, {"cell.py": "raise ValueError('no')\n"}, name="raises"))
    assert "ValueError: no" in said.yours


KERNEL = """\
import numpy as np
from numba import cuda


@cuda.jit
def double(values):
    i = cuda.grid(1)
    if i < values.size:
        values[i] *= 2


values = np.arange(5)
double[2, 4](values)
print("sum =", values.sum())
"""


def test_cuda_kernels_run_on_the_simulator(tmp_path):
    judge = "def check(bench):\n    bench.expect('sum', yours=bench.python('kernel.py').number('sum'), expected=20)\n"
    said = judged(small(tmp_path, "cuda", judge, {"kernel.py": KERNEL}, timeout=30.0))
    assert said.passed, said.as_text()
    said = judged(
        small(
            tmp_path,
            "cuda",
            judge,
            {"kernel.py": KERNEL.replace("    if i < values.size:\n    ", "")},
            name="edge",
            timeout=30.0,
        )
    )
    assert "IndexError" in said.output


def test_a_statement_is_compared_with_what_is_true_here(tmp_path):
    judge = "def check(bench):\n    bench.expect('the rank', yours=bench.answer('rank'), expected=3)\n"
    for text, what in (
        ('rank = ""\n', "does not say `rank` yet"),
        ("rank = \n", "cannot be read"),
        ("rank = 2\n", "the rank is not right"),
    ):
        said = judged(small(tmp_path, "diagnose", judge, {"answer.toml": text}))
        assert what in said.what
    assert judged(small(tmp_path, "diagnose", judge, {"answer.toml": "rank = 3\n"})).passed


# -- what a verdict is ----------------------------------------------------------------------------------------


def test_a_verdict_as_json_has_every_part_and_shows_the_exact_commands(tmp_path):
    said = judged(
        small(
            tmp_path,
            "shell",
            "def check(bench):\n    bench.run('sh', 'run.sh', 'a b', env={'X': '1'})\n",
            {"run.sh": "exit 4\n"},
        )
    )
    data = json.loads(json.dumps(said.as_json()))
    assert set(data) == {
        *("exercise", "title", "result", "what", "yours", "expected", "hint", "commands", "output", "notes"),
        *("why", "try_next", "seconds"),
    }
    assert [one["command"] for one in data["commands"]] == ["X=1 sh run.sh 'a b'"]
    assert data["commands"][0]["ended"] == "exit code 4"


def test_a_verdict_as_html_is_escaped_and_says_the_same(tmp_path):
    judge = "def check(bench):\n    bench.expect('the tag', yours='<b>', expected='&', hint='Look at `<i>`.')\n"
    page = judged(small(tmp_path, "shell", judge, {"run.sh": ""}))._repr_html_()
    assert "<b>" not in page
    for part in ("&lt;b&gt;", "&amp;", "<code>&lt;i&gt;</code>", "the tag is not right", "yours", "expected"):
        assert part in page


def test_paths_of_the_sandbox_and_addresses_do_not_show(tmp_path):
    script = "pwd; echo 0x7f0123456789 pid 4242; echo $TMPDIR; exit 1"
    said = judged(small(tmp_path, "shell", SHELL_CHECK, {"run.sh": script}))
    assert "/tmp/rz-" not in said.as_text()
    assert "0x7f0123456789" not in said.as_text()
    assert "4242" not in said.as_text()


def test_what_is_given_is_put_back_and_said(tmp_path):
    judge = "def check(bench):\n    bench.expect('test', yours=bench.run('cat', 'test').stdout, expected='true\\n')\n"
    exercise = small(tmp_path, "shell", judge, {"run.sh": "", "test": "true\n"}, given=("test",))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "test").write_text("false\n")
    said = check.check(exercise, [mine])
    assert said.passed
    assert said.notes == ("your change of test, which is given: the check uses the one of the start",)
    assert (mine / "test").read_text() == "false\n", "the learner's file stays"


def test_a_tool_that_is_missing_is_no_fault_of_the_learner(tmp_path, monkeypatch):
    judge = "def check(bench):\n    bench.need('cmake-of-the-future')\n"
    said = judged(small(tmp_path, "shell", judge, {"run.sh": ""}))
    assert said.result == verdict.UNJUDGED
    assert "cmake-of-the-future is not on this machine" in said.what
    assert said.exit_code == 2


def test_the_learners_files_stay_whatever_the_program_does(tmp_path):
    exercise = small(tmp_path, "shell", SHELL_CHECK, {"run.sh": "rm -rf -- * .??*\n", "b": "b\n"})
    judged(exercise)
    assert sorted(path.name for path in (exercise.folder / "start").iterdir()) == ["b", "run.sh"]


def test_a_learners_folder_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(check, "MOST", 10)
    said = judged(small(tmp_path, "shell", SHELL_CHECK, {"run.sh": "echo twelve bytes\n"}))
    assert said.result == verdict.REFUSED
    assert "MB" in said.what


# -- what is wrong with an exercise's folder ----------------------------------------------------------------------


def test_faults_of_an_exercise_are_said(tmp_path):
    exercise = small(tmp_path, "shell", "", {"run.sh": ""}, wrong={"ghost": "x"}, competencies=("no.such",))
    (exercise.folder / "notes.txt").write_text("")
    found = " | ".join(manifest.problems(replace(exercise, hints=("short",), kind="cobol"), kinds.everything()))
    for fault in (
        *("stray: notes.txt", "no README.md", "no solution", "kind cobol", "has no no.such", "fewer than two hints"),
        *("hint 1 has 1 words", "wrong/ghost is only in [wrong]", "0 wrong answers"),
    ):
        assert fault in found


def test_an_unknown_name_is_answered_with_one_that_is_near():
    with pytest.raises(manifest.ExerciseError, match="Did you mean link-order"):
        manifest.find("linkorder")


@pytest.mark.smoke
def test_an_exercise_is_judged_as_this_user():
    """As root too: the gate's smoke."""
    exercise = manifest.find("link-order")
    assert check.check(exercise, exercise.variants()["solution"]).passed
    assert check.check(exercise, exercise.variants()["start"]).result == verdict.REFUSED
    assert os.geteuid() == 0 or proc.run(["id", "-u"]).stdout.strip() == str(os.geteuid())
