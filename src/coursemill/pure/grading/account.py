"""Whose grade is another than the last time, from what to what, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from coursemill.pure.grading.standing import Basis, Mark, Sheet, Standing

ENOUGH = 1e-9
"""Points that make a difference."""
SUBMISSION = "submission changed"
TEST = "test changed"
OTHER = "another test changed"
"""Of the same notebook: tests share their names."""
POINTS = "points changed"
ADDED = "exercise added"
REMOVED = "exercise removed"
REST = "worksheet changed"
"""The instructor's other cells, or files."""
ENVIRONMENT = "environment changed"
LATE = "late penalty"
AGAIN = "run again"
"""Everything that a result depends on is the same: it varies from run to run."""


@dataclass(frozen=True, slots=True)
class Change:
    """A graded cell whose score or points are others than before."""

    notebook: str
    cell: str
    """Empty: the penalty for being late."""
    before: float | None
    """The score; None: there was none."""
    after: float | None
    points_before: float
    points_after: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Regrade:
    """A student whose grade is another than before."""

    student: str
    before: float
    after: float
    points_before: float
    points_after: float
    changes: tuple[Change, ...]

    @property
    def why(self) -> tuple[str, ...]:
        """All reasons, each once."""
        return tuple(dict.fromkeys(reason for change in self.changes for reason in change.why))


def account(before: Mapping[str, Standing], after: Iterable[Standing]) -> tuple[Regrade, ...]:
    """Compare where students stand; those who were not graded before are left out, and what a person graded."""
    found = []
    for now in after:
        if (then := before.get(now.student)) and (changes := tuple(_changes(then, now))):
            found.append(Regrade(now.student, then.score, now.score, then.points, now.points, changes))
    return tuple(found)


def to_data(regrade: Regrade) -> dict[str, Any]:
    """As JSON's values."""
    return {**asdict(regrade), "why": list(regrade.why)}


def _changes(then: Standing, now: Standing) -> Iterator[Change]:
    old = {sheet.notebook: sheet for sheet in then.sheets}
    new = {sheet.notebook: sheet for sheet in now.sheets}
    for notebook in dict.fromkeys((*old, *new)):
        yield from _of_sheets(notebook, old.get(notebook), new.get(notebook))


def _of_sheets(notebook: str, then: Sheet | None, now: Sheet | None) -> Iterator[Change]:
    old: Mapping[str, Mark] = then.marks if then else {}
    new: Mapping[str, Mark] = now.marks if now else {}
    for cell in dict.fromkeys((*old, *new)):
        before, after = old.get(cell), new.get(cell)
        if before and after and not _differ(before, after):
            continue
        why = _why(cell, before, after, then.basis if then else None, now.basis if now else None)
        yield Change(
            notebook,
            cell,
            before.score if before else None,
            after.score if after else None,
            before.points if before else 0.0,
            after.points if after else 0.0,
            why,
        )
    if then and now and abs(then.penalty - now.penalty) > ENOUGH:
        yield Change(notebook, "", -then.penalty, -now.penalty, 0.0, 0.0, (LATE,))


def _differ(before: Mark, after: Mark) -> bool:
    """Whether the grader changed something: not a person, who gave points or has yet to."""
    if abs(before.points - after.points) > ENOUGH:
        return True
    if before.manual or after.manual:
        return False
    return abs((before.score or 0.0) - (after.score or 0.0)) > ENOUGH


def _why(cell: str, before: Mark | None, after: Mark | None, then: Basis | None, now: Basis | None) -> tuple[str, ...]:
    if not (before and then):
        return (ADDED,)
    if not (after and now):
        return (REMOVED,)
    reasons = (
        (SUBMISSION, then.submission != now.submission),
        (TEST, then.tests.get(cell) != now.tests.get(cell)),
        (OTHER, then.tests.get(cell) == now.tests.get(cell) and then.tests != now.tests),
        (POINTS, abs(before.points - after.points) > ENOUGH),
        (REST, then.rest != now.rest),
        (ENVIRONMENT, then.environment != now.environment),
    )
    return tuple(reason for reason, holds in reasons if holds) or (AGAIN,)
