"""Finds what a page shows although nothing ran: outputs and programs that somebody typed or pasted.

A page shows a program by including the file that is compiled and tested, and an output by including what a run
wrote. So a block of text in Markdown is a directive, or the commands that a reader types, in a ```bash block
without a prompt and without what they print.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin

TYPED = {"code", "code-block", "code-cell", "eval-rst", "parsed-literal", "prompt", "raw", "sourcecode"}
"""Directives whose content is shown as it stands, not read as Markdown."""
OPAQUE = {"amsmath", "math", "mermaid"}
"""Directives whose content is a language of its own, and no program and no output."""

PROMPT = re.compile(r"(?:[\w.@:~/-]*[$#%>]|>>>|\.\.\.|\(\w+\)|In \[\d*\]:|Out\[\d*\]:)\s+\S")
"""How a line starts that was copied from a terminal; a comment of the shell is taken out before."""

# First words of commands that a reader may type, whether or not this machine has them.
SHELL = """
    ! ( ) . : ;; [ [[ ]] alias bg break case cd continue declare disown do done echo elif else esac eval exec exit
    export fg fi for function help if in jobs kill local ml module popd printf pushd pwd read return select set
    shift source spack test then time trap true type ulimit umask unset until wait while { }
"""
TOOLS = """
    ansible ansible-galaxy ansible-inventory ansible-lint ansible-playbook ansible-vault apt apt-get awk bash
    c++filt cat ccache chgrp chmod chown clang clang-format clang-tidy cmake cp cpack ctest curl cut df diff dmesg
    du env fi_info find findmnt free g++ gcc gcov gdb gdbserver getent gfortran git gprof grep gzip head hostname
    htop ibstat id install ip ipcluster ipcs jupyter ldconfig ldd less ln ls lscpu lsof lstopo ltrace make man
    md5sum mkdir mpicc mpicc.mpich mpicxx mpiexec mpifort mpirun mpirun.mpich mpirun.openmpi mv ncu nm nproc nsys
    numactl numastat nvcc nvidia-smi objdump ompi_info patchelf perf pgrep ping pip pipx pkg-config pkill podman
    ps pstree pytest python python3 rankzero readelf reframe rm rmdir rsync ruff sacct sacctmgr salloc sbatch
    scancel scontrol scp sdiag sed seq sh sha256sum shellcheck sinfo size sleep sort sprio squeue srun ss ssh
    sshare sstat stat strace strings strip sudo systemctl tail tar taskset tee timeout top torchrun touch tr
    ucx_info uname uniq uptime uv valgrind vim watch wc wget which who xargs yamllint
"""
COMMANDS = frozenset(f"{SHELL} {TOOLS}".split())

PROGRAMS = {"c", "c++", "cmake", "cpp", "cuda", "fortran", "make", "py", "python", "toml", "yaml"}


def pasted(markdown: str) -> list[str]:
    """Return what a page in Markdown shows without that it ran, one sentence each; none is right."""
    return list(_faults(markdown, 0))


def _faults(markdown: str, above: int) -> Iterator[str]:
    for token in MarkdownIt("commonmark").enable("table").use(colon_fence_plugin).parse(markdown):
        line = above + (token.map[0] if token.map else 0) + 1
        if token.type in ("fence", "colon_fence"):
            yield from _in_block(token, line)
        elif token.type == "code_block":
            yield f"line {line}: indented text shown as it stands ({_first(token)!r}): outputs come from execution"
        elif token.type in ("html_block", "html_inline") and re.search(r"<(pre|samp|code)\b", token.content):
            yield f"line {line}: text typed as HTML ({_first(token)!r}): outputs come from execution"


def _in_block(token: Token, line: int) -> Iterator[str]:
    info = token.info.strip()
    directive = re.match(r"\{([\w:.-]+)\}\s*(.*)", info)
    language = directive[2].strip() if directive and directive[1] in TYPED else info
    if directive and directive[1] not in TYPED:
        if directive[1] not in OPAQUE:
            yield from _faults(token.content, line)
    elif language == "bash":
        body = re.sub(r"\A(?:\s*:[\w-]+:.*\n)+", "", token.content) if directive else token.content
        yield from (f"line {line}: {fault}" for fault in _in_commands(body))
    elif directive or language in PROGRAMS:
        yield (
            f"line {line}: a program typed by hand ({_first(token)!r}): "
            "include it by marker from the file that is tested ({literalinclude})"
        )
    else:
        yield (
            f"line {line}: pasted text in a ```{language} block ({_first(token)!r}): outputs come from execution; "
            "in a guide, {cell-output} shows what a cell of a lesson printed"
        )


def _in_commands(body: str) -> Iterator[str]:
    """Say which lines of a bash block are not commands."""
    for statement in statements(body):
        if PROMPT.match(statement):
            yield f"a prompt in a bash block ({statement!r}): show what is typed, and nothing that is printed"
            return
        word = first_word(statement)
        if word and "/" not in word and word[0] != "$" and word not in COMMANDS and shutil.which(word) is None:
            yield (
                f"an output in a bash block? {word!r} in {statement!r} is no command that the course knows; "
                "outputs come from execution (a new tool is added to rankzero.pasted.TOOLS)"
            )


def statements(body: str) -> Iterator[str]:
    """Yield the commands of a shell script, each with its continuation lines; no comments, no here-documents."""
    pending, here = "", ""
    for line in body.splitlines():
        if here:
            here = "" if line.strip() == here else here
            continue
        pending = f"{pending} {line.strip()}".strip()
        if not pending or pending.startswith("# ") or pending == "#":
            pending = ""
            continue
        started = re.search(r"<<-?\s*(['\"]?)(\w+)\1", pending)
        if started and not re.search(r"<<<", pending):
            here = started[2]
        if pending.endswith("\\"):
            pending = pending[:-1].rstrip()
        elif not re.search(r"(\||&&)$", pending) and _is_whole(pending):
            yield pending
            pending = ""
    if pending:
        yield pending


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command, comments=True)
    except ValueError:  # a quotation that goes on
        return False
    return True


def first_word(command: str) -> str:
    """Return the word that names the program of a command: after assignments, brackets and redirections."""
    for word in re.sub(r"^[({!\s]+", "", command).split():
        if not re.match(r"\w+\+?=", word):
            return word.strip(";&()\"'")
    return ""


def _first(token: Token) -> str:
    return next(iter(token.content.strip().splitlines()), "")
