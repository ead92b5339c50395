"""Files that one side of the wall has changed, as bytes, and their like on the other side.

Regular files and folders alone: no link is followed or made, and nothing but content and names crosses. What comes
from the other side may be anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MOST_FILES = 2_000
"""Files and folders that are looked at, and that cross at one time."""
MOST_BYTES = 64 << 20
"""Of their contents at one time; files that do not fit are left out, the longest first."""
DEEPEST = 20
LONGEST_NAME = 255
LENGTH = struct.Struct(">I")
YOUNG = 50_000_000
"""Nanoseconds after a change in which another may have the same time: such a file is compared by content."""
HIDDEN = (".cache", ".config", ".local", ".ipython", ".jupyter", ".matplotlib", ".keras", ".ipynb_checkpoints")
NOISE = frozenset({"__pycache__", *HIDDEN})
"""Names, at any place, of what libraries keep for themselves."""
TEMPORARY = frozenset({"ipython", "matplotlib", "cache", "kernel.json"})
"""Such names directly below the second folder, the one for temporary files."""
TEMPORARY_BEGINNINGS = ("blockmgr-", "spark-", "hsperfdata_", "pymp-", ".X")
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
WRITE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Place = tuple[int, str]
"""Number of the folder, and the path below it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What tells whether a file has changed."""

    folder: bool
    size: int = 0
    changed: int = 0
    number: int = 0
    digest: bytes = b""
    """Of a file that was young when it was looked at."""


@dataclass(slots=True)
class Mirror:
    """One side's folders; what stands in them when it is made is on both sides."""

    folders: tuple[str, ...]
    kept: frozenset[Place] = frozenset()
    """Files that the other side cannot change."""
    known: dict[Place, Seen] = field(default_factory=dict)

    @classmethod
    def of(cls, folders: Iterable[str], *, guard: bool = False) -> Mirror:
        """Take what there is for known; `guard`: the other side may not change it."""
        made = cls(tuple(folders))
        made.known = {place: seen for place, seen, _ in made._look({})}
        if guard:
            made.kept = frozenset(made.known)
        return made

    def changes(self) -> bytes:
        """What has changed since the last time, empty when nothing has."""
        found = {place: (seen, differs) for place, seen, differs in self._look(self.known)}
        gone = [place for place in self.known if place not in found] if len(found) < MOST_FILES else []
        fresh = [place for place, (_, differs) in found.items() if differs]
        left, entries, contents = MOST_BYTES, [], []
        for place in sorted(fresh, key=lambda place: (found[place][0].size, place)):
            content = None if found[place][0].folder else self._read(place, left)
            if content is None and not found[place][0].folder:
                continue
            left -= len(content or b"")
            entries.append([*place, None if content is None else len(content)])
            contents.append(content or b"")
        self.known = {place: seen for place, (seen, _) in found.items()}
        if not entries and not gone:
            return b""
        head = json.dumps({"there": entries, "gone": [list(place) for place in gone]}).encode()
        return b"".join([LENGTH.pack(len(head)), head, *contents])

    def apply(self, data: bytes) -> None:
        """Do here what was done on the other side, as far as it may; raises ValueError when it makes no sense."""
        if not data:
            return
        there, gone = _parsed(data)
        for place, content in there:
            if place not in self.kept:
                with contextlib.suppress(OSError):  # a link, or something else, stands in the way
                    self._write(place, content)
        for place in sorted(gone, reverse=True):
            if place not in self.kept:
                with contextlib.suppress(OSError):
                    self._remove(place)
        touched = {place for place, _ in there} | set(gone)
        now = {place: seen for place, seen, _ in self._look({})}
        self.known = {**self.known, **{place: now[place] for place in touched if place in now}}
        for place in touched - now.keys():
            self.known.pop(place, None)

    def _look(self, before: dict[Place, Seen]) -> Iterator[tuple[Place, Seen, bool]]:
        """Each file and folder, and whether it is another than before."""
        count, now = 0, time.time_ns()
        for number, folder in enumerate(self.folders):
            for path, state in _below(folder, NOISE | TEMPORARY if number else NOISE):
                count += 1
                if count > MOST_FILES:
                    return
                place = (number, path)
                yield (place, *self._compared(place, state, before.get(place), now))

    def _compared(self, place: Place, state: os.stat_result, old: Seen | None, now: int) -> tuple[Seen, bool]:
        if stat.S_ISDIR(state.st_mode):
            return Seen(folder=True), old is None or not old.folder
        changed = max(state.st_mtime_ns, state.st_ctime_ns)
        same = old is not None and (old.size, old.changed, old.number) == (state.st_size, changed, state.st_ino)
        if same and old is not None and not old.digest:
            return old, False
        young = now - changed < YOUNG
        digest = self._digest(place) if young or same else b""
        seen = Seen(False, state.st_size, changed, state.st_ino, digest if young else b"")
        return seen, not (same and old is not None and old.digest == digest)

    def _digest(self, place: Place) -> bytes:
        return hashlib.blake2b(self._read(place, MOST_BYTES) or b"", digest_size=16).digest()

    def _read(self, place: Place, most: int) -> bytes | None:
        """A file's content; None when it is longer, or gone, or no file any more."""
        try:
            with self._parent(place, make=False) as (parent, name):
                descriptor = os.open(name, READ, dir_fd=parent)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            content = file.read(most + 1)
        return content if len(content) <= most else None

    def _write(self, place: Place, content: bytes | None) -> None:
        with self._parent(place, make=True) as (parent, name):
            if content is None:
                os.mkdir(name, dir_fd=parent)
                return
            descriptor = os.open(name, WRITE, 0o644, dir_fd=parent)
            with os.fdopen(descriptor, "wb") as file:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    file.truncate(0)
                    file.write(content)

    def _remove(self, place: Place) -> None:
        with self._parent(place, make=False) as (parent, name):
            mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                os.rmdir(name, dir_fd=parent)
            elif stat.S_ISREG(mode):
                os.unlink(name, dir_fd=parent)

    @contextlib.contextmanager
    def _parent(self, place: Place, *, make: bool) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder that holds it, gone to step by step, without a link; and its name there."""
        number, path = place
        *parts, name = path.split("/")
        here = os.open(self.folders[number], FOLDER)
        try:
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=here)
                there = os.open(part, FOLDER, dir_fd=here)
                os.close(here)
                here = there
            yield here, name
        finally:
            os.close(here)


def _below(folder: str, noise: frozenset[str], above: str = "", depth: int = 0) -> Iterator[tuple[str, os.stat_result]]:
    """Regular files and folders below a folder, as paths from the uppermost; a folder comes before what it holds."""
    if depth > DEEPEST:
        return
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in listed:
        if _is_noise(entry.name, noise):
            continue
        try:
            entry.name.encode()
            state = entry.stat(follow_symlinks=False)
        except (OSError, UnicodeError):  # it is gone, or has a name that is no text
            continue
        path = f"{above}{entry.name}"
        if stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode):
            yield path, state
        if stat.S_ISDIR(state.st_mode):
            yield from _below(entry.path, NOISE, f"{path}/", depth + 1)


def _is_noise(name: str, noise: frozenset[str]) -> bool:
    return name in noise or (noise is not NOISE and name.startswith(TEMPORARY_BEGINNINGS))


def _parsed(data: bytes) -> tuple[list[tuple[Place, bytes | None]], list[Place]]:
    """What the other side says is there, with contents (None: a folder), and what is gone; raises ValueError."""
    try:
        (length,) = LENGTH.unpack_from(data)
        at = LENGTH.size + length
        head = json.loads(data[LENGTH.size : at])
        if len(data) > MOST_BYTES + at or len(head["there"]) > MOST_FILES or len(head["gone"]) > MOST_FILES:
            raise ValueError("more files than may cross")
        there: list[tuple[Place, bytes | None]] = []
        for number, path, size in head["there"]:
            if size is not None and (type(size) is not int or not 0 <= size <= len(data) - at):
                raise ValueError("a file without its content")
            there.append((_place(number, path), None if size is None else data[at : at + size]))
            at += size or 0
        return there, [_place(number, path) for number, path in head["gone"]]
    except (KeyError, TypeError, RecursionError, struct.error) as error:
        raise ValueError(f"no files: {error}") from error


def _place(number: object, path: object) -> Place:
    """A place below one of the two folders, and nowhere else; raises ValueError."""
    if type(number) is not int or not 0 <= number < 2 or type(path) is not str:
        raise ValueError("no path")
    parts = path.split("/")
    if len(parts) > DEEPEST or any(_is_bad(part) for part in parts):
        raise ValueError("no path below a folder that is mirrored")
    return number, path


def _is_bad(part: str) -> bool:
    return part in {"", ".", "..", *NOISE} or "\0" in part or len(part.encode()) > LONGEST_NAME
