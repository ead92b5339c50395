"""What stands in `feedback/`: pages, and the slips by which nbgrader's exchange finds whose they are."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from coursemill.effects import store

TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"
"""`nbgrader release_feedback` names a page after the notebook and this secret, which the student's exchange knows."""
LARGEST = 1000
"""Bytes of a slip."""


def write(root: Path, folder: str, pages: Mapping[str, str], sources: Iterable[Path], *, force: bool = False) -> int:
    """Put pages, by file name, into `folder` below `root`; say how many were not there as they are.

    The slips come from the first of `sources`, folders of the submission, that has one. A submission that did not
    come by the exchange has none: it gets an empty time and a secret of its own, without which
    `nbgrader release_feedback` would stop for the whole class. Raises CoursemillError.
    """
    folders = tuple(sources)
    target = root / folder
    files = {name: page.encode() for name, page in pages.items()}
    written = sum(_put(root, f"{folder}/{name}", data, force=force) for name, data in files.items())
    time = _first(folders, TIMESTAMP)
    secret = _first(folders, SECRET) or _slip(target / SECRET) or secrets.token_hex(16).encode()
    for name, data in ((TIMESTAMP, time), (SECRET, secret)):
        _put(root, f"{folder}/{name}", data)
    return written


def _put(root: Path, path: str, data: bytes, *, force: bool = False) -> bool:
    """Write a file unless it stands there as it is."""
    if not force and _is(root / path, data):
        return False
    store.write(root, path, data)
    return True


def _is(path: Path, data: bytes) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _first(folders: Iterable[Path], name: str) -> bytes:
    return next((found for folder in folders if (found := _slip(folder / name))), b"")


def _slip(path: Path) -> bytes:
    """A small file's bytes; nothing for a link, which a student could point at somebody else's file, and the like."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        data = stream.read(LARGEST + 1)
    return data if len(data) <= LARGEST else b""
