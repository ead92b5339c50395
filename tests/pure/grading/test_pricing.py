"""The same result under other points."""

from dataclasses import replace

import pytest

from coursemill.pure.grading import autograded, pricing
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.verdict import Outcome, Verdict

LABELS = {"nbgrader": {"grade_id": "t", "grade": True, "locked": True, "solution": False, "points": 2}}
TEST = Item("t", "test", "code", "assert 1", "assert 1", 2.0, LABELS)
ASSIGNMENT = Assignment("WS", "Lesson", (TEST,))
DEARER = Assignment("WS", "Lesson", (replace(TEST, points=4.0),))


def verdict(**about: object) -> Verdict:
    outcomes = (Outcome("t", **{"status": "passed", "points": 2.0, **about}),)  # type: ignore[arg-type] # by name
    made = autograded.compose(ASSIGNMENT, None, {}, outcomes)
    return Verdict("ada", "WS", "Lesson", outcomes, autograded=made)


@pytest.mark.parametrize(
    ("about", "score"),
    [({}, 4), ({"part": 1.5}, 1.5), ({"part": 3.0}, 3), ({"status": "failed"}, 0), ({"twin": "passed"}, 0)],
)
def test_what_it_is_worth_now(about: dict[str, object], score: float) -> None:
    found = pricing.priced(verdict(**about), DEARER)
    assert (found.score, found.points) == (score, 4)
    made = pricing.notebook(verdict(**about), DEARER)
    assert [cell["metadata"]["nbgrader"]["points"] for cell in made["cells"]] == [4]


def test_nothing_changes_where_points_are_the_same() -> None:
    assert pricing.priced(verdict(), ASSIGNMENT) is not None
    assert pricing.notebook(verdict(), ASSIGNMENT) == verdict().autograded


@pytest.mark.parametrize("status", ["died", "limit", "not-reached", "unreadable"])
def test_unfinished(status: str) -> None:
    assert pricing.unfinished(verdict(status=status))


@pytest.mark.parametrize("status", ["passed", "failed", "error", "timeout", "missing"])
def test_finished(status: str) -> None:
    assert not pricing.unfinished(verdict(status=status))


def test_lost() -> None:
    found = pricing.lost(ASSIGNMENT, "ada", "the grader failed")
    assert (found.score, found.points, found.outcomes[0].status) == (0, 2, "died")
    assert "the grader failed" in str(found.autograded["cells"])
