"""What a student's work on a worksheet came to: the verdicts, and what a person gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Paper:
    """A student's work on a worksheet."""

    student: str
    name: str = ""
    """As a person reads it; empty: nobody knows it."""
    verdicts: tuple[Verdict, ...] = ()
    """One for each notebook that was graded; nothing at all: nothing was handed in."""
    marks: Mapping[str, float] = field(default_factory=dict)
    """What the gradebook says, by `notebook/cell`; it takes the place of the verdict."""
    penalty: float = 0.0
    """Points that are taken off for being late."""

    @property
    def handed(self) -> bool:
        """Whether there is anything of the student's: a notebook that cannot be read is something."""
        return any(not _absent(verdict) for verdict in self.verdicts)

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        """Every outcome, with the test's name in the worksheet."""
        for verdict in self.verdicts:
            for outcome in verdict.outcomes:
                yield f"{verdict.notebook}/{outcome.test}", outcome

    def scores(self) -> dict[str, float]:
        """Points by `notebook/cell`; what nobody has graded yet is not there."""
        return {**{key: outcome.score for key, outcome in self.outcomes()}, **self.marks}

    def score(self, exercise: Exercise) -> float | None:
        """Points in an exercise; None while a part of it waits to be graded."""
        known = self.scores()
        return sum(known[part] for part in exercise.parts) if all(part in known for part in exercise.parts) else None

    def total(self, exercises: Iterable[Exercise]) -> float:
        """Points in all that is graded so far, less what being late costs; never below 0."""
        known = self.scores()
        earned = sum(known.get(part, 0.0) for exercise in exercises for part in exercise.parts)
        return max(0.0, earned - self.penalty)

    def pending(self, exercises: Iterable[Exercise]) -> int:
        """How many parts wait for a person."""
        known = self.scores()
        return sum(f"{e.notebook}/{item.id}" not in known for e in exercises for item in e.manual)

    def answers(self) -> dict[str, str]:
        """Sources of the cells that were graded, by `notebook/cell`."""
        return {
            f"{verdict.notebook}/{name}": source for verdict in self.verdicts for name, source in cells(verdict) if name
        }

    def unanswered(self) -> frozenset[str]:
        """Answers that are as they were released, as `notebook/cell`."""
        return frozenset(f"{v.notebook}/{name}" for v in self.verdicts for name in v.unanswered)


def cells(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Grade id (empty for none) and source of each code cell that was graded; nothing where there was no notebook."""
    for cell in verdict.autograded.get("cells", ()) if not _unread(verdict) else ():
        if cell.get("cell_type") == "code":
            source = cell.get("source", "")
            text = source if isinstance(source, str) else "".join(source)
            yield cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""), text


def _absent(verdict: Verdict) -> bool:
    statuses = {outcome.status for outcome in verdict.outcomes}
    return statuses == {"missing"} if statuses else bool(verdict.trouble)


def _unread(verdict: Verdict) -> bool:
    return _absent(verdict) or {outcome.status for outcome in verdict.outcomes} == {"unreadable"}
