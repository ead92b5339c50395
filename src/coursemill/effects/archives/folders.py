"""A folder as an archive: no link is followed, and what is no file is refused."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from coursemill.effects.archives.archive import CHUNK, Broken, Lister, Member, Meter
from coursemill.pure.grading.membernames import DEEPEST, is_junk


class Folder:
    """All files below a folder, or the one in it that is called `only` and may be a link: a person has named it.

    Raises Broken when it cannot be read.
    """

    def __init__(self, root: Path, meter: Meter, only: str = "") -> None:
        self.meter, self.only = meter, only
        self.root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.lister = Lister(meter)
        self.files: list[str] = []
        try:
            self._look(self.root, "")
        except OSError as error:
            self.close()
            raise Broken(f"it cannot be read: {error.strerror}") from error
        self.listed = self.lister.listed()

    def close(self) -> None:
        os.close(self.root)

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        for member in self.listed.members:
            if member.place in wanted:
                yield member, self._chunks(self.files[member.place])

    def _look(self, folder: int, path: str) -> None:
        for name in [self.only] if self.only else sorted(os.listdir(folder)):
            self.meter.member()
            here = f"{path}{name}"
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=bool(self.only))
                if stat.S_ISDIR(status.st_mode) and not self.only:
                    self._enter(folder, name, here)
                    continue
            except OSError as error:
                self.lister.refuse(here, f"it cannot be read: {error.strerror}")
                continue
            self._add(here, status)

    def _enter(self, folder: int, name: str, here: str) -> None:
        if is_junk((name, "")):
            return
        if here.count("/") >= DEEPEST:
            self.lister.refuse(here, f"it lies more than {DEEPEST} folders deep")
            return
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            self._look(inner, f"{here}/")
        finally:
            os.close(inner)

    def _add(self, here: str, status: os.stat_result) -> None:
        problem = ""
        if stat.S_ISLNK(status.st_mode):
            problem = "it is a link"
        elif not stat.S_ISREG(status.st_mode):
            problem = "it is no file: a device, a pipe or a socket"
        self.files.append(here)
        when = datetime.fromtimestamp(status.st_mtime, UTC)
        self.lister.add(len(self.files) - 1, here, status.st_size, when, problem)

    def _chunks(self, path: str) -> Iterator[bytes]:
        """A file's bytes; each folder on the way is opened without following a link, whatever changed meanwhile."""
        size = 0
        try:
            descriptor = self._open(path.split("/"))
            with os.fdopen(descriptor, "rb") as stream:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise Broken("it is no file any more")
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    if size > self.meter.quotas.file:
                        raise Broken(f"it is larger than {self.meter.quotas.file >> 20:,} MB")
                    self.meter.took(len(chunk))
                    yield chunk
        except OSError as error:
            raise Broken(f"it cannot be read: {error.strerror}") from error

    def _open(self, parts: list[str]) -> int:
        folder = os.dup(self.root)
        try:
            for part in parts[:-1]:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                os.close(folder)
                folder = inner
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if self.only else os.O_NOFOLLOW)
            return os.open(parts[-1], flags, dir_fd=folder)
        finally:
            os.close(folder)
