"""The server: it has libraries imported, and forks a monitor for each client that comes."""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import json
import os
import select
import socket
import sys
from functools import partial
from pathlib import Path

from coursemill.effects.sandbox.inmate import pages
from coursemill.effects.sandbox.inmate.monitor import watch
from coursemill.effects.sandbox.inmate.system import fork, tell

PARTS = (
    *("ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.ipkernel", "ipykernel.heartbeat", "ipykernel.debugger"),
    *("IPython.core.completerlib", "IPython.extensions.storemagic", "sqlite3", "tornado.platform.asyncio"),
    *("IPython.core.debugger", "IPython.core.oinspect", "IPython.core.logger", "IPython.utils.wildcard"),
    *("faulthandler", "stack_data", "pygments.formatters.terminal256", "pygments.styles", "pygments.lexers.python"),
)
"""What a kernel imports when it starts, and when a cell raises for the first time."""
DEBUGGER = "debugpy"
"""It would take a kernel 60 ms and a port, and nobody looks into the sandbox with it."""


class ZMQInteractiveShell:
    """What libraries look for when they are imported: without it pandas takes the place for a terminal."""

    kernel = None


def main() -> None:
    """Serve on the listening socket whose descriptor is the first argument; settings are JSON, the second."""
    settings = json.loads(sys.argv[2])
    sys.path.pop(0)  # where this package is: kernels have no use for it
    serve(socket.socket(fileno=int(sys.argv[1])), settings["imports"], settings["idle"], once=settings["once"])


def serve(listener: socket.socket, imports: list[str], idle: float, *, once: bool = False) -> None:
    """Import, then fork a monitor for each client; end when for `idle` seconds nobody came and no kernel lives.

    `once`: end with the first client's kernel.
    """
    missing = preload(imports)
    monitors: set[int] = set()
    while True:
        ready, _, _ = select.select([listener], [], [], min(1.0, idle) if monitors else idle)
        monitors = {pid for pid in monitors if os.waitpid(pid, os.WNOHANG)[0] == 0}
        if ready:
            monitors |= _accepted(listener, missing)
            if once:
                for pid in monitors:
                    os.waitpid(pid, 0)
                return
        elif not monitors and not select.select([listener], [], [], idle)[0]:
            return


def preload(imports: list[str]) -> dict[str, str]:
    """Import a kernel's parts and `imports`; return what could not be, with the reason."""
    missing = {}
    sys.modules[DEBUGGER] = None  # type: ignore[assignment] # by which its import fails
    for name in PARTS:
        importlib.import_module(name)
    del sys.modules[DEBUGGER]
    builtins.get_ipython = ZMQInteractiveShell  # type: ignore[attr-defined] # as IPython does
    for name in imports:
        try:
            importlib.import_module(name)
        except BaseException as error:  # a library may raise anything: the kernel finds out itself
            missing[name] = f"{type(error).__name__}: {error}"
    del builtins.get_ipython  # type: ignore[attr-defined] # likewise
    gc.collect()
    gc.freeze()
    pages.join()
    return missing


def _accepted(listener: socket.socket, missing: dict[str, str]) -> set[int]:
    """Fork the monitor of a client that waits; none when the client, or room for a process, is gone."""
    try:
        client, _ = listener.accept()
    except OSError:
        return set()
    with contextlib.closing(client):
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            tell(client, event="cold", reason="an import started threads, which a fork would not have")
            return set()
        try:
            return {fork(partial(watch, client, missing), closing=[listener])}
        except OSError as error:
            tell(client, event="failed", reason=str(error))
            return set()
