"""A client's end of a kernel in the sandbox: start it, send it signals, learn how it ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from coursemill.effects.sandbox import filter, groups, packing, servers, view
from coursemill.effects.sandbox.inmate.system import ASKED, CHANNELS, ENDED, MESSAGE
from coursemill.effects.sandbox.limits import Limits
from coursemill.errors import CoursemillError, Unavailable

KILLED = -signal.SIGKILL
SOCKETS = "k-"
"""How the names of folders for sockets begin."""
JANITOR = """
cat >/dev/null; rm -rf "$1"; shift
(for group; do n=0; while [ -d "$group" ] && ! rmdir "$group" 2>/dev/null && [ $n -lt 50 ]; do
sleep 0.1; n=$((n+1)); done; done) </dev/null &
"""
"""Waits until its input ends, which is when the client ends, then removes what is its client's."""
CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Order:
    """What a kernel is started with."""

    connection: Mapping[str, Any]
    """As in Jupyter's connection file, with transport ipc: its sockets are made by the client. An examiner has none."""
    environment: Mapping[str, str]
    limits: Limits
    folder: Path | None = None
    """What the kernel finds in its working directory: a copy of this folder."""
    log: int = 2
    """Descriptor that gets the first megabyte that its processes write to their streams."""
    group: groups.Group = groups.NONE
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What it finds there beside, by path."""
    role: Literal["kernel", "examiner"] = "kernel"
    handed: Mapping[str, int] = field(default_factory=dict)
    """Descriptors of sockets that it gets: a kernel's `wall` to its examiner, whose `wall` and `control`."""


class Kernel:
    """A kernel that runs, or has ended; it does not outlive this object's process."""

    def __init__(self, connection: socket.socket, group: groups.Group, log: int) -> None:
        self._talk, self._group, self._killed = connection, group, group.killed()
        self._log = os.dup(log)
        self.status: int | None = None
        """Exit status once it has ended, negative for a signal."""
        self.reason = ""
        """Why it was ended, where it was not its own doing."""

    def fileno(self) -> int:
        """A descriptor that can be read when there is something to `poll` for; -1 when it has ended."""
        return self._talk.fileno()

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        while self.status is None:
            try:
                said = self._talk.recv(MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except ConnectionError:
                said = b""
            self._heard(json.loads(said) if said else {"event": "exit", "status": KILLED, "reason": "lost its server"})
        return self.status

    def used(self) -> int:
        """Bytes that its processes, as far as they live, have held in memory at most; 0 when it has ended."""
        if self.poll() is None:
            self._talk.settimeout(1.0)
            with contextlib.suppress(OSError):
                self._talk.send(ASKED)
                while said := json.loads(self._talk.recv(MESSAGE) or b"0"):
                    if said["event"] == "used":
                        return int(said["memory"])
                    self._heard(said)
        return 0

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
            self._close()

    def _heard(self, event: Mapping[str, Any]) -> None:
        if event["event"] in {"exit", "failed"}:
            self.status = event.get("status", 1)
            self.reason = event.get("reason", "")
            if not self.reason and self.status and self._group.killed() > self._killed:
                self.reason = "used more memory than it may"
                with contextlib.suppress(OSError):
                    os.write(self._log, ENDED.format(reason=self.reason).encode())
            self._close()

    def _close(self) -> None:
        """Let go of its server, which ends what is left of it."""
        self._talk.close()
        os.close(self._log)


def start(order: Order, needs: servers.Needs, *, preload: bool = True) -> Kernel:
    """Start a kernel on sockets at `order.connection`.

    Raises Unavailable, and CoursemillError when the folder does not fit.
    """
    with contextlib.ExitStack() as stack:
        files = stack.enter_context(packing.packed(order.folder, order.limits.disk, order.files))
        channels = CHANNELS if order.role == "kernel" else ()
        listeners = [stack.enter_context(_listening(order.connection, channel)) for channel in channels]
        message = {
            "connection": dict(order.connection),
            "environment": dict(order.environment),
            "limits": order.limits.order(),
            "filter": filter.program().hex(),
            "home": view.HOME,
            "role": order.role,
            "handed": list(order.handed),
        }
        descriptors = [*(listener.fileno() for listener in listeners), *order.handed.values(), order.log, files]
        talk = _found(needs, json.dumps(message).encode(), descriptors, order, preload=preload)
        return Kernel(talk, order.group, order.log)


def _found(
    needs: servers.Needs, message: bytes, descriptors: list[int], order: Order, *, preload: bool
) -> socket.socket:
    """The connection to a server on which the kernel has started."""
    said = ""
    # A server may become idle in this very moment, or hang; one whose imports end it is of no use.
    for warm in (preload, preload, False):
        server = servers.connect(needs, preload=warm)
        with contextlib.closing(server):
            try:
                if _begun(server, message, descriptors, order):
                    server.talk.settimeout(None)
                    return server.talk.dup()
            except TimeoutError:
                server.remove()
            said = server.last_words()
    from coursemill.effects.sandbox import protections  # seldom needed

    raise protections.refusal(protections.find(), said or "its server ends at once") or Unavailable(said)


def _begun(server: servers.Server, message: bytes, descriptors: list[int], order: Order) -> bool:
    """Hand the order over and wait until the kernel has been started; False when the server went away, or may not fork.

    Raises TimeoutError when it does not answer.
    """
    talk = server.talk
    talk.settimeout(server.patience)
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(message))
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    try:
        socket.send_fds(talk, [message], descriptors)
        event, pid = _heard(talk)
        if event["event"] == "monitor":
            server.works()
            order.group.hold(pid, order.limits)
            talk.send(b"{}")
            event, _ = _heard(talk)
    except ConnectionError:
        return False
    if event["event"] not in {"started", "cold", "gone"}:
        what = f"no kernel starts in the sandbox: {event.get('reason') or 'it ended'}"
        raise Unavailable(what, fix="`coursemill doctor` says what is missing")
    return bool(event["event"] == "started")


