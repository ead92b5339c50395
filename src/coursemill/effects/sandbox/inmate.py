"""What runs inside the sandbox: a server that has libraries imported, and its forks, the kernels.

It is started by its path, in a Python that need not have this project: it uses the standard library and ipykernel.

    server -> monitor (one a kernel: its client's end, its limits) -> init (process 1) -> kernel

The server runs no student's code and is told no secret, so that its forks inherit none. A fork leaves every namespace
of the server's; neither the server nor another fork can be seen from there, nor reached by a file or a socket.
Linux numbers are from linux/sched.h, linux/mount.h, linux/prctl.h and linux/sockios.h.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import sys
import tarfile
import tempfile
import traceback
import types
from functools import partial
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
NOSUID, NODEV, NOEXEC, REC, PRIVATE = 2, 4, 8, 16384, 1 << 18
PDEATHSIG, DUMPABLE, SECCOMP, CAPBSET_DROP, NO_NEW_PRIVS = 1, 4, 22, 24, 38
SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x41
CAPABILITY_VERSION_3 = 0x20080522

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
PARTS = ("ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.ipkernel")
MESSAGE = 1 << 18
"""Bytes of a message between client, monitor and init."""
LOOK = 0.25
"""Seconds between two looks at a kernel's memory and output."""
INODES = 100_000
"""Files that a kernel may have in each of its folders."""


def main() -> None:
    """Serve on the listening socket whose descriptor is the first argument; settings are JSON, the second."""
    settings = json.loads(sys.argv[2])
    serve(socket.socket(fileno=int(sys.argv[1])), settings["imports"], settings["idle"], once=settings["once"])


def serve(listener: socket.socket, imports: list[str], idle: float, *, once: bool = False) -> None:
    """Import, then fork a monitor for each client; end when for `idle` seconds nobody came and no kernel lives.

    `once`: end with the first client's kernel.
    """
    missing = preload(imports)
    monitors: set[int] = set()
    while True:
        ready, _, _ = select.select([listener], [], [], 1.0 if monitors else idle)
        monitors = {pid for pid in monitors if os.waitpid(pid, os.WNOHANG)[0] == 0}
        if ready:
            client, _ = listener.accept()
            monitors.add(_fork(partial(_watched, client, missing), closing=[listener]))
            client.close()
            if once:
                os.waitpid(monitors.pop(), 0)
                return
        elif not monitors and not select.select([listener], [], [], idle)[0]:
            return


def preload(imports: list[str]) -> dict[str, str]:
    """Import a kernel's parts and `imports`; return what could not be, with the reason."""
    missing = {}
    for name in (*PARTS, *imports):
        try:
            importlib.import_module(name)
        except Exception as error:  # a library may raise anything: the kernel finds out itself
            missing[name] = f"{type(error).__name__}: {error}"
    gc.collect()
    gc.freeze()
    return missing


def _fork(child: Any, closing: list[socket.socket]) -> int:
    """Fork; the child closes what it must not have, calls `child` and ends with its status."""
    pid = os.fork()
    if pid:
        return pid
    try:
        for one in closing:
            one.close()
        status = child()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
        status = 1
    os._exit(status)


def _watched(client: socket.socket, missing: dict[str, str]) -> int:
    try:
        return _monitor(client, missing)
    except Exception as error:
        with contextlib.suppress(OSError):
            _tell(client, event="failed", reason=f"{type(error).__name__}: {error}")
        return 1


def _monitor(client: socket.socket, missing: dict[str, str]) -> int:
    """Start a kernel in namespaces of its own, pass on what its client says, and end it when either is gone."""
    _prctl(PDEATHSIG, signal.SIGKILL)
    order, descriptors = _receive(client)
    _tell(client, event="monitor", missing=missing)
    _receive(client)  # the client has put this process where its limits are
    _isolate()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    said, saying = os.pipe()
    *listeners, log, files = descriptors
    init = _fork(lambda: _init(theirs, order, listeners, files, saying), closing=[ours, client])
    theirs.close()
    for descriptor in (*listeners, files, saying):
        os.close(descriptor)
    try:
        return _attend(client, ours, init, order["limits"], _Log(said, log))
    finally:
        os.kill(init, signal.SIGKILL)  # with process 1 its whole namespace ends
        os.waitpid(init, 0)


