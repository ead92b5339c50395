"""What proving a lesson executes: its cells in order, and for each exercise the answers that are tried."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from coursemill.pure import names

Role = Literal["code", "answer", "test"]
Kind = Literal["solution", "stub", "wrong", "choice", "cheat"]
WRITEFILE = re.compile(r"%%writefile (?P<quote>\"?)(?P<path>\S.*)(?P=quote)\n")


@dataclass(frozen=True, slots=True)
class Source:
    """Code of a cell; `lines` are the note's, one for each of its own."""

    text: str
    lines: tuple[int, ...]

    def line(self, number: int) -> int:
        """The note's line of line `number` (from 1)."""
        return self.lines[min(max(number, 1), len(self.lines)) - 1]


@dataclass(frozen=True, slots=True)
class Step:
    """A code cell of the instructor's notebook."""

    id: str
    role: Role
    source: Source
    points: float = 0.0
    given: bool = False
    may_raise: bool = False

    @property
    def file(self) -> str:
        """The file that the cell writes, if that is what it does."""
        found = WRITEFILE.match(self.source.text)
        return found["path"] if found else ""


@dataclass(frozen=True, slots=True)
class Variant:
    """An answer to try: `answers` by the id of the answer's cell."""

    kind: Kind
    name: str
    line: int
    answers: Mapping[str, Source]
    score: float = 0.0
    """The points that it deserves."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An exercise or quiz with every answer to try, the solution first."""

    id: str
    title: str
    line: int
    steps: tuple[Step, ...]
    variants: tuple[Variant, ...]

    @property
    def tests(self) -> tuple[Step, ...]:
        return tuple(s for s in self.steps if s.role == "test")

    @property
    def points(self) -> float:
        return sum(s.points for s in self.tests)


Part = Step | Trial


@dataclass(frozen=True, slots=True)
class Owned:
    """Which names hold something of an answer's, and which files an answer wrote, at some point of a lesson."""

    names: frozenset[str] = frozenset()
    files: frozenset[str] = field(default=frozenset())

    def after(self, step: Step, source: Source) -> Owned:
        """What they are after `step`, whose code was `source`."""
        if step.role != "answer":
            return Owned(names.owned(source.text, self.names, self.files), self.files)
        if step.file:
            return Owned(self.names, self.files | {step.file})
        return Owned(self.names | names.bound(source.text), self.files)
