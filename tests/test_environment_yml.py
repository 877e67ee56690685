"""environment.yml: conda brings Python and native tools, the locks bring the rest, and nothing comes twice."""

import re
import tomllib

import yaml

from rankzero import places

FILE = places.ROOT / "environment.yml"
TEXT = FILE.read_text(encoding="utf-8")
HEADER = "".join(re.findall(r"^#.*\n", TEXT, re.MULTILINE))
NATIVE = [spec for spec in yaml.safe_load(TEXT)["dependencies"] if isinstance(spec, str)]
PIP = next(spec["pip"] for spec in yaml.safe_load(TEXT)["dependencies"] if isinstance(spec, dict))
PROJECT = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name_of(spec: str) -> str:
    """The package that a conda or pip line names, in pip's normal form."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", spec)[0]).lower()


def locked(name: str) -> set[str]:
    """The packages of a requirements file."""
    lines = (places.ROOT / name).read_text(encoding="utf-8").splitlines()
    return {name_of(line) for line in lines if re.match(r"[\w.-]+ *[=<>@;]", line)}


def version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def test_python_is_of_a_version_that_the_project_allows():
    python = next(spec for spec in NATIVE if name_of(spec) == "python")
    lowest = re.search(r">=([\d.]+)", python)[1]
    assert f">={lowest}" == PROJECT["requires-python"]
    below = re.search(r",<([\d.]+)$", python)[1]
    assert version(lowest) < version(below)


def test_only_conda_forge_is_asked():
    assert yaml.safe_load(TEXT)["channels"] == ["conda-forge", "nodefaults"]


def test_every_native_package_is_a_name_and_perhaps_a_range():
    for spec in NATIVE:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*(?: [<>=,.\d*]+)?", spec), spec
    assert len({name_of(spec) for spec in NATIVE}) == len(NATIVE)


def test_no_package_comes_from_two_places():
    native = {name_of(spec) for spec in NATIVE} - {"pip"}
    assert native.isdisjoint(locked("requirements.lock"))
    assert native.isdisjoint(name_of(package) for package in PROJECT["dependencies"])


def test_pip_installs_from_the_lock_and_from_nothing_else():
    assert PIP == ["--requirement requirements.lock"]


def test_the_lock_has_a_hash_for_all_that_it_names():
    text = (places.ROOT / "requirements.lock").read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=[\w.-]+==)", text)[1:]:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "torch" not in locked("requirements.lock")


def test_every_dependency_is_brought_by_one_of_the_steps():
    steps = ["requirements.lock", *re.findall(r"--requirement (\S+)", HEADER)]
    brought = set().union(*(locked(step) for step in steps))
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    assert {name_of(package) for package in wanted} <= brought


def test_the_files_that_it_names_exist():
    for name in re.findall(r"[\w/-]+\.(?:txt|lock|yml|py)\b", TEXT):
        assert (places.ROOT / name).is_file(), name


def test_one_mpi_and_nothing_that_only_one_architecture_has():
    assert [name_of(spec) for spec in NATIVE if name_of(spec) in ("openmpi", "mpich", "mvapich", "impi-rt")] == [
        "openmpi"
    ]
    assert not re.search(r"x86|amd64|linux-64|linux-aarch64|sysroot|=\w+_\d", "\n".join(NATIVE))


def test_it_says_that_it_was_not_run():
    assert "nobody ran these commands yet" in HEADER.replace("\n# ", " ")
