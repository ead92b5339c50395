"""A result under other points than it was found with: how tests ended stays, what it is worth changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from coursemill.pure.grading import autograded
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.verdict import Outcome, Verdict


def priced(verdict: Verdict, assignment: Assignment) -> Verdict:
    """The verdict with the points that the assignment has now."""
    points = {item.id: item.points for item in assignment.tests}
    if all(points.get(outcome.test) == outcome.points for outcome in verdict.outcomes):
        return verdict
    outcomes = tuple(replace(one, points=points.get(one.test, one.points)) for one in verdict.outcomes)
    return replace(verdict, outcomes=outcomes)


def notebook(verdict: Verdict, assignment: Assignment) -> dict[str, Any]:
    """The notebook for `autograded/` of a verdict, which has the points that it was found with."""
    return autograded.repriced(dict(verdict.autograded), assignment, priced(verdict, assignment).outcomes)


def unfinished(verdict: Verdict) -> bool:
    """Whether something of it could not be graded to its end."""
    ended = {"died", "limit", "not-reached", "unreadable"}
    return any(outcome.status in ended for outcome in verdict.outcomes) or _unread(verdict)


def lost(assignment: Assignment, student: str, trouble: str) -> Verdict:
    """The verdict on a notebook that a grader could not deal with: no test was carried out."""
    outcomes = tuple(
        Outcome(item.id, "died", item.points, reason=trouble, place=item.place) for item in assignment.tests
    )
    made = autograded.compose(assignment, None, {}, outcomes, (), trouble)
    return Verdict(student, assignment.worksheet, assignment.name, outcomes, trouble=trouble, autograded=made)


def _unread(verdict: Verdict) -> bool:
    return bool(verdict.trouble) and not verdict.outcomes
