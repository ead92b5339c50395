"""The monitor of a kernel: it starts it, passes on what is said to it and by it, and ends it when it takes too much.

It is outside of the kernel's process table and cannot be reached from there: what a kernel sends passes through it
as bytes that it counts and does not read.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from typing import Any

from coursemill.effects.sandbox.inmate import system
from coursemill.effects.sandbox.inmate.init import begin
from coursemill.effects.sandbox.inmate.log import Log
from coursemill.effects.sandbox.inmate.relay import Relay
from coursemill.effects.sandbox.inmate.system import ENDED, MESSAGE, fork, receive, tell
from coursemill.effects.sandbox.inmate.usage import Usage

LOOK = 0.25
"""Seconds between two looks at what a kernel uses."""
PATIENCE = 60.0
"""Seconds that a client may take to say what it wants."""
LINGER = 1.0
"""Seconds that a kernel's last words may take to reach its client."""


def watch(client: socket.socket, missing: dict[str, str]) -> int:
    """Be the monitor of the client's kernel until it ends."""
    try:
        system.die_with_parent()
        client.settimeout(PATIENCE)
        order, descriptors = receive(client)
        tell(client, event="monitor", missing=missing)
        receive(client)  # the client has put this process where its limits are
        client.settimeout(None)
        return _monitor(client, order, descriptors)
    except Exception as error:
        tell(client, event="failed", reason=str(error) or type(error).__name__)
        return 1


def _monitor(client: socket.socket, order: dict[str, Any], descriptors: list[int]) -> int:
    """Start a kernel in namespaces of its own, and attend it until its client or it is gone."""
    system.isolate()
    *given, log, files = descriptors
    rest = len(given) - len(order["handed"])
    listeners, handed = given[:rest], dict(zip(order["handed"], given[rest:], strict=True))
    relay = Relay([socket.socket(fileno=listener) for listener in listeners], order["limits"]["output"])
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    said, saying = os.pipe()
    init = fork(
        lambda: begin(theirs, order, [inner.detach() for inner in relay.inner], handed, files, saying),
        closing=[ours, client, *relay.outer],
    )
    theirs.close()
    relay.hand_over()
    for descriptor in (*handed.values(), files, saying):
        os.close(descriptor)
    words, reason = Log(said, log), ""
    try:
        reason = _attend(client, ours, relay, words, order["limits"])
    finally:
        os.kill(init, signal.SIGKILL)  # with process 1 its whole namespace ends
        os.waitpid(init, 0)
        words.finish(LINGER, ENDED.format(reason=reason) if reason else "")
    return 0


def _attend(client: socket.socket, kernel: socket.socket, relay: Relay, log: Log, limits: dict[str, int]) -> str:
    """Pass on what is said until either side is gone; return why the kernel must end, if it is not its own doing."""
    usage: Usage | None = None
    look = 0.0
    while True:
        reading, writing = relay.wanted()
        sources: list[Any] = [client, kernel, *log.wanted(), *reading]
        ready, room, _ = select.select(sources, writing, [], LOOK)
        relay.move(ready, room)
        if log.source in ready:
            log.copy()
        if client in ready:
            said = client.recv(MESSAGE)
            if not said:
                return ""
            if said == system.ASKED:
                tell(client, event="used", memory=usage.highest() if usage else 0)
            else:
                with contextlib.suppress(OSError):  # it ends in this very moment
                    kernel.send(said)
        if kernel in ready:
            event, proc = _heard(kernel)
            if event["event"] == "exit":
                relay.finish(LINGER)
                log.drain(LINGER)  # who hears of the end looks for the last words
            tell(client, **event)
            if event["event"] in {"exit", "failed"}:
                return ""
            usage = Usage(proc, limits)
        reason = relay.excess()
        if usage and time.monotonic() >= look:
            began = time.monotonic()
            reason = reason or usage.excess()
            look = time.monotonic() + max(LOOK, 3 * (time.monotonic() - began))
        if reason:
            tell(client, event="exit", status=-signal.SIGKILL, reason=reason)
            return reason


def _heard(kernel: socket.socket) -> tuple[dict[str, Any], int]:
    try:
        event, descriptors = receive(kernel)
    except (EOFError, ConnectionError):  # process 1 was killed: by the system, for it lets nobody else
        return {"event": "exit", "status": -signal.SIGKILL}, -1
    return event, descriptors[0] if descriptors else -1
