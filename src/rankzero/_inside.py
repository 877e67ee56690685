"""The process between the reaper and a program that is judged: it shuts the program in, and reports on its end.

Started by `rankzero._reaper` as `python -I -S _inside.py SPEC ARGV…`. SPEC is JSON: {"report": file, "cwd": folder,
"writable": [folders], "tmp": folder, "shm": folder, "keep": [paths], "isolate": bool}. The report is JSON as well:
{"returncode", "cpu", "max_rss", "stayed"}, or {"failed": "ERRNO why"} when the program could not be started.

With "isolate" the program has namespaces of its own: its processes end with it, whatever they do; its network is a
loopback that nobody else shares; and of all files it can write only those in the writable folders, "tmp" (its /tmp)
and "shm" (its /dev/shm). "keep" stays visible where it lies below /tmp. Without, this process is a subreaper, which
finds and ends what outlives the program; files are as they are.

Standard library only, few imports: a start costs about 30 ms.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38
NAMESPACES = 0x00020000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000  # mount, ipc, user, pid, net
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MS_NOSUID, MS_NODEV, MS_NOEXEC = 1 << 1, 1 << 2, 1 << 3
SYS_MOUNT_SETATTR = 442  # the same number on every architecture
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = -100, 0x8000, 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PROCESSES = 1024
"""Processes and threads of a program at most, so that a fork bomb leaves the machine alive until it is ended."""
GRACE = 0.3
"""Seconds that helpers of a launcher have to end after it."""


def call(name: str, *arguments: object) -> None:
    """Call a function of the C library; raise OSError, which names it, when it fails."""
    if getattr(LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None)


def read_only(path: str, *, yes: bool, recursive: bool = False) -> None:
    """Make a mount read-only or writable."""
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY if yes else 0, 0 if yes else MOUNT_ATTR_RDONLY, 0, 0)
    flags = AT_RECURSIVE if recursive else 0
    call("syscall", SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), flags, attributes, len(attributes))


def enter_namespaces() -> None:
    """Leave this machine's namespaces; the next child is process 1 of a new one."""
    uid, gid = os.geteuid(), os.getegid()
    call("unshare", NAMESPACES)
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def shut_in(spec: dict) -> None:
    """As process 1: a /proc of its own, nothing writable but what the spec names, and a loopback that is up."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    try:  # since Linux 6.14 a namespace has a limit of its own, which holds for root too
        with open("/proc/sys/kernel/pid_max", "w") as file:
            file.write(str(PROCESSES))
    except OSError:
        pass
    read_only("/", yes=True, recursive=True)
    tmp, shm = spec["tmp"], spec["shm"]
    for folder in (*spec["writable"], tmp, shm):
        mount(folder, folder, flags=MS_BIND)
        read_only(folder, yes=False)
    for path in sorted({*spec["keep"], *spec["writable"], tmp, shm}):
        if path.startswith("/tmp/"):
            place = tmp + path.removeprefix("/tmp")
            os.makedirs(place, exist_ok=True)
            mount(path, place, flags=MS_BIND | MS_REC)
    mount(tmp, "/tmp", flags=MS_BIND | MS_REC)
    mount(shm, "/dev/shm", flags=MS_BIND)
    os.chdir(spec["cwd"])  # where we are is still the folder under the new mounts
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = fcntl.ioctl(device, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", request)[1]
        fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def tasks_of(uid: int) -> int:
    """Return how many processes and threads a user has: what the kernel counts for RLIMIT_NPROC."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.stat(f"/proc/{entry}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{entry}/task"))
            except OSError:  # ended between the two calls
                continue
    return count


def give_up_rights() -> None:
    """Keep the program, root's too, from undoing any of this."""
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    capability = 0
    while LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1


def others(pid: int) -> dict[int, str]:
    """Return the command lines, by pid, of the processes below this one but for zombies."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    command = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:  # ended between the two calls
                continue
            parents[int(entry)] = (int(fields[1]), fields[0] in (b"Z", b"X"), command)

    def below(one: int) -> bool:
        while one in parents and one != pid:
            one = parents[one][0]
        return one == pid

    return {
        one: command or "(no command line)"
        for one, (_, dead, command) in sorted(parents.items())
        if one != pid and not dead and below(one)
    }


def end_others(seconds: float) -> None:
    """Kill all processes below this one, newcomers too."""
    deadline = time.monotonic() + seconds
    while (pids := others(os.getpid())) and time.monotonic() < deadline:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)


def keep_to_the_end(argv: list[str], isolate: bool) -> dict:
    """Start the program, reap until it has ended and its helpers had time to, and say what became of it."""
    read, write = os.pipe2(os.O_CLOEXEC)
    program = os.fork()
    if program == 0:
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)  # Python ignores two of them, and a program inherits that
            os.setsid()
            most = PROCESSES + (0 if isolate else tasks_of(os.geteuid()))  # isolated: of this namespace alone
            hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(resource.RLIMIT_NPROC, (most, most))  # root is not held to it
            if isolate:
                give_up_rights()
            os.execvpe(argv[0], argv, os.environ)
        except OSError as error:
            os.write(write, f"{error.errno} {error.strerror}".encode())
        finally:
            os._exit(127)
    os.close(write)
    failed = os.read(read, 4096).decode()
    end = None
    while end is None:
        pid, status, usage = os.wait4(-1, 0)
        if pid == program:
            end = (os.waitstatus_to_exitcode(status), usage)
    if failed:
        return {"failed": failed}
    deadline = time.monotonic() + GRACE
    stayed = others(os.getpid())
    while stayed and time.monotonic() < deadline:
        time.sleep(0.01)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        stayed = others(os.getpid())
    if not isolate:  # else the kernel does it when process 1 ends
        end_others(2.0)
    usage = end[1]
    cpu = usage.ru_utime + usage.ru_stime
    return {"returncode": end[0], "cpu": cpu, "max_rss": usage.ru_maxrss * 1024, "stayed": list(stayed.values())}


def main() -> int:
    spec, argv = json.loads(sys.argv[1]), sys.argv[2:]
    report = os.open(spec["report"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def inner() -> int:
        try:
            if spec["isolate"]:
                shut_in(spec)
            said = keep_to_the_end(argv, spec["isolate"])
        except OSError as error:
            said = {"failed": f"{error.errno or errno.EIO} the program cannot be shut in: {error.strerror or error}"}
        os.write(report, json.dumps(said).encode())
        return 0

    if not spec["isolate"]:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        return inner()
    try:
        enter_namespaces()
    except OSError as error:
        os.write(report, json.dumps({"failed": f"{error.errno} no namespaces here: {error.strerror}"}).encode())
        return 0
    me = os.getpid()
    first = os.fork()
    if first == 0:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os._exit(inner() if os.getppid() in (0, me) else 1)
    os.waitpid(first, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
