"""The Containerfile: what it copies exists, it sets up by the project's own code, as an ordinary user, anywhere."""

import re
import sys

import pytest

from rankzero import apt, lab, places

sys.path.insert(0, str(places.ROOT / "ci"))

import files

TEXT = (places.ROOT / "Containerfile").read_text(encoding="utf-8")
KNOWN = {"ARG", "FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "CMD", "SHELL", "LABEL"}


def instructions() -> list[tuple[str, str]]:
    """The instructions and what follows them, with continued lines joined and comments left out."""
    code = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", code)
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def test_every_line_is_an_instruction():
    assert {word for word, _ in instructions()} <= KNOWN
    assert instructions()[0] == ("ARG", "BASE=debian:12-slim")
    assert instructions()[1] == ("FROM", "${BASE}")


def test_what_it_copies_is_there():
    for word, rest in instructions():
        if word == "COPY":
            *sources, target = [part for part in rest.split() if not part.startswith("--")]
            assert target.endswith("/")
            for source in sources:
                assert (places.ROOT / source).exists(), source


def test_set_up_runs_as_an_ordinary_user():
    words = instructions()
    setup = words.index(("RUN", "PIP_NO_CACHE_DIR=1 YES=1 make setup"))
    users = [rest for word, rest in words[:setup] if word == "USER"]
    assert users == ["1000:1000"]
    assert not [rest for word, rest in words[setup:] if word == "USER"]
    assert words[-1] == ("CMD", '["make", "lab"]')


def test_its_list_of_packages_is_that_of_apt_txt():
    pattern = re.search(r"sed -n 's/(.*?)/\\1/p' apt\.txt", TEXT)[1].replace(r"\(", "(").replace(r"\)", ")")
    lines = (places.ROOT / "apt.txt").read_text(encoding="utf-8").splitlines()
    names = [found[1] for line in lines if (found := re.match(pattern, line))]
    assert names == [need.names[0] for need in apt.needs()]


def test_nothing_is_for_one_architecture_or_site():
    code = "\n".join(f"{word} {rest}" for word, rest in instructions())
    assert not re.search(r"x86|amd64|arm64|aarch64|--platform|https?://", code)
    for setting in ("PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        assert ("ARG", setting) in instructions()


def test_the_lab_inside_listens_for_the_published_port():
    assert ("ENV", "RANKZERO_LAB_IP=0.0.0.0") in instructions()
    assert f"--publish 127.0.0.1:{lab.PORT}:{lab.PORT} " in TEXT
    assert "EXPOSE" not in TEXT


@pytest.mark.parametrize("name", [".git", ".venv", "work", "_build"])
def test_what_is_built_or_a_learners_own_stays_out(name):
    ignored = (places.ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert name in ignored
    assert name in files.BUILT
