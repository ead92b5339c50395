"""What all archives have in common: members, refusals, and a meter that ends what goes beyond the quotas."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coursemill.pure.grading import membernames
from coursemill.pure.grading.quotas import MB, Quotas

CHUNK = 1 << 16
"""Bytes that are in memory at a time."""
TWICE = 2
"""A packed tar is read once for the list of its members and once for their bytes."""


class Broken(Exception):  # noqa: N818 - what it says of an archive or a member of it
    """An archive, or a member, that is refused; the message says why."""


class Exhausted(Exception):  # noqa: N818 - what it says of a quota
    """What may be read of all archives has been read."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive or in a folder, as its header describes it."""

    place: int
    """Its number, in the archive's order."""
    written: str
    """Its path as it is written there."""
    parts: tuple[str, ...]
    """Its path made sane."""
    size: int
    when: datetime | None = None
    """When it was last changed, as its header says; archives know no time zone, so this machine's is meant."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that is not taken, and why."""

    member: str
    """Its path as it is written in the archive; empty: all of it."""
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What an archive holds."""

    members: tuple[Member, ...]
    refused: tuple[Refusal, ...] = ()
    skipped: int = 0
    """Files that systems and programs leave everywhere."""


class Archive(Protocol):
    """An open archive, or a folder."""

    listed: Listed

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """The bytes of the members with these places; each raises Broken where it is, and Exhausted.

        One whose bytes cannot be reached is left out. The bytes of a member are read before the next is asked for.
        """


class Meter:
    """Counts what is read, for all archives together; raises Exhausted.

    `within`: the meter of an archive inside of another, which is one student's. It raises Broken, and so takes
    nothing from the others.
    """

    def __init__(
        self, quotas: Quotas, clock: Callable[[], float] = time.monotonic, within: Meter | None = None
    ) -> None:
        self.quotas, self.clock, self.within = quotas, clock, within
        self.over: type[Exception] = Broken if within else Exhausted
        self.most = TWICE * quotas.student if within else quotas.total
        self.most_members = quotas.student_files if within else quotas.members
        self.seconds = quotas.student_seconds if within else quotas.seconds
        self.end = clock() + self.seconds
        self.bytes = self.members = 0

    def inner(self) -> Meter:
        """A meter for an archive in an archive."""
        return Meter(self.quotas, self.clock, within=self)

    def member(self) -> None:
        """A header was read."""
        self.members += 1
        if self.members > self.most_members:
            raise self.over(f"there are more than {self.most_members:,} files")
        self.tick()
        if self.within:
            self.within.member()

    def took(self, number: int) -> None:
        """So many bytes were unpacked."""
        self.bytes += number
        if self.bytes > self.most:
            raise self.over(f"there are more than {self.most // MB:,} MB in all")
        self.tick()
        if self.within:
            self.within.took(number)

    def tick(self) -> None:
        if self.clock() > self.end:
            raise self.over(f"it takes longer than {self.seconds:,.0f} seconds")

    def swollen(self, unpacked: int, packed: int) -> None:
        """Raises Broken where so few bytes became so many that they are a bomb."""
        if unpacked > self.quotas.unsuspicious and unpacked > packed * self.quotas.ratio:
            raise Broken(f"it unpacks to more than {self.quotas.ratio} times its size, as bombs do")


class Lister:
    """Makes a list of headers: junk is left out, what cannot be a path is refused."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.members: list[Member] = []
        self.refused: list[Refusal] = []
        self.skipped = 0

    def add(self, place: int, written: str, size: int, when: datetime | None, problem: str = "") -> None:
        """Take a header; with a `problem`, its member is refused."""
        try:
            parts = membernames.parts(written)
        except ValueError as error:
            self.refuse(written, str(error))
            return
        if membernames.is_junk(parts):
            self.skipped += 1
        elif problem:
            self.refuse(written, problem)
        elif size > self.meter.quotas.file:
            self.refuse(written, f"it is larger than {self.meter.quotas.file // MB:,} MB")
        else:
            self.members.append(Member(place, written, parts, size, when))

    def refuse(self, written: str, reason: str) -> None:
        self.refused.append(Refusal(membernames.shown(written), reason))

    def listed(self) -> Listed:
        """All that was taken; of several members with one path the last counts, as where they are unpacked."""
        last = {member.parts: member.place for member in self.members}
        for member in self.members:
            if last[member.parts] != member.place:
                self.refuse(member.written, "another file with the same path comes later in the archive")
        members = tuple(member for member in self.members if last[member.parts] == member.place)
        return Listed(members, tuple(self.refused), self.skipped)
