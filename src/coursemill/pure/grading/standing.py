"""Where a student stands in a worksheet: what the gradebook says of each graded cell, and what that rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Basis:
    """What a result depends on, as digests; the one that changed says why a grade did."""

    submission: str
    tests: Mapping[str, str]
    """By the test's id, without its points."""
    rest: str
    """The instructor's other cells, and files."""
    environment: str
    """Libraries, Python, our own code, limits."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A graded cell: a test, or what a person grades."""

    points: float
    """The most that it gives."""
    score: float | None = None
    """None: nobody has graded it yet."""
    status: str = ""
    """How the test ended; empty where there is none."""
    manual: bool = False
    """A person gave the score."""
    pending: bool = False
    """A person is to look at it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A notebook of a student's."""

    notebook: str
    marks: Mapping[str, Mark]
    """By the cell's grade_id."""
    basis: Basis
    penalty: float = 0.0
    """Points that are taken off for being late."""
    notes: tuple[str, ...] = ()
    """What was put right before it was graded."""
    trouble: str = ""
    seconds: float = 0.0
    """That it took to examine."""
    own: float = 0.0
    """Of these, what its cells and tests took."""
    memory: int = 0

    @property
    def score(self) -> float:
        return max(0.0, sum(mark.score or 0.0 for mark in self.marks.values()) - self.penalty)


@dataclass(frozen=True, slots=True)
class Standing:
    """A student's worksheet."""

    student: str
    sheets: tuple[Sheet, ...] = ()
    notes: tuple[str, ...] = ()
    """Of the submission as a whole."""

    @property
    def score(self) -> float:
        return sum(sheet.score for sheet in self.sheets)

    @property
    def points(self) -> float:
        return sum(mark.points for _, mark in self.marks())

    @property
    def pending(self) -> float:
        """Points that wait for a person."""
        return sum(mark.points for _, mark in self.marks() if mark.pending)

    def marks(self) -> Iterator[tuple[str, Mark]]:
        """Every mark, with `notebook/cell`."""
        for sheet in self.sheets:
            for cell, mark in sheet.marks.items():
                yield f"{sheet.notebook}/{cell}", mark

    def outcomes(self) -> Counter[str]:
        """How many tests ended how."""
        return Counter(mark.status for _, mark in self.marks() if mark.status)


def to_data(standing: Standing) -> dict[str, Any]:
    """As JSON's values."""
    return asdict(standing)


def from_data(data: Mapping[str, Any]) -> Standing:
    """Read back `to_data`; raises KeyError, TypeError, AttributeError or ValueError for anything else."""
    return Standing(str(data["student"]), tuple(map(_sheet, data["sheets"])), tuple(map(str, data["notes"])))


def _sheet(data: Mapping[str, Any]) -> Sheet:
    marks = {cell: Mark(**mark) for cell, mark in data["marks"].items()}
    basis = Basis(**data["basis"])
    return Sheet(**{**data, "marks": marks, "basis": basis, "notes": tuple(data["notes"])})
