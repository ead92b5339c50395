"""The folder that a kernel starts in, as an archive: a copy, so that nothing of the original can be changed."""

from __future__ import annotations

import contextlib
import mmap
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from coursemill.errors import CoursemillError

MOST_FILES = 50_000
GRADED = b'"nbgrader"'
"""Stands in a notebook whose tests nobody but the grader should read."""


@contextlib.contextmanager
def packed(folder: Path | None, most: int, files: Mapping[str, bytes] | None = None) -> Iterator[int]:
    """A descriptor of an archive of the folder's files, folders and links, and of `files` given by path.

    Left out is what cannot be read, what is no file (a pipe would never end), and notebooks with nbgrader's tests.
    Raises CoursemillError when it is more than `most` bytes.
    """
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            if folder and folder.is_dir():
                _fill(archive, folder.resolve(), most)
            _put(archive, files or {}, most)
        file.seek(0)
        yield file.fileno()


def _fill(archive: tarfile.TarFile, folder: Path, most: int) -> None:
    files = size = 0
    for place, folders, names in os.walk(folder):
        for name in sorted([*folders, *names]):
            path = Path(place, name)
            member = _member(archive, path, path.relative_to(folder).as_posix())
            files, size = files + 1, size + (member.size if member else 0)
            if files > MOST_FILES or size > most:
                what = f"more than {MOST_FILES} files" if files > MOST_FILES else f"more than {most >> 20} MB"
                raise CoursemillError(f"{what} do not fit into the sandbox", where=str(folder))
            if member:
                _add(archive, member, path)


def _put(archive: tarfile.TarFile, files: Mapping[str, bytes], most: int) -> None:
    if sum(map(len, files.values())) > most:
        raise CoursemillError(f"files of more than {most >> 20} MB do not fit into the sandbox")
    for path, content in sorted(files.items()):
        if not is_below(path):
            raise CoursemillError("no path below a folder", where=path)
        member = tarfile.TarInfo(path)
        member.size, member.mode = len(content), 0o644
        archive.addfile(member, BytesIO(content))


def is_below(path: str) -> bool:
    """Whether a path can only lead to a place below the folder that it is taken from."""
    parts = PurePosixPath(path)
    return bool(parts.parts) and not parts.is_absolute() and ".." not in parts.parts and "\0" not in path


def _member(archive: tarfile.TarFile, path: Path, name: str) -> tarfile.TarInfo | None:
    archive.inodes = {}  # type: ignore[attr-defined] # else a second name of a file becomes a link
    try:
        member = archive.gettarinfo(path, name)
    except OSError:  # it is gone by now
        return None
    if not (member.isreg() or member.isdir() or member.issym()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode |= 0o700 if member.isdir() else 0o600
    return member


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if not member.isreg():
        archive.addfile(member)
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # not to be read
        return
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_size >= member.size and not (path.suffix == ".ipynb" and _is_graded(file)):
            archive.addfile(member, file)


def _is_graded(file: IO[bytes]) -> bool:
    if not os.fstat(file.fileno()).st_size:
        return False
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(GRADED) >= 0
