"""Files of a folder that somebody else filled: no link is followed, nothing but files is opened, all is bounded."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coursemill.pure.grading import membernames
from coursemill.pure.grading.quotas import MB, Quotas
from coursemill.pure.grading.verdict import Note

Choice = Callable[[tuple[str, ...]], str | None]
"""(folders and name of a file) → empty: take it, a text: why it is left out, None: leave it out without a word."""
_KINDS = {
    stat.S_IFLNK: "a link, and links are not followed",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_CHUNK = 1 << 20
_TOO_LARGE = "it is too large"
_NOTED = 200
"""Notes that one folder is worth."""


@dataclass(slots=True)
class Taken:
    """What was read, by path with `/`, and what was not."""

    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, path: str, text: str) -> None:
        """Say what became of a file; a folder of endless refusals is cut short."""
        if len(self.notes) < _NOTED:
            self.notes.append(Note("file", membernames.shown(path), text))
        elif len(self.notes) == _NOTED:
            self.notes.append(Note("file", "", "and others"))


def read(top: Path, below: Sequence[str], choice: Choice, quotas: Quotas) -> Taken:
    """Read the files in the folder `below` the trusted folder `top`; never raises for what stands in it.

    Notebooks are read first, so that nothing else can use up the quotas that they need.
    """
    taken = Taken()
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(_opened(None, str(top), os.O_DIRECTORY))
            for part in below:
                if part in ("", ".", "..") or "/" in part or "\0" in part:
                    taken.note("", "its name is no folder's name")
                    return taken
                folder = stack.enter_context(_opened(folder, part, os.O_DIRECTORY | os.O_NOFOLLOW))
        except OSError as error:
            taken.note("", f"the folder cannot be read: {_why(error)}")
            return taken
        _Reader(taken, choice, quotas).folder(folder, ())
    return taken


class _Reader:
    def __init__(self, taken: Taken, choice: Choice, quotas: Quotas) -> None:
        self.taken, self.choice, self.quotas = taken, choice, quotas
        self.entries, self.left = quotas.student_files * 10, quotas.student

    def folder(self, descriptor: int, place: tuple[str, ...]) -> None:
        """Read a folder's files, then its folders."""
        names = self.names(descriptor, place)
        inner = []
        for name in sorted(names, key=lambda name: (not name.endswith(".ipynb"), name)):
            path = (*place, name)
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:
                continue  # it is gone by now
            if stat.S_ISDIR(status.st_mode):
                inner.append(name)
            else:
                self.file(descriptor, path, status)
        for name in inner:
            if self.choice((*place, name, "")) is None:
                continue
            try:
                with _opened(descriptor, name, os.O_DIRECTORY | os.O_NOFOLLOW) as folder:
                    self.folder(folder, (*place, name))
            except OSError as error:
                self.taken.note("/".join((*place, name)), f"it is left out: {_why(error)}")

    def names(self, descriptor: int, place: tuple[str, ...]) -> list[str]:
        """Names in a folder, as many as may be looked at."""
        found = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if self.entries <= 0:
                    self.taken.note("/".join(place), "more files than are looked at: the rest is left out")
                    break
                self.entries -= 1
                found.append(entry.name)
        return found

    def file(self, descriptor: int, path: tuple[str, ...], status: os.stat_result) -> None:
        """Read a file, if it is wanted, is one, and there is room."""
        written = "/".join(path)
        try:
            sane = membernames.parts(written)
        except ValueError as error:
            self.taken.note(written, f"it is left out: {error}")
            return
        reason = self.choice(sane)
        if reason is None:
            return
        kind = stat.S_IFMT(status.st_mode)
        name = "/".join(sane)
        if kind != stat.S_IFREG:
            reason = f"it is {_KINDS.get(kind, 'no file')}"
        elif name in self.taken.files:
            reason = "another file has the same name but for how its characters are composed"
        elif len(self.taken.files) >= self.quotas.student_files:
            reason = f"there are more than {self.quotas.student_files} files"
        most = min(self.quotas.file, self.left)
        if not reason and status.st_size > most:
            reason = _TOO_LARGE
        if not reason:
            data, reason = _content(descriptor, path[-1], most)
            if not reason:
                self.left -= len(data)
                self.taken.files[name] = data
                return
        if reason == _TOO_LARGE:
            reason += f", {self.quotas.file / MB:.4g} MB of a file are read, {self.quotas.student / MB:.4g} MB of all"
        self.taken.note(written, f"it is left out: {reason}")


def _content(descriptor: int, name: str, most: int) -> tuple[bytes, str]:
    """A file's bytes, or why not; what it is is asked again once it is open."""
    try:
        with _opened(descriptor, name) as file:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return b"", "it is no file any more"
            parts = []
            while most >= 0 and (part := os.read(file, min(_CHUNK, most + 1))):
                most -= len(part)
                parts.append(part)
    except OSError as error:
        return b"", _why(error)
    return (b"".join(parts), "") if most >= 0 else (b"", _TOO_LARGE)


@contextmanager
def _opened(folder: int | None, name: str, flags: int = os.O_NOFOLLOW) -> Iterator[int]:
    nofollow = _OPEN if flags & os.O_NOFOLLOW else _OPEN & ~os.O_NOFOLLOW
    descriptor = os.open(name, nofollow | flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _why(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "it is a link, and links are not followed"
    return (error.strerror or str(error)).lower()