class _Log:
    """What the kernel's processes write to their streams, as far as it is kept."""

    longest = 1 << 20

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target, self.left = source, target, self.longest

    def copy(self) -> bool:
        """Copy what is there; False at the end."""
        data = os.read(self.source, 1 << 16)
        with contextlib.suppress(OSError):  # a full disk is no reason to end
            os.write(self.target, data[: self.left])
        self.left -= min(len(data), self.left)
        return bool(data)


def _attend(client: socket.socket, kernel: socket.socket, init: int, limits: dict[str, int], log: _Log) -> int:
    sources: list[Any] = [client, kernel, log.source]
    while True:
        ready, _, _ = select.select(sources, [], [], LOOK)
        if log.source in ready and not log.copy():
            sources.remove(log.source)
        if client in ready:
            said = client.recv(MESSAGE)
            if not said:
                return 0
            kernel.send(said)
        if kernel in ready:
            said = kernel.recv(MESSAGE)
            event = json.loads(said) if said else {"event": "exit", "status": -signal.SIGKILL}
            _tell(client, **event)
            if event["event"] == "exit":
                return 0
        if reason := _excess(init, limits):
            _tell(client, event="exit", status=-signal.SIGKILL, reason=reason)
            return 0


def _excess(init: int, limits: dict[str, int]) -> str:
    """What the kernel's processes use too much of; empty when they don't."""
    pids = _below(init)
    resident = sum(_field(pid, "statm", 1) for pid in pids) * resource.getpagesize()
    if resident > limits["memory"]:
        used = sum(_shared_out(pid) for pid in pids)
        if used > limits["memory"]:
            return f"used {used >> 20} MB of memory, and {limits['memory'] >> 20} MB are allowed"
    written = max((_written(pid) for pid in pids), default=0)
    if written > limits["output"]:
        return f"wrote {written >> 20} MB, and {limits['output'] >> 20} MB are allowed"
    return ""


def _below(pid: int) -> list[int]:
    """`pid` and its living descendants."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _field(pid: int, file: str, column: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/{file}").read_text().split()[column])
    except (OSError, IndexError):  # it has ended
        return 0


def _shared_out(pid: int) -> int:
    """Bytes of memory of a process, pages that it shares counted in part (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def _written(pid: int) -> int:
    return _field(pid, "io", 3)  # wchar: to files, pipes and sockets


def _isolate() -> None:
    """Leave the server's namespaces, all but that of mounts, for the process table of before is still wanted here.

    The process number follows with the next fork.
    """
    uid, gid = os.getuid(), os.getgid()
    _call(LIBC.unshare(NEWUSER | NEWUTS | NEWIPC | NEWPID | NEWNET), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _init(talk: socket.socket, order: dict[str, Any], listeners: list[int], files: int, log: int) -> int:
    """Be process 1 of the kernel's namespace: furnish the sandbox, start the kernel, bury the dead."""
    _prctl(PDEATHSIG, signal.SIGKILL)
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    limits, home = order["limits"], order["home"]
    _furnish(limits, home)
    with os.fdopen(files, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        archive.extractall(home, filter="data")
    _lock(limits, bytes.fromhex(order["filter"]))
    _prctl(DUMPABLE, 0)  # no process of this user may look into this one
    kernel = _fork(lambda: _kernel(order, listeners), closing=[talk])
    for descriptor in (*listeners, log, 1, 2):
        os.close(descriptor)
    talk.send(json.dumps({"event": "started"}).encode())
    return _reap(talk, kernel)


def _reap(talk: socket.socket, kernel: int) -> int:
    """Pass signals on to the kernel, and say how it ended; orphans are buried."""
    reader, writer = os.pipe()
    sources: list[Any] = [talk, reader]
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    os.kill(os.getpid(), signal.SIGCHLD)  # it may have ended already
    while True:
        ready, _, _ = select.select(sources, [], [])
        if talk in ready:
            said = talk.recv(MESSAGE)
            if not said:
                return 0
            with contextlib.suppress(ProcessLookupError):
                os.killpg(kernel, json.loads(said)["signal"])
        if reader in ready:
            os.read(reader, 4096)
            with contextlib.suppress(ChildProcessError):
                while (dead := os.waitpid(-1, os.WNOHANG))[0]:
                    if dead[0] == kernel:
                        status = os.waitstatus_to_exitcode(dead[1])
                        talk.send(json.dumps({"event": "exit", "status": status}).encode())
                        return 0


def _furnish(limits: dict[str, int], home: str) -> None:
    """Mount what is the kernel's own: processes, folders of limited size, terminals; switch the loopback on."""
    _call(LIBC.unshare(NEWNS), "unshare")
    _mount("none", "/", "", REC | PRIVATE)
    _mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    for folder, size in (("/tmp", limits["disk"]), (home, limits["disk"]), ("/dev/shm", limits["shared"])):
        _mount("tmpfs", folder, "tmpfs", NOSUID | NODEV, f"size={size},nr_inodes={INODES},mode=0700")
    _mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP_AND_RUNNING))
    name = b"coursemill"
    _call(LIBC.sethostname(name, len(name)), "sethostname")


def _lock(limits: dict[str, int], program: bytes) -> None:
    """Give up all capabilities for ever, take on the limits, have system calls filtered; so do all below."""
    for what, value in (
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_CPU, limits["cpu"]),
        (resource.RLIMIT_DATA, limits["memory"]),
        (resource.RLIMIT_NOFILE, limits["descriptors"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (least, least))
    capability = 0
    while LIBC.prctl(CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    header, none = struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24)
    _call(LIBC.capset(header, none), "capset")
    _prctl(NO_NEW_PRIVS, 1)
    code = ctypes.create_string_buffer(program, len(program))
    _call(LIBC.prctl(SECCOMP, 2, struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)), 0, 0), "seccomp")


