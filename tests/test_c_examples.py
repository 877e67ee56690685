"""The programs of the lessons build without a warning, with both MPIs, and are right on 1 to 4 ranks.

Those of c_examples/heat are a package too: built by make and by CMake, installed, and used by others. All is done in
a copy, in a folder with a space in its name.
"""

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rankzero import places, proc
from rankzero.mpi import toolchain

PAIRS = ("pingpong", "eager", "loggp", "headon")  # programs for 2 ranks
FRONTS = ("heat_c", "heat_cpp", "heat_f90")
NUMBER = r"\d\.\d{9}E[+-]\d\d"
INHERITED = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "LD_LIBRARY_PATH", "CC", "CXX", "FC", "CFLAGS", "CXXFLAGS", "FFLAGS")

USER = """#include <heat.h>
#include <stdio.h>
int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    heat *h = heat_create(MPI_COMM_WORLD, 20);
    heat_step(h, 10);
    int right = heat_error(h) <= heat_bound(h);
    heat_free(h);
    if (rank == 0) printf("%d ranks: %s\\n", size, right ? "right" : "wrong");
    MPI_Finalize();
    return !right;
}
"""
USER_CMAKE = """cmake_minimum_required(VERSION 3.21)
project(user LANGUAGES C CXX)
find_package(heat 1.0 REQUIRED)
add_executable(user user.cpp)
target_link_libraries(user heat::heat)
"""


@dataclass(frozen=True)
class Lab:
    """A copy of c_examples and what it is built with; `suffix` is what the MPI's commands end in, as in mpicc.mpich."""

    mpi: toolchain.Mpi
    root: Path

    @property
    def suffix(self):
        return Path(self.mpi.mpicc).name.removeprefix("mpicc")

    @property
    def programs(self):
        return self.root / "build/c"

    @property
    def heat(self):
        return self.root / "c_examples/heat"

    @property
    def heat_settings(self):
        """What heat's own Makefile was told when all was built."""
        return (f"MPI={self.suffix}", "BUILD=../../build/c/heat")

    def try_run(self, *argv, cwd=None, **variables):
        env = {name: value for name, value in os.environ.items() if name not in INHERITED} | toolchain.environment()
        env["PATH"] = f"{Path(self.mpi.mpicc).parent}:{env['PATH']}"
        return proc.run(argv, cwd=cwd or self.root, env=env | {"LC_ALL": "C"} | variables, limits=proc.Limits(wall=90))

    def run(self, *argv, cwd=None, **variables):
        result = self.try_run(*argv, cwd=cwd, **variables)
        assert result.ok, f"{result.describe()}: {result.command}\n{result.stdout}\n{result.stderr}"
        return result

    def make(self, *words):
        return self.run("make", "-j2", "-C", self.root / "c_examples", f"MPI={self.suffix}", *words)

    def mpirun(self, ranks, *argv, **variables):
        return self.run(self.mpi.mpirun, "-n", str(ranks), *argv, **variables)

    def of_mpi(self, program):
        """A program of the chapter on MPI."""
        return self.programs / "mpi/bin" / program


def other(mpi):
    """The MPI that is not this one; None where there is none."""
    return toolchain.find("MPICH" if mpi.name == "Open MPI" else "Open MPI")


@pytest.fixture(scope="module", params=["Open MPI", "MPICH"])
def copied(request, tmp_path_factory):
    mpi = toolchain.find(request.param)
    if mpi is None:
        pytest.skip(f"no {request.param} on this machine: apt.txt names the package")
    lab = Lab(mpi, tmp_path_factory.mktemp("c_examples") / "with space")
    for language in ("mpicxx", "mpifort"):
        wrapper = Path(mpi.mpicc).with_name(language + lab.suffix)
        if not wrapper.exists() or not lab.try_run(wrapper, "--version", cwd=Path("/")).ok:
            pytest.skip(f"{wrapper.name} of {mpi.name} does not work on this machine: apt.txt names the packages")
    shutil.copytree(places.ROOT / "c_examples", lab.root / "c_examples", ignore=shutil.ignore_patterns("build"))
    return lab


