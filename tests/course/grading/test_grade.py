"""Grading a class: what runs, what the gradebook says, whose grade changed why."""

from typing import Any

import pytest

pytestmark = pytest.mark.nbgrader
RIGHT = "def add(x):\n    return x + 1"
WRONG = "def add(x):\n    return 2"


@pytest.fixture
def graded(classroom: Any) -> Any:
    """A class of three that is graded."""
    classroom.hand_in("ada", add=RIGHT, why="Because it is so.")
    classroom.hand_in("bob", add=WRONG)
    classroom.hand_in("eve")
    classroom.grade()
    assert classroom.ran() == ["ada/Lesson", "bob/Lesson", "eve/Lesson", "solution/Lesson"]
    return classroom


def test_scores_and_what_waits_for_a_person(graded: Any) -> None:
    found = graded.gradebook()
    assert [found[f"WS/{name}"]["score"] for name in ("ada", "bob", "eve")] == [5, 1.5, 0]
    assert {v["max"] for k, v in found.items() if k.count("/") == 1} == {12}
