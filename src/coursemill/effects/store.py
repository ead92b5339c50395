"""Files that are whole or not there: atomic writes, the lock of a build, and what it remembers of the last one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from coursemill.errors import CoursemillError

UNFINISHED = ".coursemill-"
"""What the names of files begin with while they are written; a killed build leaves such."""
MODE = 0o644
"""As nbgrader sets it on what it releases, whatever the umask."""
CHUNK = 1 << 20
ADVICE = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room in your quota",
    errno.EROFS: "mount the file system for writing",
    errno.EACCES: "look at the folder's permissions",
    errno.EPERM: "look at the folder's permissions",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away",
    errno.EEXIST: "a file stands where a folder is needed: move it away",
    errno.EISDIR: "a folder stands where the file belongs: move it away",
    errno.ENAMETOOLONG: "give the note or the course's folder a shorter name",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a file was when it was last looked into."""

    size: int
    mtime: int
    """Nanoseconds; 0 when the file was too young for its time to tell it from a later change."""
    digest: str


def write(root: Path, path: str, data: bytes, mode: int = MODE, verb: str = "build") -> Stamp:
    """Put `data` at `path` below `root`: at any moment the old file or the new one stands there, whole.

    Raises CoursemillError, with the path and what to do (at last the `verb` again), when that cannot be done; the old
    file is then as it was.
    """
    with _replacing(root, path, mode, verb) as stream:
        stream.write(data)
    return stamp(root / path, hashlib.sha256(data).hexdigest())


def copy(root: Path, path: str, source: Path) -> Stamp:
    """Put a copy of the file `source` at `path` below `root`, as `write` does."""
    digest = hashlib.sha256()
    try:
        given = source.open("rb")
    except OSError as error:
        fix = "did it go away meanwhile? build again"
        raise CoursemillError(f"it cannot be read: {error.strerror}", where=str(source), fix=fix) from error
    with given, _replacing(root, path) as stream:
        while chunk := given.read(CHUNK):
            digest.update(chunk)
            stream.write(chunk)
    return stamp(root / path, digest.hexdigest())


def remove(root: Path, path: str) -> None:
    """Delete the file at `path` below `root`, and the folders that it leaves empty, but for the uppermost."""
    with explaining(path):
        root.joinpath(path).unlink(missing_ok=True)
        for folder in Path(path).parents[:-2]:
            try:
                root.joinpath(folder).rmdir()
            except OSError:
                return


def stamp(path: Path, known: str = "") -> Stamp:
    """How the file is now, with the digest of its bytes, which may be `known`."""
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns, known or digest(path))


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def below(root: Path, folder: str) -> dict[str, os.stat_result]:
    """Path below `root` → status, of every file in `folder`; links are not followed, checkpoints left out."""
    found = {}
    folders = [folder]
    while folders:
        here = folders.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(root / here) as entries:
            for entry in entries:
                path = f"{here}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".ipynb_checkpoints":
                        folders.append(path)
                else:
                    found[path] = entry.stat(follow_symlinks=False)
    return found


def sweep(folder: Path) -> None:
    """Remove what somebody who was killed has left unfinished in a folder that nobody else writes to now."""
    for path in below(folder.parent, folder.name):
        if path.rpartition("/")[2].startswith(UNFINISHED):
            remove(folder.parent, path)


@contextmanager
def locked(folder: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the only right to build; waits for the one who has it. Ends with the process, however that ends.

    `waiting` is called before it waits.
    """
    with explaining(folder.name):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def scratch(parent: Path | None = None) -> Iterator[Path]:
    """Give a folder that is gone afterwards; in `parent`, where a killed build's is removed too."""
    if parent is None:
        with tempfile.TemporaryDirectory(prefix="coursemill-") as folder:
            yield Path(folder)
        return
    stage = parent / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    with explaining(f"{parent.name}/stage"):
        stage.mkdir(parents=True)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def recall(file: Path) -> dict[str, Any]:
    """Read back what `remember` wrote; empty when there is nothing, or nothing that can be used."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(root: Path, path: str, state: Mapping[str, Any], verb: str = "build") -> None:
    """Keep `state` for `recall`."""
    write(root, path, json.dumps(state, separators=(",", ":")).encode(), verb=verb)


def explained(error: OSError, where: str, verb: str = "build") -> CoursemillError:
    """Say what an operating system's error means for the one who builds, or does what the verb says."""
    advice = ADVICE.get(error.errno or 0, "look at the folder")
    fix = f"{advice}, then {verb} again; what stood there is kept"
    return CoursemillError(f"it cannot be written: {error.strerror or error}", where=where, fix=fix)


@contextmanager
def _replacing(root: Path, path: str, mode: int = MODE, verb: str = "build") -> Iterator[BinaryIO]:
    """Open a new file beside `path`; when the block has written it, it takes the place of the old one."""
    target = root / path
    with explaining(path, verb):
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=UNFINISHED, dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


@contextmanager
def explaining(path: str, verb: str = "build") -> Iterator[None]:
    """Raise CoursemillError in place of the operating system's errors."""
    try:
        yield
    except OSError as error:
        raise explained(error, path, verb) from error