@pytest.fixture(scope="module")
def made(copied):
    """All programs, built by make."""
    result = copied.make()
    assert "warning" not in result.stdout + result.stderr
    return copied


def heat_alone(folder):
    """A copy of heat, for the course's own MPI."""
    mpi = toolchain.course()
    if mpi is None:
        pytest.skip("no MPI on this machine: apt.txt names the packages")
    lab = Lab(mpi, folder / "with space")
    shutil.copytree(places.ROOT / "c_examples/heat", lab.heat, ignore=shutil.ignore_patterns("build"))
    return lab


def single_programs():
    """The programs of one file: those of topics without a Makefile of their own."""
    sources = (places.ROOT / "c_examples").glob("*/*.c")
    return sorted(f"{path.parent.name}/{path.stem}" for path in sources if not (path.parent / "Makefile").exists())


def mpi_programs():
    """The programs of the chapter on MPI, as they are called when built."""
    return [*sorted(path.stem for path in (places.ROOT / "c_examples/mpi").glob("*.c")), "ring_cpp", "ring_f90"]


@pytest.mark.parametrize("program", single_programs())
def test_a_program_finds_itself_right_on_1_to_3_ranks(made, program):
    for ranks in (1, 2, 3):
        made.mpirun(ranks, made.programs / program)


def test_make_check_runs_all_on_4_ranks_and_the_fronts_of_heat_agree_to_the_last_digit_on_1_to_4(made):
    said = made.make("check", "CHECKED=ring halo").stdout
    assert re.findall("-n 4 mpi/bin/(.*)", said) == ["ring", "halo"]
    assert all(f"-n 4 ../build/c/{program}" in said for program in single_programs())
    results = (made.programs / "heat/results").read_text().splitlines()
    assert len(results) == len(FRONTS) * 4
    assert len(set(results)) == 1, results
    assert re.fullmatch(rf"heat: sum {NUMBER}, error {NUMBER}, bound {NUMBER}: within the bound", results[0])


def test_make_check_finds_out_a_launcher_of_another_mpi(made):
    wrong = other(made.mpi)
    if wrong is None:
        pytest.skip("only one MPI on this machine: apt.txt names the packages")
    result = made.try_run("make", "-C", made.heat, *made.heat_settings, f"MPIRUN={wrong.mpirun}", "check")
    assert not result.ok
    assert "-n 2 heat_c: not right" in result.stdout  # a rank alone would do with either


@pytest.mark.parametrize("copied", ["MPICH"], indirect=True)
def test_the_fronts_of_heat_refuse_what_they_cannot_do(made):
    for front in FRONTS:
        program = made.programs / "heat/bin" / front
        for words in (("0", "1"), ("20", "-1"), ("20", "1x")):
            assert_is_refused(made.try_run(program, *words))
    assert_is_refused(made.try_run(made.mpi.mpirun, "-n", "4", made.programs / "heat/bin/heat_c", "3", "1"))


def assert_is_refused(result):
    assert result.returncode == 2, result.command
    assert "at least the number of ranks" in result.stderr
    assert "within" not in result.stdout  # MPICH's launcher says how they ended


@pytest.mark.parametrize("program", mpi_programs())
def test_a_program_on_mpi_finds_itself_right(made, program):
    ranks = 4 if made.mpi.name == "Open MPI" else 3  # MPICH's ranks do not give way where cores are few
    said = made.mpirun(2 if program in PAIRS else ranks, made.of_mpi(program)).stdout
    assert re.search(r"^\w+: .*: (right|within the bound)$", said, re.MULTILINE)


