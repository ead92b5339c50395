"""Tries, inside the sandbox, what a kernel is made with: says for each part why it fails, or nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from coursemill.effects.sandbox.inmate import init, system

SMALL = {"disk": 1 << 20, "shared": 1 << 20}


def main() -> None:
    """Arguments are a kernel's folder and the filter of its system calls, in hexadecimal digits."""
    home, program = sys.argv[1], bytes.fromhex(sys.argv[2])
    found = {
        "user": str(os.getuid()),
        "namespaces": _attempt(system.isolate),
        "folders": _attempt(lambda: _furnished(home)),
        "seccomp": _attempt(lambda: _filtered(program)),
    }
    os.write(1, json.dumps(found).encode())


def _attempt(what: Callable[[], object]) -> str:
    """Why it fails in a process of its own; empty when it doesn't."""
    reader, writer = os.pipe()
    pid = system.fork(lambda: _told(what, writer), closing=[])
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return said or (f"exit status {status}" if status else "")


def _told(what: Callable[[], object], writer: int) -> int:
    try:
        what()
    except Exception as error:
        os.write(writer, str(error).encode())
    return 0


def _furnished(home: str) -> None:
    """As process 1 of new namespaces, which comes with the next fork."""
    system.isolate()
    if reason := _attempt(lambda: init.furnish(SMALL, home)):
        raise OSError(reason)


def _filtered(program: bytes) -> None:
    system.drop_capabilities()
    system.filter_calls(program)
    if system.LIBC.unshare(system.NEWUSER) == 0:
        raise OSError("system calls are not filtered")
