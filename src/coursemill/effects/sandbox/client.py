"""A client's end of a kernel in the sandbox: start it, send it signals, learn how it ended."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursemill.effects.sandbox import filter, servers, view
from coursemill.effects.sandbox.inmate import CHANNELS, MESSAGE
from coursemill.effects.sandbox.limits import Limits
from coursemill.errors import CoursemillError, Unavailable

KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Order:
    """What a kernel is started with."""

    connection: Mapping[str, Any]
    """As in Jupyter's connection file, with transport ipc: its sockets are made by the client."""
    environment: Mapping[str, str]
    limits: Limits
    folder: Path | None = None
    """What the kernel finds in its working directory: a copy of this folder."""
    arguments: tuple[str, ...] = ()
    log: int = 2
    """Descriptor that gets the first megabyte that its processes write to their streams."""


class Kernel:
    """A kernel that runs, or has ended; it does not outlive this object's process."""

    def __init__(self, connection: socket.socket) -> None:
        self._talk = connection
        self.status: int | None = None
        """Exit status once it has ended, negative for a signal."""
        self.reason = ""
        """Why it was ended, where it was not its own doing."""

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        while self.status is None:
            try:
                said = self._talk.recv(MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except ConnectionError:
                said = b""
            self._heard(json.loads(said) if said else {"event": "exit", "status": KILLED, "reason": "its server ended"})
        return self.status

    def signal(self, number: int) -> None:
        """Send a signal to its process group; SIGKILL ends everything that it started, too."""
        if self.poll() is not None:
            return
        if number == signal.SIGKILL:
            self.end()
            return
        with contextlib.suppress(ConnectionError):
            self._talk.send(json.dumps({"signal": number}).encode())

    def end(self) -> None:
        """End it with all that it started."""
        if self.status is None:
            self.status = KILLED
        self._talk.close()

    def _heard(self, event: Mapping[str, Any]) -> None:
        if event["event"] in {"exit", "failed"}:
            self.status = event.get("status", 1)
            self.reason = event.get("reason", "")
            self._talk.close()


def start(order: Order, needs: servers.Needs, *, preload: bool = True) -> Kernel:
    """Start a kernel on sockets at `order.connection`.

    Raises Unavailable, and CoursemillError when the folder does not fit.
    """
    with contextlib.ExitStack() as stack:
        files = stack.enter_context(_packed(order.folder, order.limits.disk))
        listeners = [stack.enter_context(_listening(order.connection, channel)) for channel in CHANNELS]
        message = {
            "connection": dict(order.connection),
            "environment": dict(order.environment),
            "limits": order.limits.order(),
            "filter": filter.program().hex(),
            "home": view.HOME,
            "arguments": order.arguments,
        }
        descriptors = [*(listener.fileno() for listener in listeners), order.log, files]
        for _ in range(2):  # a server may have become idle in this very moment
            talk = servers.connect(needs, preload=preload)
            if _begun(talk, json.dumps(message).encode(), descriptors):
                return Kernel(talk)
            talk.close()
    raise Unavailable("no kernel can be started in the sandbox", fix="`coursemill doctor` says what is missing")


def _begun(talk: socket.socket, message: bytes, descriptors: list[int]) -> bool:
    """Hand the order over and wait until the kernel has been started; False when the server went away."""
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(message))
    try:
        socket.send_fds(talk, [message], descriptors)
        for answer in (b"{}", b""):
            said = talk.recv(MESSAGE)
            event = json.loads(said) if said else {"event": "gone"}
            if event["event"] == "failed":
                raise Unavailable(f"no kernel can be started in the sandbox: {event['reason']}")
            if event["event"] == "gone":
                return False
            if answer:
                talk.send(answer)
    except ConnectionError:
        return False
    return True


@contextlib.contextmanager
def _listening(connection: Mapping[str, Any], channel: str) -> Any:
    path = Path(f"{connection['ip']}-{connection[f'{channel}_port']}")
    path.unlink(missing_ok=True)  # of the kernel that this one follows
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(64)
        yield listener


@contextlib.contextmanager
def _packed(folder: Path | None, most: int) -> Any:
    """A descriptor of an archive of the folder's files, without what is no file, folder or link."""
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            if folder:
                archive.add(folder, ".", filter=_plain)
        if file.tell() > most:
            raise CoursemillError(f"{file.tell() >> 20} MB do not fit into the sandbox", where=str(folder))
        file.seek(0)
        yield file.fileno()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member if member.isreg() or member.isdir() or member.issym() else None


class Sockets:
    """A private folder for a kernel's sockets, which is gone when this process is, however it ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"k-{secrets.token_hex(2)}-", dir=servers.runtime()))
        self._janitor = subprocess.Popen(
            ["/bin/sh", "-c", 'cat >/dev/null; rm -rf "$1"', "sh", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def remove(self) -> None:
        """Remove the folder now."""
        shutil.rmtree(self.path, ignore_errors=True)
        assert self._janitor.stdin is not None  # it was asked for
        with contextlib.suppress(OSError):
            self._janitor.stdin.close()
        self._janitor.wait()
