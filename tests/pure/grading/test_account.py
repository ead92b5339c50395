"""Whose grade changed, from what to what, why."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import account, standing
from coursemill.pure.grading.standing import Basis, Mark, Sheet, Standing

BASIS = Basis("work", {"t": "1", "u": "1"}, "rest", "here")
MARKS = {"t": Mark(2, 2, "passed"), "u": Mark(1, 0, "failed"), "why": Mark(3, None, pending=True)}
SHEET = Sheet("Lesson", MARKS, BASIS)
ADA = Standing("ada", (SHEET,))


def one(marks: dict[str, Mark | None] | None = None, penalty: float = 0.0, **basis: Any) -> Standing:
    """Ada, with something changed."""
    changed = {name: mark for name, mark in {**MARKS, **(marks or {})}.items() if mark}
    return Standing("ada", (replace(SHEET, marks=changed, basis=replace(BASIS, **basis), penalty=penalty),))


LESS = Mark(2, 1, "passed")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (one({"t": LESS}, submission="other"), ("submission changed",)),
        (one({"t": LESS}, tests={"t": "2", "u": "1"}), ("test changed",)),
        (one({"t": LESS}, tests={"t": "1", "u": "2"}), ("another test changed",)),
        (one({"t": LESS}, rest="other"), ("worksheet changed",)),
        (one({"t": LESS}, environment="there"), ("environment changed",)),
        (one({"t": LESS}), ("run again",)),
        (one({"t": Mark(4, 4, "passed")}), ("points changed",)),
        (one({"t": LESS}, submission="other", environment="there"), ("submission changed", "environment changed")),
        (one({"v": Mark(1, 1, "passed")}, tests={"t": "1", "u": "1", "v": "1"}), ("exercise added",)),
        (one({"u": None}, tests={"t": "1"}), ("exercise removed",)),
        (one(penalty=1), ("late penalty",)),
        (Standing("ada", (SHEET, replace(SHEET, notebook="Second"))), ("exercise added",)),
        (Standing("ada"), ("exercise removed",)),
    ],
)
def test_why(now: Standing, why: tuple[str, ...]) -> None:
    (found,) = account.account({"ada": ADA}, [now])
    assert found.why == why
    assert (found.before, found.after) == (ADA.score, now.score)
    assert account.to_data(found)["why"] == list(why)


@pytest.mark.parametrize(
    "now",
    [
        ADA,
        one(environment="there", submission="other"),
        one({"t": Mark(2, 1, "passed", manual=True)}),
        one({"why": Mark(3, 2, manual=True)}),
        one({"u": Mark(1, 0, "timeout")}),
    ],
    ids=["nothing", "no points", "a person took some", "a person gave some", "another end"],
)
def test_no_regrade(now: Standing) -> None:
    assert account.account({"ada": ADA}, [now]) == ()


def test_who_is_new_is_not_regraded() -> None:
    assert account.account({}, [ADA]) == ()


POINTS = st.floats(0, 10) | st.none()
MARK = st.builds(Mark, st.floats(0, 10), POINTS, st.sampled_from(["", "passed", "died"]), st.booleans(), st.booleans())
TEXT = st.text(max_size=5)
SHEETS = st.builds(
    Sheet,
    TEXT,
    st.dictionaries(TEXT, MARK, max_size=3),
    st.builds(Basis, TEXT, st.dictionaries(TEXT, TEXT, max_size=2), TEXT, TEXT),
    st.floats(0, 5),
    st.lists(TEXT, max_size=2).map(tuple),
)
STANDINGS = st.builds(Standing, TEXT, st.lists(SHEETS, max_size=2, unique_by=lambda s: s.notebook).map(tuple))


@given(STANDINGS)
def test_there_and_back(it: Standing) -> None:
    assert standing.from_data(standing.to_data(it)) == it
    assert account.account({it.student: it}, [it]) == ()


@given(STANDINGS, STANDINGS)
def test_every_difference_has_a_reason(then: Standing, now: Standing) -> None:
    now = replace(now, student=then.student)
    for regrade in account.account({then.student: then}, [now]):
        assert all(change.why for change in regrade.changes)
