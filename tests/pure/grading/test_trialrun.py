from dataclasses import replace

import pytest

from coursemill.pure.grading import trialrun
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.flags import Flag
from coursemill.pure.grading.students import Student

TASK = Exercise(
    "N", "e", "E", answers=(Item("e", "answer", "code", "", ""),), tests=(Item("t", "test", "code", "", "", 4),)
)
CLASS = (
    Student("sol", "S", "S", "solution", "knows all", {}, {"N/e": 4.0}),
    Student("unt", "U", "U", "untouched", "left it", {}, {"N/e": 1.0}),
    Student("for", "F", "F", "foreseen", "is wrong", {}, {"N/e": 2.0}),
    Student("reg", "R", "R", "regular", "tries", {}),
    Student("cop", "C", "C", "copy", "copied", {}, twin="reg"),
    Student("evil", "E", "E", "attack", "cheats", {}, bounded=True),
    Student("fine", "G", "G", "attack", "deletes", {}, {"N/e": 4.0}),
)
SCORES = {"sol": 4.0, "unt": 1.0, "for": 2.0, "reg": 3.0, "cop": 3.0, "evil": 1.0, "fine": 4.0}
ALIKE = (Flag("similar", ("cop", "reg"), "", "alike"),)


def failing(scores: dict[str, float], flags: tuple[Flag, ...] = ALIKE) -> list[str]:
    found = trialrun.checks(CLASS, {name: {"N/e": got} for name, got in scores.items()}, [TASK], flags)
    return [check.what for check in found if not check.ok]


def test_a_fair_grader_passes() -> None:
    assert failing(SCORES) == []
    assert len(trialrun.checks(CLASS, {}, [TASK], ())) == 8


@pytest.mark.parametrize(
    ("student", "score", "what"),
    [
        ("sol", 3.0, "the model solution gets all points"),
        ("unt", 2.0, "an untouched worksheet gets nothing but what is given"),
        ("for", 2.5, "foreseen wrong answers get exactly their score"),
        ("evil", 1.5, "attackers get what they deserve"),
        ("fine", 3.5, "attackers get what they deserve"),
        ("cop", 2.0, "copies get what the work that they copied got"),
        ("reg", -1.0, "nobody gets more than there is"),
    ],
)
def test_an_unfair_one_does_not(student: str, score: float, what: str) -> None:
    assert what in failing(SCORES | {student: score})


def test_who_was_not_graded_is_named() -> None:
    known = {name: {"N/e": got} for name, got in SCORES.items() if name != "reg"}
    first = trialrun.checks(CLASS, known, [TASK], ALIKE)[0]
    assert (first.what, first.failures) == ("everybody was graded", ("reg",))


def test_copies_that_nobody_notices_are_told() -> None:
    assert failing(SCORES, ()) == ["copies are said to be similar"]


def test_only_what_there_is_is_checked() -> None:
    alone = trialrun.checks(CLASS[:2], {"sol": {"N/e": 4.0}, "unt": {"N/e": 1.0}}, [TASK], ())
    assert [check.ok for check in alone] == [True] * 4
    unsaid = (CLASS[0], replace(CLASS[1], deserves={}))
    found = trialrun.checks(unsaid, {"sol": {"N/e": 4.0}, "unt": {"N/e": 1.0}}, [TASK], ())
    assert found[2].failures == ("N/e gives 1: its tests pass without an answer",)
