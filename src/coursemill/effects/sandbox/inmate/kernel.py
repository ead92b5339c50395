"""The kernel: ipykernel in a fork, with an environment, a folder, seeds and names of its own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from coursemill.effects.sandbox.inmate.system import CHANNELS, DUMPABLE, prctl

HISTORY = "--HistoryManager.hist_file=:memory:"
"""A file would be lost with the kernel, and complain in a cell's output when `/tmp` is full."""


def run(order: dict[str, Any], listeners: list[int]) -> int:
    """Be the kernel, on sockets that are there already."""
    from ipykernel.kernelapp import IPKernelApp

    prctl(DUMPABLE, 1)
    os.setpgid(0, 0)
    _close_all_but({1, 2, *listeners})
    os.open("/dev/null", os.O_RDONLY)  # 0, the lowest that is free
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["home"])
    _renew()
    connection = order["connection"]
    _take({connection[f"{name}_port"]: listener for name, listener in zip(CHANNELS, listeners, strict=True)})
    file = Path("/tmp/kernel.json")
    file.write_text(json.dumps(connection))
    app_class: Any = IPKernelApp
    app = app_class.instance(parent_handle=1)
    app.initialize(["-f", str(file), HISTORY])
    app.start()
    return 0


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


def _close_all_but(kept: set[int]) -> None:
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _renew() -> None:
    """Make anew what would otherwise be the same in every fork."""
    sys.argv = [""]
    sys.path.insert(0, "")  # what lies beside the notebook can be imported
    for name in [name for name in sys.modules if name.partition(".")[0] == "coursemill"]:
        del sys.modules[name]
    sys.modules["__main__"] = types.ModuleType("__main__")
    random.seed()
    tempfile.tempdir = None
    tempfile._name_sequence = None  # type: ignore[attr-defined] # its names come from a generator with a seed
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
