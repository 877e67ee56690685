"""Refuse what no other tool looks for: habits of the house, and traces of one machine.

`python ci/words.py` checks every file of the project and prints `path:line: what is wrong`. A line that must hold
such a thing says why, in a comment on the line: `lint-ok: the reason`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import files


@dataclass(frozen=True)
class Rule:
    """A pattern, the files in which it is refused, and what to say."""

    pattern: re.Pattern[str]
    message: str
    only: tuple[str, ...] = ("*",)
    but: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether the rule holds for a file."""
        return any(fnmatch(path, glob) for glob in self.only) and not any(fnmatch(path, glob) for glob in self.but)


CODE = ("*.py", "*.ipynb", "*.sh", "*.yml", "*.yaml", "*.mk", "*Makefile", "Containerfile", ".ci/run", "chapters/*")
HOSTS = (  # the host names of package registries, none of them spelled out
    r"(?:[\w-]+\.)*py(?:pi|thonhosted)\.(?:org|io)",
    r"(?:deb|security|snapshot|archive|ports|ftp)\.(?:[\w-]+\.)*(?:debian|ubuntu)\.(?:org|com)",
    r"registry\.(?:npm|yarn)\w*\.\w+",
    r"(?:conda|repo)\.(?:ana|continuum)\w*\.\w+",
    r"(?:index|registry-\d|hub)\.docker\.\w+",
)
PLACEHOLDERS = r"(?:you|ada|learner|user|name|USER|NAME)\b"
RULES = (
    Rule(re.compile(r"\|\|\s*true\b"), "hides a failure: handle the one that is expected", only=CODE),
    Rule(re.compile(r"noqa:[\w\s,]*\b(?:BLE|E722|S110)"), "silences a rule that has no exception here"),
    Rule(re.compile(r"#\s*(?:noqa|type:\s*ignore)\s*$"), "silences every rule: name one", ("*.py",)),
    Rule(
        re.compile(r"^\s*(?:import|from) (?:subprocess|multiprocessing|pty)\b|\bos\.(?:system|popen|fork|\w*spawn)"),
        "starts a process: only rankzero.proc does",
        only=("src/rankzero/*",),
        but=("src/rankzero/proc.py", "src/rankzero/_reaper.py", "src/rankzero/_inside.py"),
    ),
    Rule(
        re.compile(rf"(?<![\w.$}}])(?:/root/\w|/(?:home|Users)/(?!{PLACEHOLDERS})[\w.-]+/)"),
        "holds a path of one machine",
    ),
    Rule(re.compile(rf"\b(?:{'|'.join(HOSTS)})\b"), "names a registry's host: a site has its own"),
    Rule(re.compile(r"^(?:<{7}|>{7})(?: |$)|^={7}$"), "is a mark of a merge that was not finished", but=("LICENSE*",)),
    Rule(re.compile(r"[ \t]+$"), "ends in white space", but=("*.ipynb", "*.svg", "LICENSE*", "proofs/*")),
)
LONGEST = 5000
"""Characters of a line that are looked at: longer ones are pictures in notebooks."""


def own_paths(root: Path) -> Rule:
    """Return the rule that refuses the checkout's own absolute path and that of the home folder."""
    folders = {str(root), str(Path.home())}
    telling = sorted(re.escape(folder) for folder in folders if len(Path(folder).parts) > 2)
    pattern = rf"(?<![\w.])(?:{'|'.join(telling)})(?![\w-])" if telling else r"(?!)"
    return Rule(re.compile(pattern), "holds a path of this machine", but=("LICENSE*",))


def faults(root: Path = files.ROOT) -> Iterator[str]:
    """Yield every fault as `path:line: message`."""
    rules = (*RULES, own_paths(root))
    for path in files.project_files(root):
        if b"\0" in files.head(root / path):
            continue
        covering = [rule for rule in rules if rule.covers(path)]
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        if text and not text.endswith("\n") and not path.endswith(".svg"):
            yield f"{path}:{text.count(chr(10)) + 1}: does not end with a line feed"
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LONGEST or "lint-ok: " in line:
                continue
            for rule in covering:
                if found := rule.pattern.search(line):
                    shown = found[0].strip()
                    yield f"{path}:{number}: {f'`{shown}` ' if shown else ''}{rule.message}"


if __name__ == "__main__":
    found = list(faults())
    print("\n".join(found))
    raise SystemExit(1 if found else 0)
