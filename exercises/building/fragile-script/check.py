"""Holds when publish.sh publishes all or nothing, says so by its exit code, and deletes nothing of others."""

import json
import shlex
import shutil
import sys
from pathlib import Path

from rankzero.exercises.kinds.shell import Bench

Tree = dict[str, str]
"""Path -> what is there, of everything below a folder."""

ZLIB = {"zlib": "name zlib\nprefix /sw/zlib/1.3\n"}
TWO = ZLIB | {"hdf5": "name hdf5\nprefix /sw/hdf5/1.14\n"}
BROKEN = TWO | {"openmpi": "name openmpi\nprefixx /sw/openmpi\n"}


class Night:
    """A site of its own, with a release that users see, an older one, a stage, and a home where cron starts."""

    def __init__(self, bench: Bench, name: str, *, stage: str = "stage", site: str = "site") -> None:
        self.bench = bench
        self.folder = bench.folder / "nights" / name
        self.stage, self.site = self.folder / stage, self.folder / site
        for release in ("31.05", "31.06"):
            write(self.site / release / "zlib.lua", f'whatis("Name: zlib, as of {release}")\n')
            write(self.site / release / "gcc.lua", f'whatis("Name: gcc, as of {release}")\n')
        (self.site / "current").symlink_to("31.06")
        write(self.site / "README", "Module files of the site. Ask the software team.\n")
        self.happened: list[tuple[str, str, list[list[str]]]] = []  # when, which version, what became of which name
        self.another = False  # whether the folder for temporary files is on another file system
        write(self.folder / "home" / "notes.txt", "Call the vendor.\n")
        write(self.folder / "home" / "data" / "results.csv", "1,2,3\n")

    def built(self, version: str, descriptions: dict[str, str]) -> None:
        """Leave in the stage what a build leaves."""
        if self.stage.exists():
            shutil.rmtree(self.stage)
        write(self.stage / "VERSION", f"{version}\n")
        for name, text in descriptions.items():
            write(self.stage / f"{name}.txt", text)

    def publish(self, when: str, *, stage: str = "", site: str = "") -> int:
        """Run the script as cron does, from a home; return its exit code."""
        arguments = (f"../{stage or self.stage.name}", f"../{site or self.site.name}")
        where = str((self.folder / "home").relative_to(self.bench.folder))
        script = self.bench.file("publish.sh")
        words = " ".join("$" + repr(one) if "\n" in one else shlex.quote(one) for one in arguments)
        shown = f"bash publish.sh {words}   # {when[0].lower() if when[1].islower() else when[0]}{when[1:]}"
        argv = (sys.executable, "-S", "watch.py", where, str(script), *arguments)
        code = self.bench.run(*argv, ok=False, shown=shown).returncode
        said = json.loads(self.bench.file("events.json").read_text())
        self.another = said["another"]
        version = (self.stage / "VERSION").read_text().strip() if self.stage.exists() else ""
        self.happened.append((when, version, said["events"]))
        return code

    def users_see(self) -> Tree:
        """Return the module files that users find behind the link."""
        return tree(self.site / "current") if (self.site / "current").exists() else {}

    # -- what must hold ---------------------------------------------------------------------------

    def succeeds(self, when: str, version: str, descriptions: dict[str, str]) -> None:
        """Publish, and refuse unless users see just that."""
        before = tree(self.folder)
        code = self.publish(when)
        self.bench.require(
            code == 0,
            f"{when}, publish.sh ends with exit code {code}",
            yours=f"exit code {code}",
            expected="exit code 0",
            hint="Its last line of output tells which step it was. `bash -x publish.sh …` shows every step.",
        )
        self._others_untouched(when, before, but=f"{self.site.name}/{version}")
        link = self.site / "current"
        self.bench.require(
            link.is_symlink() and link.resolve() == (self.site / version).resolve(),
            f"{when}, current does not lead to the new release",
            yours=f"current -> {link.readlink()}" if link.is_symlink() else listing(tree(self.site)),
            expected=f"current -> {version}",
            hint="`ln -s NEW current` makes its link *inside* the folder to which a link called current leads. Make it "
            "under another name and rename it over the old one with `mv -T`, or look up `ln -n`.",
        )
        wanted = {f"{name}.lua": module_file(text) for name, text in descriptions.items()}
        self.bench.expect(
            f"{when}, what users find behind current",
            yours=listing(self.users_see()),
            expected=listing(wanted),
            hint="One NAME.lua for each NAME.txt of the stage, and nothing from earlier. A name may hold spaces and "
            "line feeds: in which places is a variable not in double quotes? And `$(…)` drops line feeds at the end, "
            "which `${name%.txt}` does not.",
        )
        differ = [name for name, text in self.users_see().items() if text != wanted[name]]
        self.bench.require(
            not differ,
            f"{when}, {differ[0] if differ else ''} is not what the tools make of its description",
            yours=self.users_see()[differ[0]] if differ else "",
            expected=wanted[differ[0]] if differ else "",
            hint="The lines come from tools/modulefile, sorted.",
        )
        fresh = self.folder / "fresh"
        fresh.mkdir()
        wanted_mode, mode = fresh.stat().st_mode & 0o777, (self.site / version).stat().st_mode & 0o777
        fresh.rmdir()
        self.bench.require(
            mode & wanted_mode == wanted_mode,
            f"{when}, the release is a folder that its users may not enter",
            yours=f"mode {mode:o}",
            expected=f"mode {wanted_mode:o}, as mkdir makes it",
            hint="mktemp -d makes a folder for you alone. Make the release in it with `mkdir`, which heeds your umask, "
            "and move that; or let all enter it with `chmod 755`.",
        )

    def fails(self, when: str, why: str, **arguments: str) -> None:
        """Publish, and refuse unless it says that it failed and users see what they saw before."""
        before, seen = tree(self.folder), self.users_see()
        code = self.publish(when, **arguments)
        now = self.users_see()
        self.bench.require(
            now == seen,
            f"{when}, and what users see is not the release of before",
            yours=listing(now, seen),
            expected=listing(seen),
            hint=why,
        )
        self._others_untouched(when, before)
        self.bench.require(
            code != 0,
            f"{when}, and publish.sh ends with exit code 0: nobody is told",
            yours=f"exit code {code}",
            expected="another one",
            hint=why,
        )
        left = [path for path in tree(self.site) if f"{self.site.name}/{path}" not in before]
        self.bench.require(
            not left,
            f"{when}, and something unfinished stays in the site",
            yours="\n".join(template(path) for path in left),
            expected="what was there before",
            hint="Remove what you have begun when the script ends early: `trap 'rm -rf \"$work\"' EXIT`.",
        )

    def judge_steps(self) -> None:
        """Refuse when a release or the link was there before it was whole, or not there for a moment."""
        for when, version, events in self.happened:
            link = [word for name, word in events if name == "current" and word != "renamed to"]
            if link:
                self.bench.refuse(
                    f"{when}, current is not replaced in one step: for a moment users find no link",
                    yours=f"the link was {', then '.join(link)}",
                    expected="another link was renamed to current",
                    hint="Between `rm current` and `ln -s` no `module load` works. Make the link under another name, "
                    "and rename it over the old one: `mv -T`.",
                    output="",
                )
            release = [word for name, word in events if name == version]
            if "created" in release:
                self.bench.refuse(
                    f"{when}, the release has its name in the site before it is whole",
                    yours=f"{version} was created, and filled then",
                    expected=f"a whole folder was renamed to {version}",
                    hint="Make it under another name and rename it with `mv`. Between two file systems `mv` is no "
                    "rename: it copies, file by file. $TMPDIR is on another one here, as on most clusters, so make the "
                    'folder in the site: `mktemp -d "$site/.new.XXXXXX"`.',
                    output="",
                )
        if not self.another:
            self.bench.note("a rename from another file system: /dev/shm is not one here")

    def _others_untouched(self, when: str, before: Tree, but: str = "") -> None:
        """Refuse when a file is gone or changed that is neither the new release nor the link."""
        now = tree(self.folder)
        link = f"{self.site.name}/current"
        for path, text in before.items():
            if path in {but, link} or (but and path.startswith(f"{but}/")):
                continue
            self.bench.require(
                now.get(path) == text,
                f"{when}, and publish.sh has {'changed' if path in now else 'deleted'} {path}",
                yours=listing(now),
                expected=listing(before),
                hint="Where was it when it ran `rm`? When `cd` fails, or the name behind it is empty, what follows "
                "happens in another folder.",
            )


