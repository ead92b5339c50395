"""Reads an export: whose its files are, and their bytes, within what each student may hand in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from coursemill.effects.archives.archive import Archive, Broken, Exhausted, Member, Meter, Refusal
from coursemill.effects.archives.opening import is_archive, opened
from coursemill.effects.archives.spool import Kept, Spool
from coursemill.pure.grading import exports, gradescope, membernames
from coursemill.pure.grading.attempts import File
from coursemill.pure.grading.exports import Clues, Owner, Placed
from coursemill.pure.grading.quotas import MB

Told = Callable[[int, int], None]
"""(files that were read, files in all)."""


@dataclass(slots=True)
class Attempt:
    """What somebody handed in, once."""

    owners: tuple[Owner, ...]
    when: datetime | None
    """As the export says."""
    source: str
    files: list[File] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class Gathered:
    """An export."""

    attempts: list[Attempt] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    skipped: int = 0
    """Files that are no submissions: junk, texts that were typed in, other worksheets."""


def gather(path: Path, clues: Clues, spool: Spool, meter: Meter, told: Told) -> Gathered:
    """Read the export at `path`: never raises for what is in it, but CoursemillError when the disk is full.

    `clues.source` and Gradescope's file are found out here. What is kept stands in the spool.
    """
    reader = _Reader(path.name, clues, spool, meter, told)
    try:
        with opened(path, path.name, meter) as archive:
            reader.read(archive)
    except (Broken, Exhausted) as error:
        reader.found.refused.append(Refusal("", str(error)))
    reader.found.attempts = [attempt for attempt in reader.found.attempts if attempt.files]
    return reader.found


class _Reader:
    def __init__(self, name: str, clues: Clues, spool: Spool, meter: Meter, told: Told) -> None:
        self.name, self.spool, self.meter, self.told = name, spool, meter, told
        self.clues = replace(clues, source=membernames.stem(name))
        self.found = Gathered()
        self.attempts: dict[tuple[tuple[Owner, ...], datetime | None], Attempt] = {}

    def read(self, archive: Archive) -> None:
        listed = archive.listed
        self.found.refused += listed.refused
        self.found.skipped += listed.skipped
        places = self._places(archive)
        wanted = {}
        for member, placed in zip(listed.members, places, strict=True):
            if placed.owners:
                wanted[member.place] = placed
            elif placed.harmless:
                self.found.skipped += 1
            else:
                self.refuse(member, placed.reason)
        whole = len(wanted)
        for member, chunks in archive.contents(set(wanted)):
            self._take(member, wanted.pop(member.place), chunks)
            self.told(whole - len(wanted), whole)
        for member in listed.members:
            if member.place in wanted:
                self.refuse(member, "the archive is damaged before it")

    def refuse(self, member: Member, reason: str, inside: str = "") -> None:
        name = membernames.shown(member.written)
        self.found.refused.append(Refusal(f"{name}!{inside}" if inside else name, reason))

    def _places(self, archive: Archive) -> list[Placed]:
        members = archive.listed.members
        paths = [member.parts for member in members]
        clues = self.clues
        about = exports.metadata(paths)
        if about is not None:
            for _, chunks in archive.contents({members[about].place}):
                text = b"".join(chunks).decode("utf-8", "replace")
                clues = replace(clues, submissions=gradescope.read(text))
        return exports.place(paths, clues)

    def _take(self, member: Member, placed: Placed, chunks: Iterator[bytes]) -> None:
        attempt = self._attempt(placed)
        try:
            kept = self._kept(attempt, chunks)
        except Broken as error:
            self.refuse(member, str(error))
            return
        inner = placed.inner or member.parts[-1:]
        if is_archive(inner[-1], kept.start):
            try:
                self._open(attempt, member, inner, kept)
            except Broken as error:
                self.refuse(member, str(error))
            self.spool.drop(kept)
            attempt.size -= kept.size
        else:
            file = self._file(member, inner, kept)
            attempt.files.append(replace(file, order=placed.order, notebook=placed.notebook))

    def _attempt(self, placed: Placed) -> Attempt:
        key = (placed.owners, placed.when)
        if key not in self.attempts:
            self.attempts[key] = Attempt(placed.owners, placed.when, self.name)
            self.found.attempts.append(self.attempts[key])
        return self.attempts[key]

    def _open(self, attempt: Attempt, outer: Member, inner: tuple[str, ...], kept: Kept) -> None:
        """Take what is in an archive that a student handed in; archives in it are not opened."""
        with opened(kept.path, inner[-1], self.meter.inner()) as archive:
            for refusal in archive.listed.refused:
                self.refuse(outer, refusal.reason, refusal.member)
            self.found.skipped += archive.listed.skipped
            missing = {member.place: member for member in archive.listed.members}
            for member, chunks in archive.contents(set(missing)):
                del missing[member.place]
                try:
                    found = self._kept(attempt, chunks)
                except Broken as error:
                    self.refuse(outer, str(error), membernames.shown(member.written))
                    continue
                if is_archive(member.parts[-1], found.start):
                    self.spool.drop(found)
                    attempt.size -= found.size
                    reason = "it is an archive in an archive that was handed in: hand in what is in it"
                    self.refuse(outer, reason, membernames.shown(member.written))
                    continue
                shown = f"{membernames.shown(outer.written)}!{membernames.shown(member.written)}"
                when = outer.when if member.when is None else member.when
                path = (*inner[:-1], *member.parts)
                attempt.files.append(File(path, f"{self.name}!{shown}", found.size, found.digest, found.path, when))
            for member in missing.values():
                self.refuse(outer, "the archive is damaged before it", membernames.shown(member.written))

    def _kept(self, attempt: Attempt, chunks: Iterator[bytes]) -> Kept:
        quotas = self.meter.quotas
        if len(attempt.files) >= quotas.student_files:
            raise Broken(f"the student handed in more than {quotas.student_files:,} files")
        kept = self.spool.keep(_within(chunks, quotas.file, quotas.student - attempt.size))
        attempt.size += kept.size
        return kept

    def _file(self, member: Member, inner: tuple[str, ...], kept: Kept) -> File:
        origin = f"{self.name}!{membernames.shown(member.written)}"
        return File(inner, origin, kept.size, kept.digest, kept.path, member.when)


def _within(chunks: Iterator[bytes], file: int, student: int) -> Iterator[bytes]:
    """The bytes, as long as they are no more than a file and a student may have."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > file:
            raise Broken(f"it is larger than {file // MB:,} MB")
        if size > student:
            raise Broken("the student's files are more than all of them may be together")
        yield chunk
