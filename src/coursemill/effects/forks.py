"""Call a function in a fork of this process: whatever it does to memory, names or itself ends with the fork."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from coursemill.effects import processes

HARMLESS = {"jemalloc_bg_thd"}
"""Threads that survive a fork: jemalloc, which pyarrow brings, starts its own anew in the child."""


def call(function: Callable[[], Any], limit: float, private: int) -> tuple[Any, str]:
    """Return what `function` returns (JSON's values), and why there is nothing, in a fork that gets `limit` seconds.

    What the fork leaves running is ended. The descriptor `private` is closed in it. Processes that have several
    threads must not be forked: see `threads`.
    """
    before = _children()
    reading, writing = os.pipe()
    gc.freeze()  # else the child's collector touches, and so copies, all that there is
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):  # the parent tells its end from what it has written
            os.setsid()
            os.close(reading)
            os.close(private)
            me = os.getpid()
            Path("/proc/self/oom_score_adj").write_text("1000")  # if memory ends, then this process
            with os.fdopen(writing, "w") as stream:
                result = function()
                if os.getpid() == me:  # and no fork that the function made
                    json.dump(result, stream)
        os._exit(0)
    gc.unfreeze()
    os.close(writing)
    said, ended = _listen(child, reading, limit)
    os.close(reading)
    if not ended:
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    for left in _children() - before:  # orphans, when this process is their reaper
        processes.kill_tree(left)
    if not ended:
        return None, overtime(limit)
    return (json.loads(said), "") if said else (None, death(os.waitstatus_to_exitcode(status)))


def threads() -> int:
    """How many threads this process has that a fork would lose."""
    found = 0
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found += (task / "comm").read_text().strip() not in HARMLESS
    return found


@contextlib.contextmanager
def memory(most: int) -> Iterator[None]:
    """Give the block at most so many bytes of data beyond what the process has."""
    words = Path("/proc/self/status").read_text().split()
    now = int(words[words.index("VmData:") + 1]) * 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    unlimited = resource.RLIM_INFINITY
    limit = min(x for x in (now + most, soft, hard) if x != unlimited)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def overtime(limit: float) -> str:
    """Tell that an answer was ended after `limit` seconds."""
    return f"is still running after {limit:.0f} s"


def death(code: int) -> str:
    """Tell an answer by which its process ended."""
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
    return f"ends its process, which {how}"


def _children() -> frozenset[int]:
    """The processes that this one, while it has one thread, has started or inherited."""
    return frozenset(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


def _listen(child: int, pipe: int, limit: float) -> tuple[bytes, bool]:
    """What a child writes until it ends, and whether it did in time."""
    end, said = time.monotonic() + limit, b""
    handle = os.pidfd_open(child)
    watched = [pipe, handle]
    try:
        while ready := select.select(watched, [], [], max(0.0, end - time.monotonic()))[0]:
            if pipe in ready:
                piece = os.read(pipe, 1 << 20)
                said += piece
                if not piece:  # it has closed the pipe, and will end
                    watched = [handle]
            elif handle in ready:
                return said, True
        return said, False
    finally:
        os.close(handle)
