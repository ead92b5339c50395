"""A candidate and its examiner: started together, joined by a wall, ended together."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import IO, Any, Protocol

from coursemill.effects.grading import unboxed
from coursemill.effects.grading.talk import Talk
from coursemill.effects.sandbox import client, servers
from coursemill.effects.sandbox.inmate.system import CHANNELS
from coursemill.effects.sandbox.limits import Limits
from coursemill.errors import ConfigError
from coursemill.pure.grading.job import Options, Package


class Process(Protocol):
    """One of the two, as its grader sees it: a `client.Kernel`, or its like without a sandbox."""

    status: int | None
    reason: str

    def fileno(self) -> int: ...

    def poll(self) -> int | None: ...

    def signal(self, number: int) -> None: ...

    def used(self) -> int: ...

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Side:
    """A process and what it wrote to its streams."""

    process: Process
    log: IO[bytes]

    def last_words(self) -> str:
        """The last line that it wrote."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


@dataclass(frozen=True, slots=True)
class Pair:
    """Both, and what the grader has of them."""

    candidate: Side
    examiner: Side
    talk: Talk
    control: socket.socket


@contextlib.contextmanager
def started(package: Package, brought: Mapping[str, bytes], options: Options) -> Iterator[Pair]:
    """Start both; whatever they started ends with the block. `brought` are the student's files.

    Both have the instructor's files; the candidate has the student's, too, and over them. Raises Unavailable.
    """
    with contextlib.ExitStack() as stack:
        ours, control, *wall = [
            stack.enter_context(one) for two in (socket.socketpair(), socket.socketpair()) for one in two
        ]
        logs = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
        place = _sockets(os.getpid(), threading.get_ident())
        order = partial(client.Order, environment=_environment(), limits=_limits(package.limits))
        connection = _connection(str(place.path / "kernel"))
        orders = (
            order(
                connection=connection,
                files={**package.files, **brought},
                handed={"wall": wall[0].fileno()},
                log=logs[0].fileno(),
                group=place.group,
            ),
            order(
                connection={},
                files=package.files,
                handed={"control": control.fileno(), "wall": wall[1].fileno()},
                log=logs[1].fileno(),
                role="examiner",
            ),
        )
        candidate, examiner = _both(_starter(package, options), orders, stack)
        for theirs in (control, *wall):
            theirs.close()
        talk = stack.enter_context(contextlib.closing(Talk(connection)))
        yield Pair(Side(candidate, logs[0]), Side(examiner, logs[1]), talk, ours)


Starter = Callable[[client.Order], Process]


def _starter(package: Package, options: Options) -> Starter:
    if options.trust:
        return unboxed.start
    needs = servers.Needs(package.plan.imports, _environment())
    return partial(client.start, needs=needs, preload=options.preload)


def _both(start: Starter, orders: tuple[client.Order, client.Order], stack: contextlib.ExitStack) -> list[Process]:
    """Start two processes side by side; each ends with the stack, also when the other one cannot be started."""
    with ThreadPoolExecutor(1) as other:
        second = other.submit(start, orders[1])
        try:
            first = start(orders[0])
            stack.callback(first.end)
        finally:
            if not second.exception():
                stack.callback(second.result().end)
    return [first, second.result()]


def _environment() -> Mapping[str, str]:
    from coursemill.effects.sandbox.provisioner import surroundings  # jupyter_client takes a third of a second

    return surroundings("cpu")


def _limits(given: Mapping[str, int]) -> Limits:
    try:
        return Limits(**given)
    except TypeError as error:
        raise ConfigError(f"limits of the sandbox: {error}", fix=f"they are {', '.join(Limits().order())}") from error


def _connection(path: str) -> dict[str, Any]:
    ports = {f"{channel}_port": number for number, channel in enumerate(CHANNELS, 1)}
    key = secrets.token_hex()
    return {"transport": "ipc", "ip": path, "key": key, "signature_scheme": "hmac-sha256", **ports}


@cache
def _sockets(_process: int, _thread: int) -> client.Sockets:
    """A place for the sockets of one candidate after the other; it is gone when this process is."""
    return client.Sockets()
