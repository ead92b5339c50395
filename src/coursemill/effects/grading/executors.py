"""Who does the work: local processes, or Dask's workers on other machines. Work and results travel by value.

A process that dies takes only its own piece of work with it: it is replaced, and the piece is given again. Work that
ends its process three times is the cause, and is given up.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from coursemill.effects import processes

TRIES = 3
"""Times that a piece of work may lose its process."""
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of work: `task(pickle.loads(shared), *arguments)`."""

    task: Callable[..., Any]
    shared: bytes
    """What many pieces have in common."""
    arguments: tuple[Any, ...] = ()


class Lost(Exception):  # noqa: N818 - what became of the work, as in the tables
    """The work ended its process again and again."""


class Crew(Protocol):
    """A `concurrent.futures.Executor`, and what is to be known of it."""

    @property
    def executor(self) -> Executor:
        """Whom work is given to; a piece that lost its process for good raises `Lost`."""

    @property
    def room(self) -> int:
        """How many pieces may be with it at once."""

    def share(self, data: bytes) -> Any:
        """What stands for `data` in the work that is given: the bytes, or what becomes them on the way."""

    def gone(self, error: BaseException) -> bool:
        """Whether a piece raised this because of where it was, and may be given again."""


def results(crew: Crew, waiting: deque[Key], piece: Callable[[Key], Piece]) -> Iterator[tuple[Key, Any]]:
    """Do all the work that waits, in any order: the key, and the result or the exception, of each piece as it ends.

    `piece` makes a piece when it is given to somebody; more may be put into `waiting` meanwhile.
    """
    given: dict[Future[Any], Key] = {}
    tries: Counter[Key] = Counter()
    while waiting or given:
        while waiting and len(given) < crew.room:
            key = waiting.popleft()
            one = piece(key)
            given[crew.executor.submit(call, one.task, crew.share(one.shared), *one.arguments)] = key
        ended, _ = concurrent.futures.wait(given, return_when=concurrent.futures.FIRST_COMPLETED)
        for future in ended:
            key = given.pop(future)
            outcome = _outcome(future)
            if isinstance(outcome, BaseException) and crew.gone(outcome):
                tries[key] += 1
                if tries[key] < TRIES:
                    waiting.append(key)
                    continue
                outcome = _lost()
            yield key, outcome


def call(task: Callable[..., Any], shared: bytes, *arguments: Any) -> Any:
    """Do a piece of work; what is shared is unpickled once for all pieces that follow one another."""
    if _last.get("shared") != shared:
        _last.update(shared=shared, value=pickle.loads(shared))
    return task(_last["value"], *arguments)


_last: dict[str, Any] = {}


class Local:
    """Processes of this machine, started when there is work; they end with this process, however it ends.

    Each has a thread here that waits for it, replaces it when it has died, and gives its work again.
    """

    def __init__(self, jobs: int, prepare: Callable[[], object] = int) -> None:
        self.room = 2 * jobs  # one that is done, and one that can begin at once
        self._prepare = prepare
        self._ended, self._lock = False, threading.Lock()
        self._seat = threading.local()
        self._pools: list[ProcessPoolExecutor] = []
        self._threads = ThreadPoolExecutor(jobs, "coursemill-seat")
        self.executor: Executor = _Seats(self._threads, self._do)

    def share(self, data: bytes) -> bytes:
        return data

    def gone(self, error: BaseException) -> bool:
        return False

    def close(self) -> None:
        """End the processes, whatever they do."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._ended = True
            for pool in self._pools:
                _kill(pool)
        self._threads.shutdown(wait=True)  # each thread drops the process that it waited for
        for pool in self._pools:
            pool.shutdown(wait=True)

    def _do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        for _ in range(TRIES):
            try:
                return self._given(function, *arguments).result()
            except BrokenProcessPool:
                self._drop()
        raise _lost()

    def _given(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Give work to the process of this thread."""
        with self._lock:
            if self._ended:
                raise concurrent.futures.CancelledError
            pool: ProcessPoolExecutor | None = getattr(self._seat, "pool", None)
            if pool is None:
                method = multiprocessing.get_context("spawn")
                pool = ProcessPoolExecutor(1, method, _begin, (os.getpid(), self._prepare))
                self._seat.pool = pool
                self._pools.append(pool)
            return pool.submit(function, *arguments)

    def _drop(self) -> None:
        pool: ProcessPoolExecutor = self._seat.pool
        self._seat.pool = None
        with self._lock:
            self._pools.remove(pool)
        _kill(pool)
        pool.shutdown(wait=True, cancel_futures=True)


class _Seats(Executor):
    """Threads, each of which has its work done by a process."""

    def __init__(self, threads: ThreadPoolExecutor, do: Callable[..., Any]) -> None:
        self._threads, self._do = threads, do

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have it done."""
        return self._threads.submit(self._do, fn, *args, **kwargs)


def _kill(pool: ProcessPoolExecutor) -> None:
    for process in tuple((pool._processes or {}).values()):  # kill_workers() comes with Python 3.14
        process.kill()


def _begin(parent: int, prepare: Callable[[], object]) -> None:
    """Make a process one that ends with its parent, and has imported what it needs."""
    processes.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one ends the others
    if os.getppid() != parent:
        os._exit(1)
    prepare()


def _lost() -> Lost:
    return Lost(f"the grader's own process died {TRIES} times while it worked on this")


def _outcome(future: Future[Any]) -> Any:
    try:
        return future.result()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # also concurrent.futures' CancelledError: the caller judges
        return error
