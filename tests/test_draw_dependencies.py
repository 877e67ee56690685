"""The picture of who needs whom is drawn from what the loader and readelf say, and says so in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rankzero import proc
from rankzero.draw import style
from rankzero.draw.dependencies import NOT_FOUND, Library, dependencies, needed, read, searched, traced

SOURCES = {
    "inner": "int inner(void) { return 1; }",
    "outer": "int inner(void); int outer(void) { return inner() + 1; }",
    "program": "int outer(void); int main(void) { return outer() - 2; }",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that needs libouter.so, which needs libinner.so: each in a folder of its own, in one with a space."""
    root = tmp_path_factory.mktemp("needs") / "a space"
    for folder in ("bin", "outer", "inner"):
        (root / folder).mkdir(parents=True)
    for name, text in SOURCES.items():
        (root / f"{name}.c").write_text(text + "\n")

    def gcc(*argv: str | Path) -> None:
        proc.run(["gcc", *argv], cwd=root, check=True)

    here = ["-Wl,--no-as-needed", "-Louter", "-Linner", "-Wl,-rpath-link,inner"]
    gcc("-shared", "-fPIC", "-Wl,-soname,libinner.so.1", "-o", "inner/libinner.so.1", "inner.c")
    (root / "inner" / "libinner.so").symlink_to("libinner.so.1")
    gcc("-shared", "-fPIC", "-Wl,-soname,libouter.so.1", "-o", "outer/libouter.so.1", "outer.c", *here, "-linner")
    (root / "outer" / "libouter.so").symlink_to("libouter.so.1")
    runpath, rpath = "-Wl,--enable-new-dtags", "-Wl,--disable-new-dtags"
    both = "-Wl,-rpath,$ORIGIN/../outer:$ORIGIN/../inner"
    gcc("-o", "bin/runpath", "program.c", *here, "-louter", runpath, both)
    gcc("-o", "bin/rpath", "program.c", *here, "-louter", rpath, both)
    gcc("-static", "-o", "bin/static", "program.c", "outer.c", "inner.c")
    gcc("-shared", "-fPIC", "-o", "inner/libnoname.so", "inner.c")
    gcc("-o", "bin/path", "program.c", "outer.c", str(root / "inner" / "libnoname.so"))
    return root


def found(libraries: list[Library]) -> dict[str, str]:
    return {one.name: one.found for one in libraries}


def test_a_library_that_a_runpath_does_not_reach_is_not_found(built: Path) -> None:
    libraries = read(built / "bin" / "runpath", env={})
    assert libraries[0].needs[0] == "libouter.so.1"
    assert found(libraries)["libouter.so.1"] == "RUNPATH"
    assert found(libraries)["libinner.so.1"] == NOT_FOUND  # a RUNPATH serves its own file, not those below


def test_an_rpath_serves_what_is_below(built: Path) -> None:
    libraries = read(built / "bin" / "rpath", env={})
    assert (found(libraries)["libouter.so.1"], found(libraries)["libinner.so.1"]) == ("RPATH", "RPATH")


def test_the_variable_comes_between_the_two(built: Path) -> None:
    env = {"LD_LIBRARY_PATH": f"{built / 'outer'}:{built / 'inner'}"}
    assert found(read(built / "bin" / "runpath", env=env))["libouter.so.1"] == "LD_LIBRARY_PATH"
    assert found(read(built / "bin" / "rpath", env=env))["libouter.so.1"] == "RPATH"


def test_a_path_is_the_file_that_is_loaded(built: Path) -> None:
    outer = {one.name: one for one in read(built / "bin" / "rpath", env={})}["libouter.so.1"]
    assert Path(outer.path).resolve() == (built / "outer" / "libouter.so.1").resolve()
    assert "libinner.so.1" in outer.needs


def test_the_c_library_comes_from_the_system(built: Path) -> None:
    assert found(read(built / "bin" / "rpath", env={}))["libc.so.6"] in ("ld.so.cache", "system folders")


def test_a_static_program_needs_nothing_and_is_not_run(built: Path) -> None:
    assert read(built / "bin" / "static") == [Library("static", str(built / "bin" / "static"), "", ())]


def test_a_name_with_a_folder_is_not_searched_for(built: Path) -> None:
    library = {one.name: one for one in read(built / "bin" / "path", env={})}[str(built / "inner" / "libnoname.so")]
    assert (library.path, library.found) == (library.name, "")


def test_the_program_itself_does_not_run(built: Path) -> None:
    said = proc.run([shutil.which("ldd") or "ldd", built / "bin" / "rpath"], check=True).stdout
    assert [name for name, _ in traced(said)] == [one.name for one in read(built / "bin" / "rpath", env={})[1:]]


def test_a_file_that_is_no_program_is_refused(built: Path) -> None:
    with pytest.raises(proc.ProcError):
        needed([built / "program.c"])


def test_each_file_has_its_own_needs(built: Path) -> None:
    files = [built / "outer" / "libouter.so.1", built / "bin" / "static", built / "bin" / "rpath"]
    outer, static, program = needed(files)
    assert ("libinner.so.1" in outer, static, program[0]) == (True, (), "libouter.so.1")
    assert needed([]) == []


def test_the_last_place_searched_is_the_one_that_counts() -> None:
    said = (
        "  7:\tfind library=liba.so.1 [0]; searching\n"
        "  7:\t search path=/x\t\t(LD_LIBRARY_PATH)\n  7:\t  trying file=/x/liba.so.1\n"
        "  7:\t search cache=/etc/ld.so.cache\n"
        "  7:\t search path=/lib\t\t(system search path)\n  7:\t  trying file=/lib/liba.so.1\n"
        "  7:\tfind library=libb.so.1 [0]; searching\n"
        "  7:\t search path=/y\t\t(RUNPATH from file ./program)\n"
    )
    assert searched(said) == {"liba.so.1": "system folders", "libb.so.1": "RUNPATH"}


def test_the_picture_says_who_needs_whom_and_leaves_the_c_library_out() -> None:
    libraries = [
        Library("program", "program", "", ("liba.so.1", "libc.so.6")),
        Library("liba.so.1", "", NOT_FOUND, ()),
        Library("libc.so.6", "/lib/libc.so.6", "ld.so.cache", ("ld-linux-x86-64.so.2",)),
    ]
    picture = dependencies(libraries)
    assert picture.alt == ("Who needs whom: program needs liba.so.1. Where each was found: not found: liba.so.1.")
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert texts == ["program", "", "liba.so.1", "not found"]
    assert len(picture.figure.axes[0].patches) == 1


def test_the_same_libraries_give_the_same_picture() -> None:
    style.use()
    libraries = [Library("a", "a", "", ("b",)), Library("b", "b", "RUNPATH", ("a",))]
    assert dependencies(libraries).svg() == dependencies(libraries).svg()


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="no libraries to draw"):
        dependencies([Library("libc.so.6", "", "", ())])
