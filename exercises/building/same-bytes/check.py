"""Holds when two builds, in two folders, at two times and by two people, give the same bytes."""

import datetime
import gzip
import io
import os
import re
import shutil
import tarfile
from pathlib import Path

from rankzero.exercises.kinds.build import Bench

ARCHIVE = "stencil.tar.gz"
FOLDERS = {"first": "one/stencil", "second": "somewhere/else/stencil-checkout"}
WANTED = ("bin/stencil-info", "include/stencil.h", "include/stencil_version.h", "lib/libstencil.a")
VERSION = "stencil 1.4.0 of 2019-05-17"

BUILD_ID = re.compile(rb"\x14\0\0\0\x03\0\0\0GNU\0.{20}", re.DOTALL)
"""The linker's checksum of a program: it differs when anything else does, and says nothing."""
Hint = str
Difference = tuple[str, str, str, Hint]
"""What differs, in the first build, in the second build, the next step."""


def check(bench: Bench) -> None:
    bench.run("make", "-s", "clean")
    original = list(bench.folder.iterdir())
    for folder, mtime in zip(FOLDERS.values(), (1_000_000_000, 1_100_000_000), strict=True):
        bring(original, bench.folder / folder, mtime)
    for name in ("elsewhere.c", "build.sh"):
        bench.bring(name)
    bench.run("gcc", "-shared", "-fPIC", "-o", "elsewhere.so", "elsewhere.c", "-ldl")
    first, second = (build(bench, which, folder) for which, folder in FOLDERS.items())

    files = contents(bench, first)
    bench.expect(
        "what the release holds",
        yours="\n".join(sorted(files)),
        expected="\n".join(WANTED),
        hint=f"`tar -tzf {ARCHIVE}` lists it.",
    )
    if first != second:
        what, one, other, hint = difference(bench, first, second)
        bench.refuse(
            f"{what} differs between two builds",
            yours=f"first build:  {one}\nsecond build: {other}",
            expected="the same bytes, wherever, whenever and by whomever it is built",
            hint=hint,
            output="",
        )
    judge_release(bench, first)


def bring(original: list[Path], target: Path, mtime: int) -> None:
    """Give one build a copy of the learner's files, with the times that a checkout gave them."""
    target.mkdir(parents=True)
    for path in original:
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, target / path.name)
    for path in target.rglob("*"):
        os.utime(path, (mtime, mtime))


def build(bench: Bench, which: str, folder: str) -> bytes:
    run = bench.run("bash", "build.sh", folder, which, ok=False, wall=bench.BUILD_SECONDS)
    bench.require(
        run.returncode == 0,
        f"`make release` fails in the folder {folder}",
        yours=run.stderr or run.stdout,
        expected="exit code 0",
        hint="`SOURCE_DATE_EPOCH=1558135800 make release` by hand shows it.",
    )
    return bench.file(f"{folder}/{ARCHIVE}").read_bytes()


def date(seconds: str | float) -> str:
    """Return a time as a date, and as it is written down."""
    when = datetime.datetime.fromtimestamp(int(seconds), tz=datetime.UTC)
    return f"{when:%Y-%m-%d %H:%M:%S} UTC ({int(seconds)})"


def contents(bench: Bench, archive: bytes) -> dict[str, bytes]:
    """Return the files of a release by name."""
    return {name(member): data for member, data in members(bench, archive) if member.isfile()}


