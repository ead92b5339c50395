"""Work spread over forked processes, which inherit what they work on and never outlive the one who asked."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from coursemill.errors import CoursemillError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
Result = TypeVar("Result")
_task: Callable[[int], Any]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def spread(task: Callable[[int], Result], count: int, jobs: int) -> Iterator[Result]:
    """Call `task` with 0 to `count` - 1 in `jobs` forked processes; the results come in that order.

    Only numbers and results are sent: what `task` refers to is inherited. Raises CoursemillError when a process
    dies, and whatever `task` raises; the calls that have not begun are then not made.
    """
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(min(jobs, count), context, _begin, (task,))
    try:
        yield from pool.map(_call, range(count))
    except BrokenProcessPool as error:
        raise CoursemillError("a worker process died", fix="is memory short? use one process: --jobs 1") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(task: Callable[[int], Any]) -> None:
    global _task  # one a process: the pool has no other way to hand something to its calls
    _task = task
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one ends the others
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _call(number: int) -> Any:
    return _task(number)
