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
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from coursemill import pure
from coursemill.effects import kernels, processes
from coursemill.effects.sandbox import inmate, view
from coursemill.errors import Unavailable

IDLE = 120.0
"""Seconds that a server without kernels waits for the next client."""
START = 180.0
"""Seconds that a server may take to import everything; importing TensorFlow alone has been seen to take 35."""
ANSWER = 30.0
"""Seconds that one may take that has imported everything."""
STILL: Mapping[str, str] = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}
"""The server's environment, by which imports start no threads: a fork would not have them."""
LONGEST = 70
"""Bytes of the path of a folder for sockets' folders; a socket's path may have 107."""
OLD = 600.0
"""Seconds without a client after which a server's files are looked at: is it still there?"""
INMATE = Path(inmate.__path__[0])
PURE = Path(pure.__path__[0])
SHIPPED = ("columns", "ended", "frames", "libraries", "own", "plain", "proxy", "tensors", "wire")
"""Modules without effects that run inside, too: what crosses the wall between candidate and examiner."""
PACKAGE = inmate.__name__
INSIDE = "/run"
FILES = (".socket", ".log", ".pid", ".ready")
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

    def seen(self) -> dict[str, str]:
        """The server's environment."""
        return {**(self.environment or {}), **STILL}

    def name(self) -> str:
        """The name of its socket: it tells from what is installed, too."""
        parts = (self.imports, sorted(self.seen().items()), self.devices, self.read)
        text = json.dumps([*parts, kernels.installed(), _program(), view.prefixes()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Server:
    """A connection to a server, and what is known of it."""

    talk: socket.socket
    log: BinaryIO
    path: Path | None = None
    """Of its socket, where others use it, too."""

    @property
    def patience(self) -> float:
        """Seconds to wait for its answer."""
        return ANSWER if self.path and self.path.with_suffix(".ready").exists() else START

    def works(self) -> None:
        """Note that it has imported everything."""
        if self.path:
            with contextlib.suppress(OSError):
                self.path.with_suffix(".ready").touch()

    def remove(self) -> None:
        """End a server that does not answer, and let the next client start another."""
        if self.path:
            with _locked(self.path.with_suffix(".lock")):
                _end(self.path)

    def close(self) -> None:
        """Let go of it."""
        self.talk.close()
        self.log.close()

    def last_words(self) -> str:
        """The last line that it wrote."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def connect(needs: Needs, *, preload: bool = True) -> Server:
    """Return a connection to a server's monitor; a server is started when there is none.

    `preload=False` starts one that imports nothing, for this connection alone. Raises Unavailable.
    """
    view.require()
    if not preload:
        return _alone(needs)
    folder = runtime()
    path = folder / f"{needs.name()}.socket"
    try:
        with _locked(path.with_suffix(".lock")):
            if (talk := _connected(path)) is None:
                _end(path)
                sweep(folder)
                with _listening(path) as listener, path.with_suffix(".log").open("wb") as log:
                    pid = start(needs, listener, log.fileno())
                    path.with_suffix(".pid").write_text(f"{pid} {_began(pid)}", encoding="ascii")
                    talk = _connected(path)
            log_read = path.with_suffix(".log").open("rb")
    except OSError as error:
        raise Unavailable(f"no kernel server can be started: {error}", where=str(folder)) from error
    assert talk is not None  # this process held the listening end
    return Server(talk, log_read, path)


def start(needs: Needs, listener: socket.socket, log: int, *, once: bool = False) -> int:
    """Start a server on `listener`, which it inherits; its words go to the descriptor `log`. Returns its process.

    It is nobody's child: its life does not hang on its first client's.
    """
    settings = json.dumps({"imports": needs.imports, "idle": IDLE, "once": once})
    with _command(needs, "server", [str(listener.fileno()), settings]) as (command, files):
        started = subprocess.run(
            ["setsid", "--fork", "sh", "-c", 'echo $$; exec "$@" >&2', "sh", *command],
            check=True,
            pass_fds=[listener.fileno(), *files],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
        )
        return int(started.stdout)


def attempt(arguments: list[str], patience: float) -> subprocess.CompletedProcess[str]:
    """Run one of the inmate's modules, with its arguments, in the sandbox; raises OSError and SubprocessError."""
    module, *rest = arguments
    with _command(Needs(), module, rest) as (command, files):
        return subprocess.run(
            command,
            pass_fds=files,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
            cwd="/",
        )


@contextlib.contextmanager
def _command(needs: Needs, module: str, arguments: list[str]) -> Iterator[tuple[list[str], list[int]]]:
    """A command line that runs a module of the inmate's in the sandbox, and the descriptors that it must inherit."""
    root = os.geteuid() == 0
    user = {"uid": view.NOBODY, "gid": view.NOBODY} if root else {"uid": os.getuid(), "gid": os.getgid()}
    texts = {path: text.format(**user) for path, text in ETC.items()}
    texts |= {f"{INSIDE}/{name}": text for name, text in _program().items()}
    program = f"import sys; sys.path.insert(0, {INSIDE!r}); from {PACKAGE}.{module} import main; main()"
    with contextlib.ExitStack() as stack:
        files = {path: stack.enter_context(_holding(text)) for path, text in texts.items()}
        seen = view.View(needs.seen(), read=needs.read, devices=needs.devices, files=files)
        inner = [sys.executable, "-I", "-c", program, *arguments]
        yield list(view.command(seen, inner, root=root)), list(files.values())


def runtime() -> Path:
    """Return this user's folder for sockets, made if need be.

    Raises Unavailable when somebody else has it.
    """
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(given, "coursemill") if _is_ours(given) and len(os.fsencode(given)) <= LONGEST else _temporary()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError as error:
        raise Unavailable(f"no place for the kernels' sockets: {error}", where=str(folder)) from error
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise Unavailable("another user could reach the kernels' sockets", where=str(folder), fix="remove the folder")
    return folder


def _is_ours(folder: str) -> bool:
    """Whether nobody else could put another folder in the place of one in it: `sudo` may keep its caller's."""
    try:
        return folder != "" and Path(folder).stat().st_uid == os.geteuid() and os.access(folder, os.W_OK)
    except OSError:
        return False


def _temporary() -> Path:
    usual = Path(tempfile.gettempdir())
    return (usual if len(os.fsencode(usual)) <= LONGEST else Path("/tmp")) / f"coursemill-{os.geteuid()}"


def sweep(folder: Path, old: float = OLD) -> None:
    """Remove the files of servers that have ended."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError):  # somebody was quicker
            if time.time() - path.stat().st_mtime < old or _process(path):
                continue
            with _locked(path, wait=False):
                if (talk := _connected(path.with_suffix(".socket"))) is not None:
                    talk.close()
                    continue
                for kind in (*FILES, ".lock"):
                    path.with_suffix(kind).unlink(missing_ok=True)


def _end(path: Path) -> None:
    """End the server of this socket, if it hangs, and remove its files."""
    if pid := _process(path):
        processes.kill_tree(pid)
    for kind in FILES:
        path.with_suffix(kind).unlink(missing_ok=True)


def _process(path: Path) -> int:
    """The server's process, as far as it lives and can be seen; else 0."""
    try:
        pid, began = path.with_suffix(".pid").read_text(encoding="ascii").split()
        return int(pid) if _began(int(pid)) == began else 0
    except (OSError, ValueError):
        return 0


def _began(pid: int) -> str:
    """When the process was started, in the system's ticks: numbers of processes are used again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return ""


@lru_cache(maxsize=1)
def _program() -> dict[str, str]:
    """The files that run inside, by their path there; the packages around theirs are empty."""
    around: dict[str, str] = {}
    ours: dict[str, str] = {}
    for package, paths in ((PACKAGE, INMATE.glob("*.py")), (pure.__name__, (PURE / f"{name}.py" for name in SHIPPED))):
        names = package.split(".")
        around |= {f"{'/'.join(names[:depth])}/__init__.py": "" for depth in range(1, len(names) + 1)}
        ours |= {f"{'/'.join(names)}/{path.name}": path.read_text(encoding="utf-8") for path in paths}
    return around | ours


def _alone(needs: Needs) -> Server:
    folder = Path(tempfile.mkdtemp(prefix="s-", dir=runtime()))
    try:
        log = (folder / "log").open("w+b")
        with _listening(folder / "socket") as listener:
            start(Needs((), needs.environment, needs.devices, needs.read), listener, log.fileno(), once=True)
            talk = _connected(folder / "socket")
    except OSError as error:
        raise Unavailable(f"no kernel server can be started: {error}", where=str(folder)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert talk is not None  # this process held the listening end
    return Server(talk, log)


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
def _locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(file.fileno(), path):  # else somebody has swept it away before it was locked
                yield
                return


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


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
