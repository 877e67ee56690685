"""The process between a caller and what it starts: whatever happens, nothing outlives it.

Started by `rankzero.proc` as `python -I -S _reaper.py PARENT_PID SOCKET_FD LOCK_FD RUN_DIR SHM_DIR`.
It is a *subreaper*: orphans of what it starts, daemons with two forks and a session of their own too,
become its children, so it finds and ends them all. It ends everything

- when it is told to (`stop`), or the socket closes,
- when the parent dies, even by kill -9: it holds a pidfd of the parent,
- on SIGTERM or SIGHUP.

If it is itself killed by SIGKILL, its direct children get a signal from the kernel (PDEATHSIG), and the next
run sweeps what is left: the run directory, unlocked by its death, and every process whose environment
names that directory as RANKZERO_RUN.

Requests and answers are JSON, one a line. Standard library only, few imports: a start costs about 30 ms.
"""

import ctypes
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOOK = 0.15
"""Seconds between two looks at what a child with totals uses."""
LIBC = ctypes.CDLL(None, use_errno=True)


class Child:
    """A process started on request, and what became of it."""

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        ends_at: float | None,
        totals: dict[str, int],
        files: list[str],
        folders: list[str],
        contained: bool,
    ) -> None:
        self.name = name
        self.process = process
        self.started = time.monotonic()
        self.ends_at = ends_at
        self.totals = totals
        self.files = files
        self.folders = folders
        self.contained = contained
        self.killed_for = ""


