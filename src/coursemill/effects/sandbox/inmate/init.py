"""Process 1 of a kernel's namespace: furnishes the sandbox, starts the kernel, buries the dead."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coursemill.effects.sandbox.inmate import assessor, kernel, system
from coursemill.effects.sandbox.inmate.system import fork, receive, tell

INODES = 100_000
"""Files that a kernel may have in each of its folders."""
CAREFUL = system.NOSUID | system.NODEV
NO_CORE = 1
"""A core file of at most one byte is none, and is not piped to the crash handler either; see fs/coredump.c."""

ROLES: dict[str, Callable[[dict[str, Any], list[int], dict[str, int]], int]] = {
    "kernel": kernel.run,
    "examiner": assessor.run,
}


def begin(
    talk: socket.socket, order: dict[str, Any], listeners: list[int], handed: dict[str, int], files: int, log: int
) -> int:
    """Furnish, start the kernel, or who else is to live here, and stay until it ends."""
    system.die_with_parent()
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # so that process 1 does not hear it from its own namespace
    os.dup2(log, 1)
    os.dup2(log, 2)
    limits, home = order["limits"], order["home"]
    try:
        furnish(limits, home)
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        _lock(limits, bytes.fromhex(order["filter"]))
        _unpack(files, home)
    except Exception as error:
        tell(talk, event="failed", reason=str(error))
        return 1
    system.prctl(system.DUMPABLE, 0)  # no process of this user may look into this one
    inhabitant = fork(lambda: ROLES[order["role"]](order, listeners, handed), closing=[talk])
    with contextlib.suppress(OSError):  # it does the same: whoever is first
        os.setpgid(inhabitant, inhabitant)
    nothing = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    for descriptor in (*listeners, *handed.values(), log, files, nothing):
        os.close(descriptor)
    tell(talk, proc, event="started")
    os.close(proc)
    return _reap(talk, inhabitant)


def _reap(talk: socket.socket, inhabitant: int) -> int:
    """Pass signals on to the kernel, and say how it ended; orphans are buried."""
    reader, writer = os.pipe()
    sources: list[Any] = [talk, reader]
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    os.kill(os.getpid(), signal.SIGCHLD)  # it may have ended already
    while True:
        ready: list[object] = select.select(sources, [], [])[0]
        if talk in ready:
            try:
                os.killpg(inhabitant, receive(talk)[0]["signal"])
            except EOFError:
                return 0
            except ProcessLookupError:
                pass
        if reader in ready:
            os.read(reader, 4096)
            with contextlib.suppress(ChildProcessError):
                while (dead := os.waitpid(-1, os.WNOHANG))[0]:
                    if dead[0] == inhabitant:
                        tell(talk, event="exit", status=os.waitstatus_to_exitcode(dead[1]))
                        return 0


def furnish(limits: dict[str, int], home: str) -> None:
    """Mount what is the kernel's own: processes, folders of limited size, terminals; switch the loopback on."""
    system.check(system.LIBC.unshare(system.NEWNS), "unshare")
    system.mount("none", "/", "", system.REC | system.PRIVATE)
    system.mount("proc", "/proc", "proc", CAREFUL | system.NOEXEC)
    for folder, size in (("/tmp", limits["disk"]), (home, limits["disk"]), ("/dev/shm", limits["shared"])):
        below = _mounted_below(folder)
        options = f"size={size},nr_inodes={INODES},mode=0700"
        system.mount("tmpfs", folder, "tmpfs", CAREFUL, options)
        for path, descriptor in below.items():
            _show_again(path, descriptor)
    system.mount("devpts", "/dev/pts", "devpts", system.NOSUID | system.NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    # Memory that is shared by way of /dev/zero is counted nowhere once it is unmapped. /dev/full reads the same.
    system.mount("/dev/full", "/dev/zero", "", system.BIND)
    for folder in ("/proc/sys", "/proc/pressure"):
        if os.access(folder, os.F_OK):
            system.mount(folder, folder, "", system.BIND | system.REC)
            system.mount("none", folder, "", system.REMOUNT | system.BIND | system.RDONLY | CAREFUL | system.NOEXEC)
    system.loopback()
    name = b"coursemill"
    system.check(system.LIBC.sethostname(name, len(name)), "sethostname")


def _mounted_below(folder: str) -> dict[str, int]:
    """What is mounted below a folder, as path → descriptor: this Python, when the course lies in `/tmp`."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    paths = (line.split()[4].encode().decode("unicode_escape") for line in mounts)
    return {path: os.open(path, os.O_PATH) for path in paths if path.startswith(f"{folder}/")}


def _show_again(path: str, descriptor: int) -> None:
    place, source = Path(path), f"/proc/self/fd/{descriptor}"
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.isdir(source):  # noqa: PTH112 - through the link
        place.mkdir(exist_ok=True)
    else:
        place.touch()
    system.mount(source, path, "", system.BIND)
    os.close(descriptor)


def _lock(limits: dict[str, int], program: bytes) -> None:
    """Give up all capabilities for ever, take on the limits, have system calls filtered; so do all below."""
    for what, value in (
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_CPU, limits["cpu"]),
        (resource.RLIMIT_DATA, limits["memory"]),
        (resource.RLIMIT_NOFILE, limits["descriptors"]),
        (resource.RLIMIT_CORE, NO_CORE),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NICE, 0),
        (resource.RLIMIT_RTPRIO, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (least, least))
    system.drop_capabilities()
    system.filter_calls(program)


def _unpack(files: int, home: str) -> None:
    """Extract what the client packed: what it may do by then is what the kernel may."""
    with os.fdopen(files, "rb", closefd=False) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        archive.extraction_filter = lambda member, _path: member
        archive.extractall(home)