def test_the_ring_says_the_same_in_all_languages(made):
    rings = [[made.of_mpi(name)] for name in ("ring", "ring_cpp", "ring_f90")]
    if toolchain.course() == made.mpi:  # the one that mpi4py uses
        rings.append([sys.executable, made.root / "c_examples/mpi/ring.py"])
    said = {made.mpirun(3, *ring).stdout for ring in rings}
    assert said == {"token 6, by Send and Recv 6, by Sendrecv 6\nring: ranks 3: right\n"}


@pytest.mark.parametrize("copied", ["Open MPI"], indirect=True)
def test_the_eager_limit_follows_what_open_mpi_is_told(made):
    found = []
    for limit in ("4096", "8192"):
        told = {f"OMPI_MCA_btl_{name}_eager_limit": limit for name in ("vader", "sm")}  # Open MPI 4, and 5
        said = made.mpirun(2, made.of_mpi("eager"), **told).stdout
        found.append(int(re.match(r"a message of (\d+) bytes completes alone, one of \d+ does not\n", said)[1]))
    assert found[1] - found[0] == 4096


def test_heat2d_goes_on_from_a_checkpoint_on_any_number_of_ranks_bit_by_bit(made, tmp_path):
    heat2d, half, whole, resumed = made.of_mpi("heat2d"), tmp_path / "half", tmp_path / "whole", tmp_path / "resumed"
    made.mpirun(4, heat2d, "31", "10", "--write", half)
    must = made.mpirun(2, heat2d, "31", "25", "--write", whole).stdout.splitlines()[1]
    assert must.replace("heat2d", "heat") in made.run(made.programs / "heat/bin/heat_c", "31", "25").stdout
    for ranks in (3, 2, 1):
        said = made.mpirun(ranks, heat2d, "31", "15", "--read", half, "--write", resumed).stdout
        assert said.splitlines()[1] == must
        assert resumed.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half", "resumed", "whole"]


@pytest.mark.parametrize("copied", ["MPICH"], indirect=True)
def test_heat2d_refuses_a_checkpoint_of_another_size_or_cut_off(made, tmp_path):
    heat2d, file = made.of_mpi("heat2d"), tmp_path / "file"
    made.run(heat2d, "9", "2", "--write", file)
    assert made.try_run(heat2d, "8", "2", "--read", file).returncode == 2
    file.write_bytes(file.read_bytes()[:-8])
    result = made.try_run(heat2d, "9", "2", "--read", file)
    assert result.returncode == 2
    assert "not whole" in result.stderr


@pytest.mark.parametrize("copied", ["MPICH"], indirect=True)
def test_a_program_says_how_many_ranks_it_needs(made):
    for ranks, program in ((3, "pingpong"), (1, "eager"), (3, "loggp"), (1, "ring"), (1, "ring_cpp"), (1, "ring_f90")):
        result = made.try_run(made.mpi.mpirun, "-n", str(ranks), made.of_mpi(program))
        assert result.returncode == 2, program
        assert "needs 2 ranks" in result.stderr


def test_threads_tells_each_level_that_is_given(made):
    order = ["single", "funneled", "serialized", "multiple"]
    for level in order:
        asked, given = re.match(
            r"asked for (\w+), given (\w+)\n", made.mpirun(2, made.of_mpi("threads"), level).stdout
        ).groups()
        assert asked == level
        assert order.index(given) >= order.index(asked)


@pytest.mark.parametrize("copied", ["Open MPI"], indirect=True)
@pytest.mark.parametrize(
    ("program", "words", "rows", "columns"),
    [
        ("pingpong", ("8", "4096"), 2, 4),
        ("memory", ("64", "65536"), 2, 4),
        ("allreduce", ("ring", "8", "4096"), 2, 4),
        ("overlap", ("0.1",), 1, 6),
    ],
)
def test_timings_are_columns_of_numbers(made, program, words, rows, columns):
    lines = made.mpirun(2, made.of_mpi(program), *words).stdout.splitlines()
    assert lines[-1] == f"# {program}: ranks 2: right"
    table = [[float(number) for number in line.split()] for line in lines if not line.startswith("#")]
    assert [len(row) for row in table] == [columns] * rows
    assert all(number > 0 for row in table for number in row)


