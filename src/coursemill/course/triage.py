"""Look at raw notes, in a course or anywhere else, and write what is proposed for them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coursemill.config import Config
from coursemill.effects import environment, store, vault, workers
from coursemill.errors import CoursemillError, UsageError
from coursemill.model import Finding
from coursemill.pure import codes, frontmatter, naming, near
from coursemill.pure.raw import edits, triage
from coursemill.pure.raw.apirules import book
from coursemill.pure.raw.triage import Triaged

Seen = Callable[[str], None]
"""Is told each note's path when it has been looked at."""


@dataclass(frozen=True, slots=True)
class File:
    """A note on disk: `path` is relative to `base`, which is where its diff is applied."""

    base: Path
    path: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A note, looked at; with the digest of what was read."""

    file: File
    note: Triaged
    digest: str


@dataclass(frozen=True, slots=True)
class Result:
    """All notes that were asked for, in their order, and those that cannot be read."""

    notes: tuple[Looked, ...]
    unread: tuple[Finding, ...] = ()

    @property
    def proposed(self) -> bool:
        return any(looked.note.edits for looked in self.notes)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.unread, *(finding for looked in self.notes for finding in looked.note.findings))

    @property
    def diff(self) -> str:
        """One unified diff of everything that is proposed."""
        return "".join(looked.note.diff for looked in self.notes)


def find(config: Config | None, names: Sequence[str], here: Path) -> tuple[File, ...]:
    """Find the notes that `names` mean: files and folders from `here`, or what `check` takes in a course.

    All of the course when there are no names. Raises CoursemillError for a name that means nothing.
    """
    found: dict[Path, File] = {}
    for name in names:
        path = here / name
        if _exists(path):
            files = _on_disk(path, config, here)
            if not files:
                raise CoursemillError(
                    f"there is no note in `{name}`", fix=f"notes are files that end with {vault.NOTE}"
                )
        else:
            files = _in_course(config, name)
        for file in files:
            found.setdefault(file.base / file.path, file)
    if not names and config:
        return tuple(File(config.root, entry.path) for entry in vault.walk(config).notes)
    return tuple(found.values())


def look(files: Sequence[File], seen: Seen = lambda path: None) -> Result:
    """Triage each note; what cannot be read or decoded is a finding, and the others are looked at."""
    versions = environment.versions(book().distributions)
    found: dict[int, Looked | Finding] = {}
    for number, one in workers.share(lambda number: _looked(files[number], versions), len(files)):
        found[number] = one
        seen(files[number].path)
    ordered = [found[number] for number in sorted(found)]
    notes = tuple(one for one in ordered if isinstance(one, Looked))
    return Result(notes, tuple(one for one in ordered if isinstance(one, Finding)))


def write(looked: Looked) -> None:
    """Put the note with all its edits in the place of the old one, which keeps its mode.

    Raises CoursemillError when the file is no more what was looked at, or cannot be written.
    """
    target = looked.file.base.joinpath(looked.file.path).resolve()
    with store.explaining(looked.file.path):
        data, mode = target.read_bytes(), stat.S_IMODE(target.stat().st_mode)
    if hashlib.sha256(data).hexdigest() != looked.digest:
        raise CoursemillError("the file has changed meanwhile", where=looked.file.path, fix="triage it again")
    if not os.access(target, os.W_OK):
        raise CoursemillError("the file may not be written", where=looked.file.path, fix="look at its permissions")
    store.write(target.parent, target.name, looked.note.after.encode(), mode)


def _looked(file: File, versions: Mapping[str, str]) -> Looked | Finding:
    try:
        status = file.base.joinpath(file.path).stat()
    except OSError as error:
        return codes.UNREADABLE.at(file.path, 1, f"the note cannot be read: {error.strerror or error}")
    entry = vault.Entry(file.path, status.st_size, status.st_mtime_ns)
    note = vault.note(Config(root=file.base), entry)
    if isinstance(note, Finding):
        return note
    return Looked(file, triage.triage(file.path, note.text, versions), note.digest)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, NUL bytes
        return False


def _on_disk(path: Path, config: Config | None, here: Path) -> list[File]:
    """A file as a note, and a folder as the notes in it."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 - links stay what they are
    folder = path if path.is_dir() else path.parent
    base = next((b for b in (config.root if config else None, here) if b and path.is_relative_to(b)), folder)
    if not path.is_dir():
        return [File(base, path.relative_to(base).as_posix())]
    listing = vault.walk(Config(root=base, notes=path.relative_to(base).as_posix()))
    return [File(base, entry.path) for entry in listing.notes]


def _in_course(config: Config | None, name: str) -> list[File]:
    """The notes of a course that a name, a glob or a worksheet means."""
    if config is None:
        raise CoursemillError(
            f"there is no file or folder `{name}`", fix="and no course here, in which it may be a name"
        )
    entries = vault.walk(config).notes
    found = [entry for entry in entries if naming.means(name, entry.path)]
    found = found or [entry for entry in entries if name in _worksheets(config, entry)]
    if not found:
        stems = (PurePosixPath(entry.path).stem for entry in entries)
        fix = near.advice(PurePosixPath(name).name.removesuffix(vault.NOTE), stems)
        raise UsageError(f"there is no note `{name}`", fix=fix or "name a file, a folder, a note or a worksheet")
    return [File(config.root, entry.path) for entry in found]


def _worksheets(config: Config, entry: vault.Entry) -> tuple[str, ...]:
    note = vault.note(config, entry)
    if isinstance(note, Finding):
        return ()
    return frontmatter.read(note.path, [line for line, _ in edits.split(note.text)])[0].worksheets
