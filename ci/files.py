"""List the project's files: `python ci/files.py KIND…` prints those of these kinds, each ended by a NUL byte.

The project's files are what git tracks or would track; in a copy without git, everything but what is built.
"""

from __future__ import annotations

import os
import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from rankzero import proc  # noqa: E402  (found only after the line above)

KINDS = {
    "python": ("*.py", "*.ipynb"),
    "c": ("c_examples/*.[ch]", "c_examples/*.cpp", "exercises/*.[ch]", "exercises/*.cpp", "pmpi/*.[ch]", "src/*.[ch]"),
    "shell": ("*.sh", "*.bash", ".ci/run"),
    "yaml": ("*.yml", "*.yaml", "*.cff", ".yamllint"),
    "workflow": (".github/workflows/*.yml", ".github/workflows/*.yaml"),
    "gitlab": ("ci/.gitlab-ci.yml",),
    "citation": ("CITATION.cff",),
    # A typo in a lock, in the licence's own words or in a picture is not ours.
    "prose": ("*",),
}
NOT_PROSE = ("requirements*.lock", "LICENSE*", "*.svg", "*.png", "*.woff2", "_static/vendor/*", "proofs/*.json")
# What learners find, and what they do wrong, is broken on purpose.
BROKEN = {"shell": ("c_examples/*_broken.sh", "exercises/*/*/start/*", "exercises/*/*/wrong/*")}
BUILT = {".git", ".venv", ".venv.new", "work", "_build", "build", "__pycache__", ".pytest_cache", ".ruff_cache"}


def project_files(root: Path = ROOT) -> list[str]:
    """Return the paths of all the project's files, relative to `root`, sorted."""
    if (root / ".git").exists():
        # The copy that the gate makes may belong to another user, which git would otherwise refuse.
        git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = proc.run(git, cwd=root, limits=proc.Limits(output=1 << 24), check=True).stdout.split("\0")
        return sorted({path for path in listed if path and (root / path).is_file()})
    paths = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name not in BUILT]
        paths += [str((Path(folder) / name).relative_to(root)) for name in names]
    return sorted(paths)


def of_kind(kind: str, root: Path = ROOT) -> list[str]:
    """Return the project's files of a kind, relative to `root`. Raises KeyError for a kind that there is not."""
    patterns = KINDS[kind]
    found = []
    for path in project_files(root):
        if kind == "prose" and (any(fnmatch(path, pattern) for pattern in NOT_PROSE) or b"\0" in head(root / path)):
            continue
        if any(fnmatch(path, pattern) for pattern in BROKEN.get(kind, ())):
            continue
        if any(fnmatch(path, pattern) for pattern in patterns) or (kind == "shell" and is_shell(root / path)):
            found.append(path)
    return found


def head(path: Path) -> bytes:
    """Return a file's first bytes."""
    with path.open("rb") as file:
        return file.read(4096)


def is_shell(path: Path) -> bool:
    """Whether a file's first line names a POSIX shell or bash as its interpreter."""
    first = head(path).split(b"\n", 1)[0]
    return first.startswith(b"#!") and first.split()[-1].rsplit(b"/", 1)[-1] in (b"sh", b"bash", b"dash")


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        for path in of_kind(wanted):
            sys.stdout.write(path + "\0")
