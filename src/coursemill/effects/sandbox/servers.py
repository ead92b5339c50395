"""Fork servers: found by what they have imported, started on first use, shared by all clients of one user.

A server listens on a socket in a folder that only its user may enter. It ends itself when idle, so nobody has to; when
libraries are installed or the engine changes, another name is asked for, and the old one is left to its end.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coursemill.effects import kernels
from coursemill.effects.sandbox import view
from coursemill.errors import Unavailable

IDLE = 120.0
"""Seconds that a server without kernels waits for the next client."""
INMATE = Path(__file__).with_name("inmate.py")
INSIDE = "/run/inmate.py"
ETC: Mapping[str, str] = {
    "/etc/passwd": f"{view.USER}:x:{{uid}}:{{gid}}:Student:{view.HOME}:/bin/bash\n",
    "/etc/group": f"{view.USER}:x:{{gid}}:\n",
    "/etc/hosts": "127.0.0.1 localhost coursemill\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a server must have: two kernels that need the same share one."""

    imports: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    devices: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    def name(self) -> str:
        """The name of its socket: it tells from what is installed, too."""
        parts = (self.imports, sorted((self.environment or {}).items()), self.devices, self.read)
        text = json.dumps([*parts, kernels.installed(), INMATE.read_text(encoding="utf-8"), view.prefixes()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def connect(needs: Needs, *, preload: bool = True) -> socket.socket:
    """Return a connection to a server's monitor; a server is started when there is none.

    `preload=False` starts one that imports nothing, for this connection alone. Raises Unavailable.
    """
    if not preload:
        return _alone(needs)
    folder = runtime()
    path = folder / f"{needs.name()}.socket"
    with _locked(path.with_suffix(".lock")):
        if (client := _connected(path)) is None:
            path.unlink(missing_ok=True)
            with _listening(path) as listener, path.with_suffix(".log").open("wb") as log:
                start(needs, listener, log.fileno())
            client = _connected(path)
    if client is None:
        raise Unavailable("the kernel server does not answer", where=str(path), fix="look into the .log beside it")
    return client


def start(needs: Needs, listener: socket.socket, log: int, *, once: bool = False) -> None:
    """Start a server on `listener`, which it inherits; its words go to the descriptor `log`.

    It is nobody's child: its life does not hang on its first client's.
    """
    root = os.geteuid() == 0
    user = {"uid": view.NOBODY, "gid": view.NOBODY} if root else {"uid": os.getuid(), "gid": os.getgid()}
    texts = {path: text.format(**user) for path, text in ETC.items()}
    texts[INSIDE] = INMATE.read_text(encoding="utf-8")
    settings = {"imports": needs.imports, "idle": IDLE, "once": once}
    with contextlib.ExitStack() as stack:
        files = {path: stack.enter_context(_holding(text)) for path, text in texts.items()}
        seen = view.View(needs.environment or {}, read=needs.read, devices=needs.devices, files=files)
        inner = [sys.executable, "-I", INSIDE, str(listener.fileno()), json.dumps(settings)]
        subprocess.run(
            ["setsid", "--fork", *view.command(seen, inner, root=root)],
            check=True,
            pass_fds=[listener.fileno(), *files.values()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
        )


def runtime() -> Path:
    """Return this user's folder for sockets, made if need be.

    Raises Unavailable when somebody else has it.
    """
    given = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(given, "coursemill") if given and os.access(given, os.W_OK) else _temporary()
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise Unavailable("another user could reach the kernels' sockets", where=str(folder), fix="remove the folder")
    return folder


def _temporary() -> Path:
    """A socket's path may have 107 bytes only."""
    usual = Path(tempfile.gettempdir())
    return (usual if len(os.fsencode(usual)) < 50 else Path("/tmp")) / f"coursemill-{os.geteuid()}"


def _alone(needs: Needs) -> socket.socket:
    with tempfile.TemporaryDirectory(prefix="coursemill-") as folder:
        path = Path(folder, "socket")
        with _listening(path) as listener, Path(folder, "log").open("wb") as log:
            start(Needs((), needs.environment, needs.devices, needs.read), listener, log.fileno(), once=True)
        client = _connected(path)
    assert client is not None  # this process holds the listening end
    return client


def _connected(path: Path) -> socket.socket | None:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        client.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        client.close()
        return None
    return client


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(128)
        yield listener


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _holding(text: str) -> Iterator[int]:
    """A descriptor from which `text` can be read."""
    descriptor = os.memfd_create("coursemill")
    try:
        os.write(descriptor, text.encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