def members(bench: Bench, archive: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return what a release holds, in its order."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            return [(one, file.read() if (file := tar.extractfile(one)) else b"") for one in tar.getmembers()]
    except (tarfile.TarError, gzip.BadGzipFile, EOFError) as error:
        bench.refuse(f"{ARCHIVE} is not a tar archive compressed by gzip", yours=str(error))


def name(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./").rstrip("/")


def judge_release(bench: Bench, archive: bytes) -> None:
    """Refuse when something is gone: the version with its date, debug information, files that users can read."""
    for member, data in members(bench, archive):
        if name(member) in WANTED:
            path = bench.folder / "release" / name(member)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o755)
            wanted = 0o755 if name(member).startswith("bin/") else 0o644
            bench.require(
                member.mode & wanted == wanted,
                f"the mode of {name(member)} in the release is not one with which users can work",
                yours=f"{member.mode:o}",
                expected=f"{wanted:o}",
                hint="`tar --mode=a+rX,u+w,go-w` lets all read, and run what is a program.",
            )
    bench.expect(
        "the version",
        yours=bench.run("release/bin/stencil-info", "--version").stdout.strip(),
        expected=VERSION,
        hint="`date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%d` prints the date of the release, in UTC.",
    )
    cells = bench.run("release/bin/stencil-info", "5").stdout.strip()
    bench.expect("what stencil-info 5 prints", yours=cells, expected="0 1 1 1 0")
    library = "release/lib/libstencil.a"
    if ".debug_info" not in bench.run("readelf", "-S", "--wide", library).stdout:
        bench.refuse(
            "the library has no debug information any more",
            yours="no section .debug_info in lib/libstencil.a",
            expected="one in each object, as -g makes it",
            hint="Without -g the folder is gone from the objects, and with it the lines for gdb and profilers. Keep "
            "-g, and look up -ffile-prefix-map.",
            output="",
        )
    bench.require(
        "__assert_fail" in bench.run("nm", "-u", library).stdout,
        "the library has no assertions any more",
        yours="no call of __assert_fail in lib/libstencil.a",
        expected="one in field.o",
        hint="-DNDEBUG takes the assertions away, and with them the name of the file. Keep them, and look up "
        "-ffile-prefix-map.",
    )


def difference(bench: Bench, first: bytes, second: bytes) -> Difference:
    """Return the first difference of two releases, from the inside to the outside."""
    one, other = contents(bench, first), contents(bench, second)
    for file in sorted(one.keys() | other.keys()):
        if file not in one or file not in other:
            return file, *("is there" if file in each else "is not there" for each in (one, other)), "Who makes it?"
        if one[file] != other[file]:
            inside = in_library if one[file].startswith(b"!<arch>\n") else in_object
            return inside(bench, file, one[file], other[file])
    return in_tar(bench, first, second) or in_gzip(first, second)


def in_object(bench: Bench, file: str, one: bytes, other: bytes) -> Difference:
    """Return the first text in which two objects or programs differ."""
    texts = [re.findall(rb"[\x20-\x7e]{6,}", BUILD_ID.sub(b"", data)) for data in (one, other)]
    only = [[text.decode() for text in mine if text not in theirs] for mine, theirs in (texts, texts[::-1])]
    # A text with a folder of the build is shown from there on, and belongs to the one with the same end.
    root = f"{bench.folder}/"
    ends = [
        {end: f"{root}{folder}{end}" for text in mine for at, _, end in [text.partition(root + folder)] if at != text}
        for mine, folder in zip(only, FOLDERS.values(), strict=True)
    ]
    common = [end for end in ends[0] if end in ends[1]]
    plain = [[text for text in mine if root not in text] or mine for mine in only]
    if common:
        end = max(common, key=lambda end: (len(end), end))  # the linker orders texts by what is in them
        return file, ends[0][end], ends[1][end], where_the_folder_is(bench, one)
    hint = (
        "A time of the build is in it, or a zone or language in which it is written. SOURCE_DATE_EPOCH, seconds "
        "since 1970 in UTC, is the time to use: `date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%d`."
    )
    return file, *(mine[0] if mine else "(no text)" for mine in plain), hint


def where_the_folder_is(bench: Bench, data: bytes) -> Hint:
    """Return the next step for an object or program in which there is the folder of its build."""
    (bench.folder / "differs").write_bytes(data)
    bench.run("strip", "--strip-debug", "differs", shown="strip --strip-debug FILE   # a copy of it", ok=False)
    root = f"{bench.folder}/{FOLDERS['first']}".encode()
    left = (bench.folder / "differs").read_bytes().count(root)
    if not left:
        return (
            "The folder of the build is in the debug information only, not in `__FILE__`. A debugger finds the sources "
            "by it. -ffile-prefix-map=$(CURDIR)=. replaces it, in both."
        )
    if data.count(root) > left:
        return (
            "The folder of the build is in it, in two ways: in the debug information, where a debugger finds the "
            "sources, and in `__FILE__`, which assert() uses. -ffile-prefix-map=$(CURDIR)=. replaces it in both."
        )
    return (
        "The folder of the build is in `__FILE__`, which assert() uses, and no longer in the debug information. "
        "-fdebug-prefix-map is for the latter alone; -ffile-prefix-map=$(CURDIR)=. replaces it in both."
    )


def in_library(bench: Bench, file: str, one: bytes, other: bytes) -> Difference:
    """Return the first difference of two static libraries: of the members, then of what `ar` writes about them."""
    lists = [ar_members(data) for data in (one, other)]
    for a, b in zip(*lists, strict=False):
        if a["name"] != b["name"]:
            return f"{file}: the order of its members", a["name"], b["name"], "Name the objects in a fixed order."
        if a["data"] != b["data"] and a["name"] != "/":
            return in_object(bench, f"{file}: {a['name']}", *(each["data"].encode("latin-1") for each in (a, b)))
    hint = (
        "`ar` wrote down times and owners. Its option D writes zeros instead, and is Debian's default; U undoes that."
    )
    for a, b in sorted(zip(*lists, strict=False), key=lambda pair: pair[0]["name"] == "/"):
        for key in ("time", "owner", "group", "mode"):
            if a[key] != b[key]:
                shown = (date(each[key]) if key == "time" else each[key] for each in (a, b))
                return f"{file}: the {key} of {a['name']}", *shown, hint
    return f"{file}: its members", str(len(lists[0])), str(len(lists[1])), hint


def ar_members(data: bytes) -> list[dict[str, str]]:
    """Return the members of a static library with their headers; the table of symbols is called "/"."""
    found, at = [], 8
    while at + 60 <= len(data):
        head = data[at : at + 60].decode("latin-1")
        size = int(head[48:58])
        fields = {"time": head[16:28], "owner": head[28:34], "group": head[34:40], "mode": head[40:48]}
        label = head[:16].strip()
        found.append(
            {key: value.strip() for key, value in fields.items()}
            | {"name": label.rstrip("/") or label, "data": data[at + 60 : at + 60 + size].decode("latin-1")}
        )
        at += 60 + size + size % 2
    return found


def in_tar(bench: Bench, first: bytes, second: bytes) -> Difference | None:
    """Return the first difference in what tar writes about files."""
    lists = [[member for member, _ in members(bench, each)] for each in (first, second)]
    order = (
        "tar takes names in the order in which the file system has them: `--sort=name`, or name every file yourself."
    )
    for a, b in zip(*lists, strict=False):
        if name(a) != name(b):
            return f"{ARCHIVE}: the order of its members", name(a), name(b), order
    owner = "Whoever builds is not the owner of what is released: `--owner=0 --group=0 --numeric-owner`."
    looks = (
        ("mode", lambda one: f"{one.mode:o}", "The umask is in it: `--mode=`, or `install -m`."),
        ("time", lambda one: date(one.mtime), "`--mtime=@$(SOURCE_DATE_EPOCH)` gives all the same time."),
        ("owner", lambda one: f"{one.uid} {one.uname}".strip(), owner),
        ("group", lambda one: f"{one.gid} {one.gname}".strip(), owner),
    )
    for what, look, hint in looks:
        for a, b in zip(*lists, strict=False):
            if look(a) != look(b):
                return f"{ARCHIVE}: the {what} of {name(a)}", look(a), look(b), hint
    return None


def in_gzip(first: bytes, second: bytes) -> Difference:
    """Return the difference in what gzip writes about the file."""
    times = [str(int.from_bytes(each[4:8], "little")) for each in (first, second)]
    hint = "gzip writes the name and the time of the file that it compresses: `gzip -n` does not."
    if times[0] != times[1]:
        return f"{ARCHIVE}: the time in the header of gzip", date(times[0]), date(times[1]), hint
    return f"{ARCHIVE}: the compressed bytes", f"{len(first)} bytes", f"{len(second)} bytes", hint
