"""The kernel: ipykernel in a fork, with an environment, a folder, seeds and names of its own."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from coursemill.effects.sandbox.inmate import candidate, fresh
from coursemill.effects.sandbox.inmate.mirror import Mirror
from coursemill.effects.sandbox.inmate.system import CHANNELS, DUMPABLE, SERVE, prctl

HISTORY = "--HistoryManager.hist_file=:memory:"
"""A file would be lost with the kernel, and complain in a cell's output when `/tmp` is full."""


def run(order: dict[str, Any], listeners: list[int], handed: dict[str, int]) -> int:
    """Be the kernel, on sockets that are there already; a `wall` makes it a candidate."""
    from ipykernel.kernelapp import IPKernelApp

    prctl(DUMPABLE, 1)
    fresh.begin(order, {*listeners, *handed.values()})
    connection = order["connection"]
    _take({connection[f"{name}_port"]: listener for name, listener in zip(CHANNELS, listeners, strict=True)})
    file = Path("/tmp/kernel.json")
    file.write_text(json.dumps(connection))
    app_class: Any = IPKernelApp
    app = app_class.instance(parent_handle=1)
    app.init_pdb = lambda: None  # in place of Pdb it would put one that breaks a doctest that is imported already
    app.initialize(["-f", str(file), HISTORY])
    if "wall" in handed:
        answer(app.kernel, socket.socket(fileno=handed["wall"]), Mirror.of([order["home"], "/tmp"]))
    app.start()
    return 0


def answer(kernel: Any, wall: socket.socket, mirror: Mirror) -> None:
    """Let the kernel answer what an examiner asks on the wall, whenever its client says that a test begins."""

    async def serve(_stream: object, _identities: object, _message: object) -> None:
        await candidate.serve(wall, kernel.shell.user_ns, mirror)

    kernel.shell_handlers[SERVE] = serve


def _take(listeners: dict[int, int]) -> None:
    """Let ipykernel use the sockets of its ports (the number at the end of a path) instead of making them."""
    import zmq
    from ipykernel.heartbeat import Heartbeat
    from ipykernel.kernelapp import IPKernelApp

    app_class: Any = IPKernelApp
    heart_class: Any = Heartbeat
    bind, beat = app_class._try_bind_socket, heart_class._try_bind_socket

    def bind_ours(app: Any, socket: Any, port: int) -> Any:
        socket.setsockopt(zmq.USE_FD, listeners[port])
        return bind(app, socket, port)

    def beat_ours(heart: Any) -> Any:
        heart.socket.setsockopt(zmq.USE_FD, listeners[heart.port])
        return beat(heart)

    app_class._try_bind_socket, heart_class._try_bind_socket = bind_ours, beat_ours
