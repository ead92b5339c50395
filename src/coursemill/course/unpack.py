"""Write the notes of a transcript to their paths in a vault, and nowhere else."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from coursemill.effects import store
from coursemill.errors import CoursemillError
from coursemill.pure import transcript
from coursemill.pure.transcript import Note, Unpacked

Outcome = Literal["written", "overwritten", "unchanged", "twice", "refused"]


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a note of the transcript; `why` says it when that is not plain."""

    note: Note
    outcome: Outcome
    why: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the note's bytes, in hex."""
        return sha256(self.note.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Result:
    """A transcript, and what became of its notes, in their order."""

    found: Unpacked
    notes: tuple[Placed, ...]

    @property
    def refused(self) -> tuple[Placed, ...]:
        return tuple(one for one in self.notes if one.outcome == "refused")


def unpack(data: bytes, vault: Path, *, where: str = "", force: bool = False, dry_run: bool = False) -> Result:
    """Write the notes in `data` below the folder `vault`, which is made when it is missing.

    What stands there already is kept unless `force` is given. A note that cannot be written is refused by itself;
    the others are written. Nothing is written in a dry run, whose outcomes are what they would be.
    Raises CoursemillError when no note is found (`where` names the transcript), or when the vault is no folder.
    """
    found = transcript.unpack(data)
    if not found.notes:
        raise _nothing(data, found, where)
    if vault.exists() and not vault.is_dir():
        raise CoursemillError("this is no folder", where=str(vault), fix="name the folder that the notes go to")
    return Result(found, tuple(_placed(note, vault, force, dry_run) for note in found.notes))


def _placed(note: Note, vault: Path, force: bool, dry_run: bool) -> Placed:
    if note.problem:
        return Placed(note, "refused", note.problem)
    if note.twin:
        return Placed(note, "twice", f"the same as at line {note.twin}")
    try:
        outcome = _outcome(note, vault, force)
        if outcome.outcome in {"written", "overwritten"} and not dry_run:
            store.write(vault, note.path, note.data)
    except CoursemillError as error:
        return Placed(note, "refused", error.what)
    except (OSError, ValueError) as error:  # a path that the file system cannot name
        return Placed(note, "refused", f"it cannot be written: {getattr(error, 'strerror', None) or error}")
    return outcome


def _outcome(note: Note, vault: Path, force: bool) -> Placed:
    """What is to become of a note, by what stands at its path now; links are not followed."""
    here = vault
    parts = note.path.split("/")
    for n, part in enumerate(parts, 1):
        here = here / part
        try:
            mode = os.lstat(here).st_mode
        except FileNotFoundError:
            return Placed(note, "written")
        shown = "/".join(parts[:n])
        if stat.S_ISLNK(mode):
            return Placed(note, "refused", f"`{shown}` is a link: it may lead out of the vault")
        if n < len(parts) and not stat.S_ISDIR(mode):
            return Placed(note, "refused", f"`{shown}` is a file, and no folder")
    if stat.S_ISDIR(mode):
        return Placed(note, "refused", "a folder stands there")
    if not stat.S_ISREG(mode):
        return Placed(note, "refused", "something else than a file stands there")
    return _over(note, here, force)


def _over(note: Note, file: Path, force: bool) -> Placed:
    if file.stat().st_size == len(note.data) and store.digest(file) == sha256(note.data).hexdigest():
        return Placed(note, "unchanged")
    if force:
        return Placed(note, "overwritten")
    return Placed(note, "refused", "another file stands there: --force writes over it")


def _nothing(data: bytes, found: Unpacked, where: str) -> CoursemillError:
    """Say why a file seems to be no transcript, as far as that can be told."""
    if not data:
        return CoursemillError("the file is empty", where=where, fix="save the chat into it")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        fix = "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"
        return CoursemillError("the file is UTF-16: no note can be found in it", where=where, fix=fix)
    unnamed = found.totals()["unknown"]
    if unnamed:
        line = next(one.start for one in found.ranges if one.kind == "unknown")
        fix = "put a line such as `Filename: folder/Note.md` above the fence of each note"
        return CoursemillError("there are notes, but none has a name", where=f"{where}:{line}", fix=fix)
    fix = "a note stands in a fence of three or more backticks, with a line `Filename: folder/Note.md` above it"
    return CoursemillError(f"no note was found in {found.lines:,} lines", where=where, fix=fix)