def _heard(talk: socket.socket) -> tuple[dict[str, Any], int]:
    """A message, and who sent it: the system writes down the process, in this one's numbers."""
    data, ancillary, _, _ = talk.recvmsg(MESSAGE, socket.CMSG_SPACE(CREDENTIALS.size))
    held = [content for _, kind, content in ancillary if kind == socket.SCM_CREDENTIALS]
    pid = CREDENTIALS.unpack(held[0])[0] if held else 0
    return (json.loads(data) if data else {"event": "gone"}), pid


@contextlib.contextmanager
def _listening(connection: Mapping[str, Any], channel: str) -> Iterator[socket.socket]:
    path = Path(f"{connection['ip']}-{connection[f'{channel}_port']}")
    path.unlink(missing_ok=True)  # of the kernel that this one follows
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            listener.bind(str(path))
        except OSError as error:
            raise CoursemillError(f"no socket can be made: {error}", where=str(path)) from error
        path.chmod(0o600)
        listener.listen(64)
        yield listener


class Sockets:
    """A private folder for a kernel's sockets, which is gone when this process is, however it ends."""

    def __init__(self) -> None:
        folder = servers.runtime()
        sweep(folder)
        try:
            self.path = Path(tempfile.mkdtemp(prefix=SOCKETS, dir=folder))
        except OSError as error:
            raise Unavailable(f"no sockets can be made: {error}", where=str(folder)) from error
        self.group = groups.named(f"{os.getpid()}-{secrets.token_hex(4)}")
        self._held = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._held, fcntl.LOCK_SH)
        self._janitor = subprocess.Popen(
            ["/bin/sh", "-c", JANITOR, "sh", str(self.path), *map(str, self.group.folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def remove(self) -> None:
        """Remove the folder now."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._held)
        assert self._janitor.stdin is not None  # it was asked for
        with contextlib.suppress(OSError):
            self._janitor.stdin.close()
        self._janitor.wait()


def sweep(folder: Path, old: float = 60.0) -> None:
    """Remove the folders that nobody holds any more: their janitors were killed, too."""
    groups.sweep()
    for left in folder.glob(f"{SOCKETS}*"):
        with contextlib.suppress(OSError):  # it is in use, or gone
            if time.time() - left.stat().st_mtime < old:
                continue
            held = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(held)