def check(bench: Bench) -> None:
    bench.bring("watch.py")
    night = Night(bench, "ordinary")
    night.built("31.07", TWO)
    night.succeeds("On an ordinary night", "31.07", TWO)
    after = sorted(tree(night.site))
    night.succeeds("When the same night is published again", "31.07", TWO)
    bench.expect(
        "what a second run leaves in the site",
        yours=sorted(tree(night.site)),
        expected=after,
        hint="A second run must find everything as the first one left it, and leave it so.",
    )

    night.built("tonight", TWO)
    night.fails(
        "VERSION holds no version",
        "tools/version failed. `local name=$(command)` has the exit code of `local`, which is 0: declare first, assign "
        "in a second line. And `set -e` is off in a function that is called in a condition (if, &&, ||), and in $(…).",
    )

    night.built("31.08", BROKEN)
    lost = (
        "tools/modulefile failed. The exit code of a pipeline is that of its last command: `set -o pipefail`, or look "
        "at PIPESTATUS. And `set -e` is off in a function that is called in a condition (if, &&, ||, !)."
    )
    night.fails("A description lacks its prefix", lost)
    night.built("31.08", ZLIB)
    night.succeeds("When the night after a failed one publishes the same version", "31.08", ZLIB)
    night.built("31.08", {"a": "name a\nprefix /sw/a\n"} | BROKEN)
    night.fails(
        "The version that users see is published again, and a description lacks its prefix",
        "Users read the files while you write them. Make the whole release elsewhere in the site, and rename it at the "
        "end, when all of it is there.",
    )

    night.built("31.09", {})
    night.fails(
        "The stage holds no description",
        "A pattern that matches nothing stays as it is, `stage/*.txt`; with nullglob it becomes nothing, and a loop "
        "over nothing succeeds. Count what was found.",
    )
    night.fails("The stage is not there", "Each step that needs a folder must fail without it.", stage="stagge")

    odd = Night(bench, "names", stage="stage of\ntonight", site="site of [all] users")
    names = ("gcc 13", "gcc", "-rf", "two\nlines", "end\n", "a*", "$HOME")
    pages = {name: f"name package{number}\nprefix /sw/{number}\n" for number, name in enumerate(names)}
    odd.built("31.10", pages)
    odd.succeeds("With spaces and other odd characters in names", "31.10", pages)

    night.judge_steps()

    if not bench.isolated:
        bench.note(
            "a site that is not there: this machine cannot shut programs in, and an `rm` might hit your own files"
        )
        return
    night.built("31.11", TWO)
    night.fails("The site is not there", "A slip in the name of the site must not make a new one.", site="siet")
    bench.require(
        not (night.folder / "siet").exists(),
        "The site is not there, and publish.sh makes one",
        yours=listing(tree(night.folder / "siet")),
        expected="nothing called siet",
        hint="`mkdir -p` makes whatever it is told. Let it make only what is below the site.",
    )


def template(path: str) -> str:
    """Return the path of something that was left, with X for what differs from run to run in its name."""
    first, slash, rest = path.partition("/")
    stem, dot, end = first.rpartition(".")
    return f"{stem}{dot}XXXXXX{slash}{rest}" if dot and len(end) > 5 else path


def module_file(description: str) -> str:
    """Return what the tools make of a description: its lines, sorted."""
    fields = dict(line.split() for line in description.splitlines())
    return f'prepend_path("PATH", "{fields["prefix"]}/bin")\nwhatis("Name: {fields["name"]}")\n'


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def tree(folder: Path) -> Tree:
    """Return everything below a folder, links as links, sorted."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = path.read_text(errors="replace") if path.is_file() else "a folder"
    return found


def listing(now: Tree, before: Tree | None = None) -> str:
    """Return the names of what is there, one a line; with what has changed where that is known."""
    lines = []
    for name, text in now.items():
        shown = repr(name)[1:-1]
        changed = before is not None and text != before.get(name)
        lines.append(f"{shown}  ({'new' if name not in (before or {}) else 'changed'})" if changed else shown)
    if before:
        lines += [f"{name!r}"[1:-1] + "  (gone)" for name in before if name not in now]
    return "\n".join(sorted(lines)) or "nothing"
