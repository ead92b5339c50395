"""Calls of Linux that Python has no name for, and messages between the processes of the sandbox.

Numbers are from linux/sched.h, linux/mount.h, linux/prctl.h and linux/sockios.h.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
PDEATHSIG, DUMPABLE, SECCOMP, CAPBSET_DROP, NO_NEW_PRIVS = 1, 4, 22, 24, 38
SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x41
CAPABILITY_VERSION_3 = 0x20080522

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
SERVE = "coursemill_serve"
"""A kernel's message of our own: a test begins, and the examiner asks on the wall."""
ASKED = b'"used"'
"""A client's question: what the processes that live now have used at most."""
MESSAGE = 1 << 18
"""Bytes of a message between client, monitor and init."""

ENDED = "coursemill: the kernel was ended: it {reason}\n"
"""What is written to a kernel's log when it does not end by itself."""


def fork(child: Callable[[], int], closing: Iterable[socket.socket]) -> int:
    """Fork; the child closes what it must not have, calls `child` and ends with its status."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for one in closing:
            one.close()
        status = child()
    except BaseException:
        with contextlib.suppress(OSError):
            os.write(2, traceback.format_exc().encode())
    os._exit(status)


def receive(talk: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A message and the descriptors that came with it; raises EOFError."""
    data, ancillary, _, _ = talk.recvmsg(MESSAGE, socket.CMSG_SPACE(32 * 4))
    descriptors = array.array("i")
    for _, _, held in ancillary:
        descriptors.frombytes(held[: len(held) - len(held) % descriptors.itemsize])
    if not data:
        raise EOFError("the other side has gone")
    return json.loads(data), list(descriptors)


def tell(talk: socket.socket, *descriptors: int, **event: object) -> None:
    """Send a message; that nobody hears it is no reason to end."""
    with contextlib.suppress(OSError):
        socket.send_fds(talk, [json.dumps(event).encode()], descriptors)


def isolate() -> None:
    """Leave the namespaces of before, all but that of mounts, for their process table is still wanted here.

    The process number follows with the next fork.
    """
    uid, gid = os.getuid(), os.getgid()
    check(LIBC.unshare(NEWUSER | NEWUTS | NEWIPC | NEWPID | NEWNET), "no namespaces of its own: unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount; raises OSError."""
    done = LIBC.mount(source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None)
    check(done, f"mount {target}")


def loopback() -> None:
    """Switch this network namespace's loopback on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP_AND_RUNNING))


def die_with_parent() -> None:
    """Be killed when the parent ends."""
    prctl(PDEATHSIG, signal.SIGKILL)


def drop_capabilities() -> None:
    """Give up all capabilities, for this process and what it starts, for ever."""
    capability = 0
    while LIBC.prctl(CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    header, none = struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24)
    check(LIBC.capset(header, none), "capset")
    prctl(NO_NEW_PRIVS, 1)


def filter_calls(program: bytes) -> None:
    """Have system calls filtered, of this process and what it starts."""
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    check(LIBC.prctl(SECCOMP, 2, head, 0, 0), "seccomp")


def prctl(option: int, value: int) -> None:
    """Set a property of this process; raises OSError."""
    check(LIBC.prctl(option, value, 0, 0, 0), f"prctl {option}")


def check(result: int, what: str) -> None:
    """Raise OSError where a call says that it failed."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
