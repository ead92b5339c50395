"""What grading a notebook has found: an outcome for each test, and what was put right before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from coursemill.pure.proof import Mode

Status = Literal["passed", "failed", "error", "timeout", "died", "limit", "not-reached", "unreadable", "missing"]
"""How a test ended: `died` is the student's kernel, `limit` is what it may use, `not-reached` came after an end,
`unreadable` and `missing` are the notebook."""
STATUSES: tuple[Status, ...] = get_args(Status)
Twin = Literal["", "failed", "passed"]
"""How a twin of an in-candidate test ended: one that passed shows that the verdict was faked."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test."""

    test: str
    """The cell's grade_id."""
    status: Status
    points: float
    """The most that it gives."""
    part: float | None = None
    """What its last line gave, where that is a number: partial credit, as in nbgrader."""
    message: str = ""
    """Why it did not pass, as a student may read it: nothing hidden is in it."""
    reason: str = ""
    """The same for the instructor."""
    mode: Mode = "isolated"
    twin: Twin = ""
    place: str = ""
    """`notes/X.md:12` or `source/WS/X.ipynb, cell 7`: where the test stands, with the line that failed."""
    hidden: bool = False
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """The points that it earns."""
        if self.status != "passed" or self.twin == "passed":
            return 0.0
        return self.points if self.part is None else max(0.0, min(self.part, self.points))


@dataclass(frozen=True, slots=True)
class Note:
    """Something in a submission that was not the student's to change, and was put right."""

    kind: Literal["restored", "duplicated", "reordered", "edited", "metadata", "file", "removed", "upgraded"]
    cell: str
    """Id of the cell, or path of the file."""
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a student's notebook; it depends on nothing but the submission, the tests and the environment."""

    student: str
    worksheet: str
    notebook: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[Note, ...] = ()
    unanswered: tuple[str, ...] = ()
    """Answers, also those that a person grades, that are as they were released."""
    trouble: str = ""
    """Why nothing, or not all, of it was run: it cannot be read, the kernel died."""
    autograded: Mapping[str, Any] = field(default_factory=dict)
    """The notebook for `autograded/`, in nbformat's shape."""
    seconds: float = 0.0
    """From start to end."""
    own: float = 0.0
    """Of these, what its cells and tests took."""
    stopped: tuple[str, ...] = ()
    """Cells that took too long, tests aside."""
    memory: int = 0
    """Bytes at most, where that is known."""

    @property
    def score(self) -> float:
        return sum(o.score for o in self.outcomes)

    @property
    def points(self) -> float:
        return sum(o.points for o in self.outcomes)


def to_data(verdict: Verdict) -> dict[str, Any]:
    """As JSON's values, for the journal."""
    return asdict(verdict)


def from_data(data: Mapping[str, Any]) -> Verdict:
    """Read back `to_data`; raises KeyError and TypeError for anything else."""
    outcomes = tuple(Outcome(**one) for one in data["outcomes"])
    notes = tuple(Note(**one) for one in data["notes"])
    names = {"unanswered": tuple(data["unanswered"]), "stopped": tuple(data.get("stopped", ()))}
    return Verdict(**{**data, **names, "outcomes": outcomes, "notes": notes})
