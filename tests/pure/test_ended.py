"""What is told of a test's end, and to whom."""

import math

import pytest

from coursemill.pure import ended
from coursemill.pure.ended import Ended, Ran

SOURCE = """x = 3
assert x == 3, "fine"
assert x == 4, (
    f"x is {x}, not {x + 1:>3}"
)
raise AssertionError("by hand")
assert x == 5
raise ValueError(f"{x}")
assert x, x
def check(value):
    assert value, "checked"
"""


@pytest.mark.parametrize(
    ("line", "text"),
    [
        *((2, "fine"), (3, "x is …, not …"), (4, "x is …, not …"), (6, "by hand"), (11, "checked")),
        *((number, "") for number in (1, 7, 8, 9)),
    ],
)
def test_the_constant_part_of_a_message(line: int, text: str) -> None:
    assert ended.constant(SOURCE, line) == text


def test_no_message_is_found_where_the_source_cannot_be_read() -> None:
    assert ended.constant("%time f()\nassert f(", 2) == ""


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (0, 0.0),
        (True, None),
        ("0.5", None),
        (None, None),
        (-1, 0.0),
        (math.nan, 0.0),
        (1 + 0j, None),
    ],
)
def test_a_part_is_a_plain_number_that_is_none_below_0(value: object, part: float | None) -> None:
    assert ended.passed(value).part == part
    assert bool(ended.passed(value).reason) == (type(value) in (int, float) and not value >= 0)  # type: ignore[operator]


def explained(code: str, *, crossed: bool = False) -> Ended:
    try:
        exec(compile(code, "<test>", "exec"), {})
    except Exception as error:
        return ended.explained(error, Ran("<test>", code), crossed=crossed)
    raise SystemError


def test_a_failed_assertion_is_told_by_its_message_or_its_line() -> None:
    one = explained("x = 3\nassert x == 4, f'x is {x}'")
    assert (one.status, one.message, one.reason, one.line) == ("failed", "x is 3", "AssertionError: x is 3", 2)
    assert explained("x = 3\n\nassert x == 4").message == "in `assert x == 4`"


def test_an_error_is_told_by_its_kind() -> None:
    one = explained("{}['a']")
    assert (one.status, one.message, one.kind, one.by) == ("error", "KeyError: 'a'", "KeyError", "examiner")
    one = explained("assert False, 'no'", crossed=True)
    assert (one.status, one.kind, one.by) == ("error", "AssertionError", "candidate")


def test_an_exception_that_cannot_be_shown() -> None:
    one = explained("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E")
    assert one.message == "E: <ZeroDivisionError while it was shown>"


def test_hidden_lines_tell_no_values() -> None:
    code = "x = 3\nassert x == 4, f'x is {x}'\n{}['secret']"
    failed = explained(code)
    assert failed.hiding(code, frozenset()).message == "x is 3"
    assert failed.hiding(code, frozenset({1, 3})).message == "x is 3"
    assert failed.hiding(code, frozenset({2})).message == "x is …"
    error = explained("\n\n{}['secret']")
    assert error.hiding(code, frozenset({3})).message == "KeyError"
    assert explained("x = 3\nassert x == 4").hiding("x = 3\nassert x == 4", frozenset({2})).message == "AssertionError"


def test_blank_lines_at_the_top_count() -> None:
    one = ended.explained(AssertionError(), Ran("<test>", "assert f()", 2), crossed=False)
    assert one.line == 0
    with pytest.raises(AssertionError) as caught:
        exec(compile("assert 0", "<test>", "exec"))
    assert ended.explained(caught.value, Ran("<test>", "assert 0", 2), crossed=False).line == 3
