"""Forked processes that inherit what they work on, and never outlive the one who asked."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from coursemill.errors import CoursemillError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
MANY = 8
"""Things to do from which on processes share them."""
AT_ONCE = 64
"""Jobs that are given to processes before their results are taken."""
FORK = multiprocessing.get_context("fork")
Job = TypeVar("Job")
Result = TypeVar("Result")
_Job = TypeVar("_Job", contravariant=True)
_Result = TypeVar("_Result", covariant=True)


class Crew(Protocol[_Job, _Result]):
    """Those who do one kind of work."""

    def give(self, job: _Job) -> None:
        """Have a job done; it may be done at once."""

    def ready(self) -> Iterator[_Result]:
        """What is done by now, each result once."""

    def rest(self) -> Iterator[_Result]:
        """What is done, until all jobs are."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def share(task: Callable[[int], Result], count: int) -> Iterator[tuple[int, Result]]:
    """Do `task` for every number below `count`, where there are many side by side; each result when it is there."""

    def numbered(number: int) -> tuple[int, Result]:
        return number, task(number)

    many = count >= MANY and cores() > 1
    with Forked(numbered, cores()) if many else Alone(numbered) as crew:
        for start in range(0, count, AT_ONCE):
            for number in range(start, min(start + AT_ONCE, count)):
                crew.give(number)
            yield from crew.rest()


class Alone(Generic[Job, Result]):
    """A crew of one: this process."""

    def __init__(self, task: Callable[[Job], Result]) -> None:
        self._task = task
        self._done: deque[Result] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        return None

    def give(self, job: Job) -> None:
        """Do it now."""
        self._done.append(self._task(job))

    def ready(self) -> Iterator[Result]:
        """What was done."""
        while self._done:
            yield self._done.popleft()

    rest = ready


class Forked(Generic[Job, Result]):
    """`count` processes, forked when the block is entered and killed when it is left.

    Each calls `prepare` at once, and `task` for its jobs, which it gets in turn. Jobs and results are sent, and
    should be small; what the two functions refer to is inherited. An exception of a job is raised where its
    result is taken; CoursemillError when a process dies.
    """

    def __init__(self, task: Callable[[Job], Result], count: int, prepare: Callable[[], object] = lambda: None) -> None:
        self._task, self._count, self._prepare = task, count, prepare
        self._workers: list[tuple[Any, Connection]] = []
        self._pending: dict[Connection, int] = {}
        self._given = 0

    def __enter__(self) -> Self:
        for _ in range(self._count):
            ours, theirs = FORK.Pipe()
            process = FORK.Process(target=_work, args=(theirs, self._task, self._prepare), daemon=True)
            process.start()
            theirs.close()
            self._workers.append((process, ours))
            self._pending[ours] = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, connection in self._workers:
            process.kill()
            process.join()
            connection.close()

    def give(self, job: Job) -> None:
        """Send a job to the process whose turn it is."""
        connection = self._workers[self._given % self._count][1]
        self._given += 1
        self._pending[connection] += 1
        try:
            connection.send(job)
        except OSError as error:
            raise _died() from error

    def ready(self) -> Iterator[Result]:
        """What has been sent back by now."""
        yield from self._take(0)

    def rest(self) -> Iterator[Result]:
        """Everything that is still to come, as it comes."""
        while any(self._pending.values()):
            yield from self._take(None)

    def _take(self, patience: float | None) -> Iterator[Result]:
        for connection in wait([one for one, pending in self._pending.items() if pending], patience):
            assert isinstance(connection, Connection)
            try:
                done, result = connection.recv()
            except (EOFError, OSError) as error:
                raise _died() from error
            self._pending[connection] -= 1
            if not done:
                raise result
            yield result


def _died() -> CoursemillError:
    return CoursemillError("a worker process died", fix="is memory short? use one process: --jobs 1")


def _work(connection: Connection, task: Callable[[Any], Any], prepare: Callable[[], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one ends the others
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    gc.freeze()  # what was inherited stays, and stays shared
    prepare()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            answer = (True, task(job))
        except Exception as error:  # whatever it is, it is for the one who asked
            answer = (False, error)
        connection.send(answer)