@pytest.mark.parametrize("copied", ["Open MPI"], indirect=True)
@pytest.mark.parametrize(
    ("program", "was", "becomes"),
    [
        ("ring", "token += rank + 1;", "token += rank;"),
        ("halo", "&a[1][0], &a[1][COLUMNS + 1]}", "&a[1][COLUMNS + 1], &a[1][0]}"),
        ("operations", "a[i].m2 + apart", "a[i].m2 - apart"),
        ("fileview", "begin[2] = {0, from}", "begin[2] = {0, 0}"),
        ("persistent", "MPI_Recv_init(&cells[0],", "MPI_Recv_init(&cells[1],"),
        ("heat2d", "here[j - 1] + here[j + 1]", "here[j - 1] + here[j]"),
    ],
)
def test_a_program_on_mpi_finds_its_own_mistake(made, tmp_path, program, was, becomes):
    folder = made.root / "c_examples/mpi"
    text = (folder / f"{program}.c").read_text()
    assert text.count(was) == 1
    (tmp_path / "mistake.c").write_text(text.replace(was, becomes))
    mistake = tmp_path / "mistake"
    made.run(made.mpi.mpicc, f"-I{folder}", "-o", mistake, tmp_path / "mistake.c", "-lm")
    result = made.try_run(made.mpi.mpirun, "-n", "4", mistake)
    assert result.returncode == 1
    assert result.stdout.endswith("WRONG\n")


@pytest.mark.parametrize("copied", ["Open MPI"], indirect=True)
def test_make_builds_nothing_twice_and_compiles_again_what_includes_a_changed_header(made):
    assert made.try_run("make", "-q", "-C", made.heat, *made.heat_settings).ok
    again = made.run("make", "-n", "-W", "heat.h", "-C", made.heat, *made.heat_settings).stdout
    assert re.findall(r" -c -o \S+ (\S+)", again) == ["heat.c", "heat_main.c", "heat_main.cpp"]


@pytest.mark.parametrize("copied", ["Open MPI"], indirect=True)
def test_make_installs_a_tree_that_can_be_moved(made, tmp_path):
    staging, moved = tmp_path / "a staging folder", tmp_path / "moved to"
    made.run("make", "-C", made.heat, *made.heat_settings, f"DESTDIR={staging}", "PREFIX=/opt/heat 1", "install")
    (staging / "opt/heat 1").rename(moved)
    assert_is_installed(made, moved)
    use_by_pkg_config(made, moved, tmp_path)

    static = tmp_path / "static"
    made.run(made.mpi.mpicc, "-o", static, f"-I{moved}/include", tmp_path / "user.c", moved / "lib/libheat.a", "-lm")
    shutil.rmtree(moved)
    assert made.run(static).stdout == "1 ranks: right\n"


def test_cmake_builds_tests_installs_and_others_find_what_it_installed(copied, tmp_path):
    build, prefix, moved = (tmp_path / name for name in ("a build", "a prefix", "moved to"))
    preset = "mpich" if copied.suffix == ".mpich" else "release"
    strict = "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"
    copied.run("cmake", "--preset", preset, "-B", build, strict, cwd=copied.heat)
    copied.run("cmake", "--build", build, "-j2")
    said = copied.run("ctest", "--test-dir", build, "-j2", "-R", "_3$").stdout
    assert "100% tests passed, 0 tests failed out of 3" in said
    copied.run("cmake", "--install", build, "--prefix", prefix)
    shutil.rmtree(build)
    prefix.rename(moved)
    assert_is_installed(copied, moved)
    use_by_pkg_config(copied, moved, tmp_path)
    use_by_cmake(copied, moved, tmp_path / "a user")
    assert not list(copied.heat.glob("**/CMakeCache.txt"))


