"""What students read of their tests."""

import pytest

from coursemill.pure.grading import telling
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.plan import Look
from coursemill.pure.grading.telling import Result

VISIBLE = Item("t", "test", "code", "assert f(2) == 4, 'two times two'\nassert f(3) == 6, f'got {f(3)}'", "", 2.0)


def message(result: Result, cleaned: Result | None = None, late: bool = True) -> str:
    return telling.outcome(VISIBLE, Look(), result, cleaned, late=late).message


@pytest.mark.parametrize(
    "said", ["two times two", "got …", "in `assert f(2) == 4, 'two times two'`", "AssertionError: two times two"]
)
def test_a_tests_own_words_are_told(said: str) -> None:
    assert message(Result("failed", said)) == said


def test_values_are_told_where_nothing_hidden_was_run() -> None:
    assert message(Result("failed", "got 7"), late=False) == "got 7"
    assert message(Result("failed", "got 7"), Result("failed", "got 8")) == "got 8"
    assert message(Result("error", "ValueError: 7", kind="ValueError", foreign=True)) == "ValueError"


def test_a_kind_of_error_that_a_student_made_up_is_an_error() -> None:
    made_up = Result("error", "Saw31337", kind="Saw31337", foreign=True)
    assert telling.needs_cleaning(VISIBLE, made_up)
    assert message(made_up) == "Error"
    assert message(Result("error", "JSONDecodeError", kind="JSONDecodeError")) == "JSONDecodeError"


def test_what_a_candidate_says_of_itself_is_told_in_the_tests_words_alone() -> None:
    inner = Result("failed", "got 31337", kind="AssertionError", foreign=True, inner=True)
    assert message(inner, late=False) == "AssertionError"
    assert message(Result("failed", "two times two", foreign=True, inner=True)) == "two times two"


HIDDEN = Item(
    "t",
    "test",
    "code",
    "# Hidden.\nassert login('hunter2') == 'welcome', f'hello {1}'",
    "# Hidden.",
    2.0,
    hidden=frozenset({2}),
)


@pytest.mark.parametrize("said", ["hunter2", "welcome", "in `assert login('hunter2') == 'welcome', f'hello {1}'`"])
@pytest.mark.parametrize("inner", [True, False])
def test_an_answer_puts_no_hidden_word_into_a_message(said: str, inner: bool) -> None:
    result = Result("error", said, kind=said, foreign=True, inner=inner)
    assert telling.outcome(HIDDEN, Look(), result, None, late=True).message == "Error"
    told = Result("failed", "hello …", kind="AssertionError", foreign=inner, inner=inner)
    assert telling.outcome(HIDDEN, Look(), told, None, late=True).message == "hello …"


def test_a_reply_is_read_whatever_it_is() -> None:
    assert telling.replied({}).status == "error"
    assert telling.replied({"status": "died", "reason": "it closed the wall"}).status == "error"
    assert telling.replied({"status": "passed", "part": True}).part is None
    assert telling.replied({"status": "passed", "part": 0.5}).part == 0.5


def test_the_place_is_the_notes_line() -> None:
    item = Item("t", "test", "code", "a\nb", "", place="notes/X.md:10-11", lines=(10, 11))
    assert telling.outcome(item, Look(), Result("failed", line=2), None, late=False).place == "notes/X.md:11"
    other = Item("t", "test", "code", "a\nb", "", place="source/WS/X.ipynb, cell 3")
    assert telling.outcome(other, Look(), Result("failed", line=2), None, late=False).place.endswith("cell 3, line 2")
