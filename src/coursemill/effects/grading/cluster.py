"""Dask's workers: processes that somebody else has started, here or on other machines."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from coursemill.effects.grading import keys
from coursemill.errors import CoursemillError, Unavailable

PATIENCE = 20
"""Seconds for the scheduler to answer, and for a worker to be there."""
AHEAD = 2
"""Pieces of work for each thread of a worker, so that none is idle while results travel."""
BEAT = 1.0
"""Seconds after which it is asked again how many workers there are."""


class Cluster:
    """A crew of whoever is connected to a scheduler, also of those who come later.

    Dask gives work again whose worker is lost, and gives it up after the fourth. Raises Unavailable when the scheduler
    or its workers are not what is needed.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = _connected(address)
        try:
            self._check()
        except BaseException:
            self.close()
            raise
        self.executor: Executor = self._client.get_executor(pure=False)
        self._shared: tuple[bytes, Any] = (b"", None)
        self._room, self._counted = 1, 0.0

    @property
    def room(self) -> int:
        if time.monotonic() - self._counted > BEAT:
            with self._connection():
                self._room = max(1, sum(self._client.nthreads().values()) * AHEAD)
            self._counted = time.monotonic()
        return self._room

    def share(self, data: bytes) -> Any:
        """Put it on all workers, once."""
        if self._shared[0] != data:
            with self._connection():
                self._shared = (data, self._client.scatter(data, broadcast=True, hash=False))
        return self._shared[1]

    def gone(self, error: BaseException) -> bool:
        """Whether the work was lost with what it needs, which is sent again; raises where all is lost."""
        if self._client.status != "running":
            raise self._lost() from error
        if not isinstance(error, CancelledError):
            return False
        self._shared = (b"", None)
        return True

    def close(self) -> None:
        """Leave the scheduler to others; work of ours that runs is cancelled."""
        self._client.close(timeout=PATIENCE)

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """Raise CoursemillError for a connection that is lost."""
        try:
            yield
        except (OSError, TimeoutError) as error:  # Dask's are of these kinds
            raise self._lost() from error

    def _lost(self) -> CoursemillError:
        fix = "start it again, then grade again: no result is lost, and none is run twice"
        return CoursemillError("the scheduler is gone", where=self.address, fix=fix)

    def _check(self) -> None:
        """Look whether workers are there, and whether they are made as we are: results depend on it."""
        from distributed import TimeoutError as Late

        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
            theirs = self._client.run(surroundings)
        except (Late, TimeoutError) as error:
            fix = f"start some: dask worker {self.address} --nthreads 1"
            raise Unavailable("the scheduler has no workers", where=self.address, fix=fix) from error
        except Exception as error:  # whatever their Python makes of it: no coursemill, another Python
            said = " ".join(str(error).split())[:300]
            fix = "give them the same Python and the same libraries as here"
            raise Unavailable(f"the workers cannot work for us: {said}", where=self.address, fix=fix) from error
        ours = surroundings()
        for worker, said in theirs.items():
            if said != ours:
                what = _difference(said, ours)
                fix = "give all the same Python and libraries: results depend on them"
                raise Unavailable(f"the worker {worker} has another environment: {what}", where=self.address, fix=fix)


@lru_cache(maxsize=1)
def surroundings() -> dict[str, Any]:
    """What results depend on, where this is called."""
    import sys

    from coursemill.effects import kernels

    return {"key": keys.environment(), "python": sys.version.split()[0], "libraries": list(kernels.installed())}


def _difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    if theirs["python"] != ours["python"]:
        return f"Python {theirs['python']}, and here it is {ours['python']}"
    here, there = set(ours["libraries"]), set(theirs["libraries"])
    if names := sorted((here | there) - (here & there)):
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        return f"{', '.join(names[:6])}{more}"
    return "another version of coursemill, or of Python"


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        fix = "pip install 'coursemill[cluster]'"
        raise Unavailable("Dask's distributed is not installed here", fix=fix) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is raised, and said in our words
    connect: Any = Client  # it has no types
    try:
        return connect(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        fix = "start one: dask scheduler; then name its address, such as tcp://host:8786"
        raise Unavailable(f"no scheduler answers: {said}", where=address, fix=fix) from error