def use_by_cmake(lab, prefix, folder):
    """Build and run somebody's C++ program that knows the package's name and nothing about MPI."""
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(USER_CMAKE)
    (folder / "user.cpp").write_text(USER)
    lab.run("cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    lab.run("cmake", "--build", folder / "build")
    assert lab.mpirun(2, folder / "build/user").stdout == "2 ranks: right\n"


def use_by_pkg_config(lab, prefix, folder):
    """Build and run somebody's C program with what pkg-config says."""
    path = {"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    flags = shlex.split(lab.run("pkg-config", "--cflags", "--libs", "heat >= 1.0", **path).stdout)
    mpicc = lab.run("pkg-config", "--variable=mpicc", "heat", **path).stdout.strip()
    (folder / "user.c").write_text(USER)
    lab.run(mpicc, "-o", folder / "user", folder / "user.c", *flags, f"-Wl,-rpath,{prefix}/lib")
    assert lab.mpirun(2, folder / "user").stdout == "2 ranks: right\n"


def assert_is_installed(lab, prefix):
    """The library has its three names, and the programs find it with no help from the environment."""
    library = prefix / "lib/libheat.so"
    assert "Library soname: [libheat.so.1]" in lab.run("readelf", "-d", library).stdout
    assert [path.readlink().name for path in (library, prefix / "lib/libheat.so.1")] == [
        "libheat.so.1",
        "libheat.so.1.0.0",
    ]
    for front in FRONTS:
        assert lab.run(prefix / "bin" / front, "20", "10").stdout.endswith("within the bound\n")


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    """heat_c and heat_cpp for the course's own MPI, static and with sanitizers."""
    lab = heat_alone(tmp_path_factory.mktemp("sanitized"))
    options = ("-DBUILD_SHARED_LIBS=OFF", "-DHEAT_FORTRAN=OFF", "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON")
    lab.run("cmake", "--preset", "asan", *options, cwd=lab.heat)
    lab.run("cmake", "--build", "--preset", "asan", "-j2", cwd=lab.heat)
    return lab


def test_the_sanitizers_find_nothing_in_heat_built_static_and_without_fortran(sanitized):
    said = sanitized.run("ctest", "--preset", "asan", "-R", "_3$", cwd=sanitized.heat).stdout
    assert "100% tests passed, 0 tests failed out of 2" in said
    assert (sanitized.root / "c_examples/heat/build/asan/libheat.a").exists()


def test_ctest_finds_out_a_launcher_of_another_mpi(sanitized):
    wrong = other(sanitized.mpi)
    if wrong is None:
        pytest.skip("only one MPI on this machine: apt.txt names the packages")
    tests = sanitized.heat / "build/asan/CTestTestfile.cmake"
    commands, count = re.subn(r'"[^"]*/mpiexec[^"/]*"', f'"{wrong.mpirun}"', tests.read_text())
    assert count == 8
    tests.write_text(commands)  # what -DMPIEXEC_EXECUTABLE= writes, in a tenth of the time
    result = sanitized.try_run("ctest", "--preset", "asan", "-R", "heat_c_2", cwd=sanitized.heat)
    assert not result.ok
    assert "Error regular expression found in output" in result.stdout


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("exchange(h);", ""),
        ("bottom, count, MPI_DOUBLE, below, 0,", "top, count, MPI_DOUBLE, below, 0,"),
        ("RATIO = 0.2", "RATIO = 0.6"),
    ],
)
def test_heat_finds_its_own_mistakes(tmp_path, was, becomes):
    lab = heat_alone(tmp_path)
    text = (lab.heat / "heat.c").read_text()
    assert text.count(was) == 1
    (lab.heat / "heat.c").write_text(text.replace(was, becomes))
    program = lab.root / "heat_c"
    lab.run(lab.mpi.mpicc, "-O2", "-o", program, "heat_main.c", "heat.c", "-lm", cwd=lab.heat)
    result = lab.try_run(lab.mpi.mpirun, "-n", "3", program, "41", "200")
    assert not result.ok
    assert result.stdout.endswith(": WRONG\n")