class Reaper:
    """Starts children, reports their ends, and leaves nothing behind."""

    def __init__(self, parent: int, control: socket.socket, folders: list[str]) -> None:
        self.control = control
        self.folders = folders
        self.children: dict[int, Child] = {}
        self.buffer = b""
        self.stopping = False
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.wake_read, self.wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_stop_signal)
        signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which what we start would inherit
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ, self.on_request)
        self.selector.register(self.wake_read, selectors.EVENT_READ, self.on_wake)
        try:
            self.selector.register(os.pidfd_open(parent), selectors.EVENT_READ, self.on_parent_death)
        except ProcessLookupError:
            self.stopping = True

    def on_stop_signal(self, *_: object) -> None:
        self.stopping = True

    def on_parent_death(self) -> None:
        self.stopping = True

    def on_wake(self) -> None:
        os.read(self.wake_read, 4096)

    def on_request(self) -> None:
        try:
            data = self.control.recv(1 << 16)
        except ConnectionResetError:  # the caller died with answers unread
            data = b""
        if not data:
            self.stopping = True
            return
        self.buffer += data
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            request = json.loads(line)
            getattr(self, "do_" + request.pop("do"))(**request)

    def say(self, **message: object) -> None:
        try:
            self.control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:  # nobody listens any more; the parent's death or the closed socket ends us
            pass

    # -- what can be asked --------------------------------------------------------------------

    def do_start(
        self,
        name: str,
        argv: list[str],
        cwd: str,
        env: dict[str, str],
        stdin: str,
        stdout: str,
        stderr: str,
        limits: dict[str, int],
        wall: float | None,
        totals: dict[str, int],
        folders: list[str],
        contained: bool,
        deathsig: int,
    ) -> None:
        def prepare() -> None:
            LIBC.prctl(PR_SET_PDEATHSIG, deathsig, 0, 0, 0)
            for limit, value in limits.items():
                number = getattr(resource, limit)
                hard = resource.getrlimit(number)[1]
                bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(number, (bound, bound))

        try:
            with open(stdin, "rb") as source, open(stdout, "ab") as out, open(stderr, "ab") as err:
                process = subprocess.Popen(
                    argv,
                    cwd=cwd,
                    env=env | {"RANKZERO_RUN": self.folders[0]},
                    stdin=source,
                    stdout=out,
                    stderr=subprocess.STDOUT if stderr == stdout else err,
                    start_new_session=True,
                    preexec_fn=prepare,
                )
        except (OSError, subprocess.SubprocessError) as error:
            number = getattr(error, "errno", None)
            self.say(event="failed", name=name, errno=number, reason=str(error))
            return
        ends_at = None if wall is None else time.monotonic() + wall
        self.children[process.pid] = Child(name, process, ends_at, totals, [stdout, stderr], folders, contained)
        self.say(event="started", name=name, pid=process.pid)

    def do_signal(self, name: str, number: int) -> None:
        """Send a signal to the process group that `name` leads."""
        for child in self.children.values():
            if child.name == name:
                try:
                    os.killpg(child.process.pid, number)
                except ProcessLookupError:
                    pass

    def do_end(self, name: str) -> None:
        """Kill `name` and all of its descendants; `exited` is reported as for any other end."""
        for child in list(self.children.values()):
            if child.name == name:
                self.kill_tree(child.process.pid)

    def do_stop(self) -> None:
        self.stopping = True

    # -- the loop -----------------------------------------------------------------------------

    def run(self) -> None:
        try:
            self.serve()
        finally:  # whatever went wrong with us, what we started must not outlive us
            self.end_all()
            for folder in self.folders:
                shutil.rmtree(folder, ignore_errors=True)
        self.say(event="stopped", left=sorted(descendants(os.getpid())))

    def serve(self) -> None:
        while not self.stopping:
            pending = [child.ends_at for child in self.children.values() if child.ends_at]
            if any(child.totals for child in self.children.values()):
                pending.append(time.monotonic() + LOOK)
            wait = max(0.0, min(pending) - time.monotonic()) if pending else None
            for key, _ in self.selector.select(wait):
                key.data()
            self.reap()
            for pid, child in list(self.children.items()):
                if child.killed_for:
                    continue
                if child.ends_at and time.monotonic() >= child.ends_at:
                    child.killed_for = "wall"
                elif child.totals:
                    child.killed_for = exceeded(pid, child)
                if child.killed_for:
                    child.ends_at, child.totals = None, {}
                    self.kill_tree(pid)

    def reap(self) -> None:
        """Collect every child that has ended, adopted ones too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.children.pop(pid, None)
            if child is None:
                continue
            child.process.returncode = os.waitstatus_to_exitcode(status)
            self.say(
                event="exited",
                name=child.name,
                returncode=child.process.returncode,
                timed_out=child.killed_for == "wall",
                killed_for=child.killed_for,
                wall=time.monotonic() - child.started,
                cpu=usage.ru_utime + usage.ru_stime,
                max_rss=usage.ru_maxrss * 1024,
            )

    def kill_tree(self, top: int) -> None:
        """Kill a child and what descends from it, newcomers too: stop first, so that none can fork away."""
        if top in self.children and self.children[top].contained:  # the kernel kills the rest, however fast it forks
            send(top, signal.SIGKILL)
            return
        for group in groups(descendants(top)) - {os.getpgrp()}:  # one signal that no fork escapes
            try:
                os.killpg(group, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        seen: set[int] = set()
        while True:
            new = ({top} | descendants(top)) - seen
            if not new:
                break
            for pid in new:
                send(pid, signal.SIGSTOP)
            seen |= new
        for pid in seen:
            send(pid, signal.SIGKILL)

    def end_all(self) -> None:
        """Kill and reap until no child is left: first politely, so that launchers clean up after themselves."""
        me = os.getpid()
        for pid in list(self.children):
            send(pid, signal.SIGTERM)
        polite_until = time.monotonic() + 0.5
        while time.monotonic() < polite_until and (self.children or descendants(me)):
            self.reap()
            time.sleep(0.01)
        give_up = time.monotonic() + 10
        while descendants(me) and time.monotonic() < give_up:  # another user's process we may not kill
            self.kill_tree(me)
            self.reap()
            time.sleep(0.005)


def exceeded(pid: int, child: Child) -> str:
    """Return which total a child with its descendants is beyond: processes, memory, output or disk; "" for none."""
    totals = child.totals
    pids = descendants(pid)
    if len(pids) > totals.get("processes", len(pids)):
        return "processes"
    if "memory" in totals and sum(map(resident, pids)) > totals["memory"]:
        return "memory"
    if "output" in totals and max(map(os.path.getsize, child.files)) > totals["output"]:
        return "output"
    if "disk" in totals and sum(map(size, child.folders)) > totals["disk"]:
        return "disk"
    return ""


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has to itself: resident, less what it may share."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            fields = file.read().split()
    except OSError:  # ended
        return 0
    return (int(fields[1]) - int(fields[2])) * resource.getpagesize()


def size(folder: str) -> int:
    """Return the bytes that a folder takes on its disk, less what is removed meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except OSError:
                continue
    return total


def send(pid: int, number: int) -> None:
    """Send a signal; a process that is gone already is no error, and we never signal ourselves."""
    if pid == os.getpid():
        return
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def groups(pids: set[int]) -> set[int]:
    """Return the process groups of these processes."""
    found = set()
    for pid in pids:
        try:
            found.add(os.getpgid(pid))
        except ProcessLookupError:
            continue
    return found


def descendants(top: int) -> set[int]:
    """Return the pids of all processes below `top`, zombies that wait to be reaped included."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    fields = file.read()
            except OSError:  # ended between the two calls
                continue
            parent = int(fields[fields.rindex(b")") + 2 :].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found: set[int] = set()
    queue = [top]
    while queue:
        for pid in children.get(queue.pop(), []):
            if pid not in found:
                found.add(pid)
                queue.append(pid)
    return found


def main() -> None:
    parent, control_fd, lock_fd = (int(word) for word in sys.argv[1:4])
    folders = sys.argv[4:]
    for fd in (control_fd, lock_fd):  # ours alone: the run directory is unlocked when we die
        os.set_inheritable(fd, False)
    Reaper(parent, socket.socket(fileno=control_fd), folders).run()


if __name__ == "__main__":
    main()
