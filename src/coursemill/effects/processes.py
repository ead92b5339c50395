"""Processes that a kernel leaves behind, such as JVMs and servers: find them in /proc, and end them.

Linux only; where there is no /proc nothing is found, and only the kernel's own process group ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table."""

    pid: int
    parent: int
    session: int


def kill(find: Callable[[], Collection[int]], patience: float = 5.0) -> bool:
    """Send SIGKILL to what `find` finds until it finds nothing; False when `patience` seconds did not do."""
    end = time.monotonic() + patience
    while found := find():
        for pid in found:
            _signal(pid, signal.SIGKILL)
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def kill_tree(pid: int) -> None:
    """Kill a process and all below it, itself last: as a subreaper it keeps orphans in its tree until then."""
    kill(lambda: below(pid))
    _signal(pid, signal.SIGKILL)


def below(pid: int) -> frozenset[int]:
    """The living descendants of a process."""
    children: dict[int, list[int]] = {}
    for process in _table():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    unseen = [pid]
    while unseen:
        more = children.get(unseen.pop(), [])
        found.update(more)
        unseen.extend(more)
    return frozenset(found)


def of_session(session: int) -> frozenset[int]:
    """The living processes of a session."""
    return frozenset(p.pid for p in _table() if p.session == session)


def marked(mark: str) -> frozenset[int]:
    """The living processes that were started with `mark` ("NAME=value") in their environment.

    It finds those that have left their session and lost their parents, as daemons do.
    """
    return frozenset(p.pid for p in _table() if p.pid != os.getpid() and _carries(p.pid, mark))


def become_subreaper() -> None:
    """Let orphans below this process become its children, and not those of process 1."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Let the system kill this process when its parent's thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _table() -> list[Process]:
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            # The name, in brackets, may hold anything: read what follows its last bracket.
            state, parent, _group, session, *_ = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except (OSError, ValueError):
            continue  # it has ended
        if state not in "ZX":
            found.append(Process(int(entry.name), int(parent), int(session)))
    return found


def _carries(pid: int, mark: str) -> bool:
    try:
        return mark.encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    if pid in {0, 1, os.getpid()}:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
