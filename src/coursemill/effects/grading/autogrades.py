"""`autograded/`: what stock Formgrader, feedback and export read of a student, each file whole or not there."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from coursemill.effects import store
from coursemill.errors import CoursemillError

MODE = 0o444
"""As stock `nbgrader autograde` leaves its files."""
SHARED = 0o664
"""The same where a course is `groupshared`."""
MOST = 64 << 20
"""Bytes of a notebook that is read back."""
Stamp = tuple[int, ...]
"""Size, time of change in nanoseconds, inode."""


def stamp(path: Path) -> Stamp:
    """How a file is now; empty when it is not there, or no file."""
    try:
        status = path.lstat()
    except OSError:
        return ()
    return (status.st_size, status.st_mtime_ns, status.st_ino)


def write(folder: Path, files: Mapping[str, bytes], old: Iterable[str], *, shared: bool = False) -> dict[str, Stamp]:
    """Make the files in `folder` those given; of `old` names, what is not among them is removed.

    Returns how each file is now. Raises CoursemillError, with the old file as it was, when one cannot be written.
    """
    for name in set(old) - files.keys():
        _remove(folder, name)
    made = {}
    for name, data in files.items():
        if not _same(folder / name, data):
            _clear(folder, name)
            try:
                store.write(folder, name, data, SHARED if shared else MODE, "grade")
            except CoursemillError as error:  # it knows the file by its name alone, as every student's is called
                raise CoursemillError(error.what, where=str(folder / name), fix=error.fix) from error
        made[name] = stamp(folder / name)
    return made


def together(theirs: Mapping[str, bytes], ours: Mapping[str, bytes]) -> dict[str, bytes]:
    """A student's files and the instructor's: ours stay where a file of theirs would stand in the way."""
    folders = {str(parent) for name in ours for parent in PurePosixPath(name).parents}
    kept = {
        name: data
        for name, data in theirs.items()
        if name not in folders and not any(str(parent) in ours for parent in PurePosixPath(name).parents)
    }
    return {**kept, **ours}


def notebook(content: Mapping[str, Any]) -> bytes:
    """A notebook's bytes, laid out as nbformat writes it."""
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True, separators=(",", ": "))
    return f"{text}\n".encode("utf-8", "replace")


def read(path: Path) -> dict[str, Any]:
    """The notebook that stands there; empty when there is none, or none that can be read."""
    try:
        if path.is_symlink() or path.stat().st_size > MOST:
            return {}
    except OSError:
        return {}
    return store.recall(path)


def _remove(folder: Path, name: str) -> None:
    """Remove a file, and folders that it leaves empty."""
    with contextlib.suppress(OSError):
        (folder / name).unlink()
        for parent in PurePosixPath(name).parents[:-1]:
            (folder / parent).rmdir()


def _clear(folder: Path, name: str) -> None:
    """Make way for a file: no folder stands at its place, and neither file nor link where its folders belong."""
    for parent in reversed(PurePosixPath(name).parents[:-1]):
        there = folder / parent
        if there.is_symlink() or there.is_file():
            there.unlink()
    if (folder / name).is_dir() and not (folder / name).is_symlink():
        shutil.rmtree(folder / name)


def _same(path: Path, data: bytes) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False
