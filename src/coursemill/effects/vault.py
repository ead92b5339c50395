"""The vault on disk: which files are notes, and their text; whatever stands there, reading it is safe.

Nothing outside of the vault is read, nothing blocks, and nothing raises for one bad note: it becomes a finding.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from pathlib import Path

from coursemill.config import Config
from coursemill.errors import CoursemillError
from coursemill.model import Finding
from coursemill.pure import codes, naming

NOTE = ".md"
FILES = ".files"
"""`<Note>.files/`, beside the note, holds its pictures and data."""
DIAGRAMS = "_diagrams"
LARGEST = 5_000_000
"""Bytes of a note. A book of 1,000 pages has half of it."""
TEMPLATES = re.compile(r"[\d_\s.-]*templates?", re.IGNORECASE)
"""Folders whose notes are patterns for new notes: they can be linked to, but are never lessons."""


class _Holds(Enum):
    """What the `.md` files of a folder are."""

    NOTES, TEMPLATES, DATA = range(3)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a folder shows it, unread: `path` is relative to the course's root, POSIX."""

    path: str
    size: int
    mtime: int
    """Nanoseconds."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note's text: UTF-8 decoded, byte order mark and line ends as they stand in the file."""

    path: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a walk over the vault found."""

    notes: tuple[Entry, ...] = ()
    templates: tuple[str, ...] = ()
    """Notes that can be linked to and are never lessons."""
    files: tuple[Entry, ...] = ()
    """What is no note: pictures, data, the worksheets' shared files."""
    folders: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def below(self, folder: str) -> tuple[Entry, ...]:
        """The files in a folder, however deep."""
        return tuple(e for e in self.files if e.path.startswith(f"{folder}/"))


@dataclass(frozen=True, slots=True)
class Vault:
    """Every note that can be read, and what is wrong with the others."""

    listing: Listing
    notes: tuple[Note, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Walk:
    """What has been found so far."""

    root: Path
    top: Path
    notes: list[Entry] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read(config: Config) -> Vault:
    """Read every note of the vault.

    Raises CoursemillError when there is no vault.
    """
    listing = walk(config)
    read = [note(config, entry) for entry in listing.notes]
    notes = tuple(n for n in read if isinstance(n, Note))
    findings = tuple(f for f in read if isinstance(f, Finding))
    return Vault(listing, notes, listing.findings + findings)


def walk(config: Config) -> Listing:
    """List what stands in the vault, in the order of the paths, without opening a file.

    Names that start with a dot are the editors' own. Files in `<Note>.files/` and in folders of the vault's
    top that start with `_` (worksheets' shared files, drawn diagrams) are no notes, whatever their names.
    Raises CoursemillError when there is no vault.
    """
    top = config.path(config.notes)
    if not top.is_dir():
        raise CoursemillError("there is no such folder", where=f"{config.notes}/", fix="a course's notes stand there")
    found = _Walk(config.root, top.resolve())
    folders = [(top, _Holds.NOTES)]
    while folders:
        folder, holds = folders.pop()
        for entry in _entries(found, folder):
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir(follow_symlinks=False):
                found.folders.append(_shown(_relative(found, entry.path)))
                shared = folder == top and entry.name in {config.shared, DIAGRAMS}
                folders.append((Path(entry.path), _Holds.DATA if shared else _below(entry.name, holds)))
            else:
                _file(found, entry, holds)
    by_path = attrgetter("path")
    return Listing(
        tuple(sorted(found.notes, key=by_path)),
        tuple(sorted(found.templates)),
        tuple(sorted(found.files, key=by_path)),
        tuple(sorted(found.folders)),
        tuple(sorted(found.findings)),
    )


def note(config: Config, entry: Entry) -> Note | Finding:
    """Read one note: its text, or why it cannot be had."""
    if entry.size > LARGEST:
        return codes.TOO_LARGE.at(
            entry.path, 1, f"the note has {entry.size:,} bytes; {LARGEST:,} is the most that is read"
        )
    try:
        data = _bytes(config.path(entry.path), LARGEST)
    except OSError as error:
        return codes.UNREADABLE.at(entry.path, 1, f"the note cannot be read: {error.strerror or error}")
    try:
        return Note(entry.path, data.decode("utf-8"), hashlib.sha256(data).hexdigest())
    except UnicodeDecodeError as error:
        return _not_utf8(entry.path, data, error)


def _below(name: str, holds: _Holds) -> _Holds:
    """What a folder of that name holds, when the one around it holds `holds`."""
    if holds is _Holds.NOTES and name.endswith(FILES):
        return _Holds.DATA
    if holds is _Holds.NOTES and TEMPLATES.fullmatch(name):
        return _Holds.TEMPLATES
    return holds


def _entries(found: _Walk, folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        found.findings.append(_unreadable(found, folder, f"the folder cannot be read: {error.strerror or error}"))
        return []


def _file(found: _Walk, entry: os.DirEntry[str], holds: _Holds) -> None:
    name = _relative(found, entry.path)
    is_note = holds is not _Holds.DATA and entry.name.endswith(NOTE)
    problem = naming.cannot_be(entry.name.removesuffix(NOTE)) if is_note else ""
    if not name.isprintable():
        problem = "the path has characters that cannot be shown"
    elif holds is _Holds.DATA and entry.name.endswith(".ipynb"):
        problem = "a notebook is no file of a lesson: nbgrader would take it for one"
    if problem:
        found.findings.append(codes.BAD_NAME.at(_shown(name), 1, problem))
        return
    try:
        status = entry.stat()
        outside = entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(found.top)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, until Python 3.13
        reason = getattr(error, "strerror", None) or "its link leads nowhere"
        found.findings.append(_unreadable(found, entry.path, f"it cannot be read: {reason}"))
        return
    if outside:
        found.findings.append(_unreadable(found, entry.path, "a link that leaves the vault is not followed"))
    elif not stat.S_ISREG(status.st_mode):
        found.findings.append(_unreadable(found, entry.path, f"this is {_kind(status.st_mode)}"))
    elif not is_note and not os.access(entry.path, os.R_OK):  # a note that cannot be read can still be linked to
        found.findings.append(_unreadable(found, entry.path, "it cannot be read: Permission denied"))
    elif is_note and holds is _Holds.TEMPLATES:
        found.templates.append(name)
    else:
        (found.notes if is_note else found.files).append(Entry(name, status.st_size, status.st_mtime_ns))


def _bytes(path: Path, most: int) -> bytes:
    """Read a regular file, never waiting for a writer; raises OSError for anything else."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(0, "it grew while it was read")
    return data


def _not_utf8(path: str, data: bytes, error: UnicodeDecodeError) -> Finding:
    line = data.count(b"\n", 0, error.start) + 1
    col = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
    guess = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
    message = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; the file seems to be {guess}"
    return codes.NOT_UTF8.at(path, line, message, col=col)


def _unreadable(found: _Walk, path: str | Path, message: str) -> Finding:
    return codes.UNREADABLE.at(_shown(_relative(found, path)), 1, message)


def _relative(found: _Walk, path: str | Path) -> str:
    return Path(path).relative_to(found.root).as_posix()


def _shown(name: str) -> str:
    """Write a name so that it can be printed and encoded."""
    return name if name.isprintable() else ascii(name)[1:-1]


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a link to a folder, which is not followed",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
