"""A folder that can be put back to what it was: only what has changed is looked at closely, and copied."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK = 20_000_000
"""Nanoseconds: two changes within a tick of the kernel's clock bear the same time."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What tells that a file is untouched. The change time cannot be set by a program, unlike the modified one."""

    mode: int
    size: int
    changed: int
    inode: int
    link: str = ""


class Rewind:
    """A folder, and a copy of it in another one; `mark` takes the copy, `back` restores it."""

    def __init__(self, folder: Path, copy: Path) -> None:
        self.folder, self.copy = folder, copy
        self.marked: dict[str, _Entry] = {}
        copy.mkdir(parents=True, exist_ok=True)

    def mark(self) -> None:
        """Remember the folder as it is now."""
        self._settle()
        now = dict(self._entries())
        for name in self.marked.keys() - now.keys():
            _remove(self.copy / name)
        for name, entry in now.items():
            if self.marked.get(name) != entry:
                _put(self.folder / name, self.copy / name, entry)
        self.marked = now

    def back(self) -> None:
        """Put the folder back to the mark; what was added since is removed."""
        now = dict(self._entries())
        for name in sorted(now.keys() - self.marked.keys(), reverse=True):
            _remove(self.folder / name)
        for name, entry in self.marked.items():
            if now.get(name) != entry:
                _put(self.copy / name, self.folder / name, entry)
        if now != self.marked:
            self._settle()
            self.marked = dict(self._entries())

    def _entries(self) -> Iterator[tuple[str, _Entry]]:
        """Everything below the folder, folders before what is in them."""
        folders = [""]
        while folders:
            folder = folders.pop()
            with suppress(FileNotFoundError), os.scandir(self.folder / folder) as found:
                for one in found:
                    name = os.path.join(folder, one.name)  # noqa: PTH118 - names of any bytes, thousands of them
                    with suppress(FileNotFoundError):  # what the lesson has started may be at work here
                        entry = _entry(one)
                        folders += [name] if stat.S_ISDIR(entry.mode) else []
                        yield name, entry

    def _settle(self) -> None:
        """Wait until a further change would show in a file's time."""
        newest = max((entry.changed for _, entry in self._entries()), default=0)
        young = TICK - (time.time_ns() - newest)
        if young > 0:
            time.sleep(min(young, TICK) / 1e9)


def _entry(one: os.DirEntry[str]) -> _Entry:
    status = one.stat(follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        return _Entry(status.st_mode, 0, 0, 0)
    link = str(Path(one.path).readlink()) if stat.S_ISLNK(status.st_mode) else ""
    return _Entry(status.st_mode, status.st_size, status.st_ctime_ns, status.st_ino, link)


def _put(source: Path, target: Path, entry: _Entry) -> None:
    if stat.S_ISDIR(entry.mode):
        if target.is_symlink() or not target.is_dir():
            _remove(target)
            target.mkdir()
        target.chmod(stat.S_IMODE(entry.mode) | 0o700)
    elif entry.link:
        _remove(target)
        target.symlink_to(entry.link)
    elif stat.S_ISREG(entry.mode):
        _remove(target)
        with suppress(FileNotFoundError):
            shutil.copyfile(source, target)
            target.chmod(stat.S_IMODE(entry.mode))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