def _kernel(order: dict[str, Any], listeners: list[int]) -> int:
    """Be the kernel: with an environment, a folder, seeds and names of its own, on sockets that are there already."""
    import zmq
    from ipykernel.heartbeat import Heartbeat
    from ipykernel.kernelapp import IPKernelApp

    _prctl(DUMPABLE, 1)
    os.setpgid(0, 0)
    _close_all_but({1, 2, *listeners})
    os.open("/dev/null", os.O_RDONLY)  # 0, the lowest that is free
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["home"])
    _renew()
    connection = order["connection"]
    ours = {connection[f"{name}_port"]: listener for name, listener in zip(CHANNELS, listeners, strict=True)}
    app_class: Any = IPKernelApp
    heart_class: Any = Heartbeat
    bind, beat = app_class._try_bind_socket, heart_class._try_bind_socket

    def bind_ours(app: Any, socket: Any, port: int) -> Any:
        socket.setsockopt(zmq.USE_FD, ours[port])
        return bind(app, socket, port)

    def beat_ours(heart: Any) -> Any:
        heart.socket.setsockopt(zmq.USE_FD, ours[heart.port])
        return beat(heart)

    app_class._try_bind_socket, heart_class._try_bind_socket = bind_ours, beat_ours
    file = Path("/tmp/kernel.json")
    file.write_text(json.dumps(connection))
    app = app_class.instance(parent_handle=1)
    app.initialize(["-f", str(file), *order["arguments"]])
    app.start()
    return 0


def _close_all_but(kept: set[int]) -> None:
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _renew() -> None:
    """Make anew what would otherwise be the same in every fork."""
    sys.argv = [""]
    sys.modules["__main__"] = types.ModuleType("__main__")
    random.seed()
    tempfile.tempdir = None
    tempfile._name_sequence = None  # type: ignore[attr-defined] # its names come from a generator with a seed
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _receive(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A message and the descriptors that came with it; raises EOFError."""
    data, ancillary, _, _ = client.recvmsg(MESSAGE, socket.CMSG_SPACE(32 * 4))
    descriptors = array.array("i")
    for _, _, held in ancillary:
        descriptors.frombytes(held[: len(held) - len(held) % descriptors.itemsize])
    if not data:
        raise EOFError("the client has gone")
    return json.loads(data), list(descriptors)


def _tell(client: socket.socket, **event: object) -> None:
    client.send(json.dumps(event).encode())


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    done = LIBC.mount(source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None)
    _call(done, f"mount {target}")


def _prctl(option: int, value: int) -> None:
    _call(LIBC.prctl(option, value, 0, 0, 0), f"prctl {option}")


def _call(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
