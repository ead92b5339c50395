"""What an answer may do in a test beyond giving data."""

import unittest

import numpy as np
import pytest

from coursemill.effects.sandbox.inmate.liberties import RESULT, Liberties
from coursemill.pure.plain import Refused


def liberties(*allowed: str) -> Liberties:
    made = Liberties()
    made.begin(allowed)
    return made


def test_what_a_solution_does_is_noted_and_then_allowed() -> None:
    made = Liberties()
    made.begin(None)
    for name in ("startswith", "pop", "basket_of_tea", "__class__", "cost"):
        made.gave(name, "Basket")
    made.ended("call", StopIteration())
    made.passed("text")
    assert made.taken == {".startswith", ".pop", "StopIteration", RESULT}
    made.begin(made.taken)
    made.gave("pop", "Basket")
    made.gave("basket_of_tea", "Basket")
    with pytest.raises(Refused, match=r"`.endswith` needs plain data.*`Basket`"):
        made.gave("endswith", "Basket")


class Own(unittest.SkipTest, StopIteration):
    pass


@pytest.mark.parametrize("error", [StopIteration(), StopAsyncIteration(), GeneratorExit(), unittest.SkipTest(), Own()])
def test_an_exception_ends_no_loop_and_skips_no_test(error: BaseException) -> None:
    assert type(liberties().ended("call", error)) is RuntimeError
    assert liberties().ended("next", error) is error, "an iterator's own end"
    assert liberties("StopIteration", "StopAsyncIteration", "GeneratorExit", "SkipTest").ended("call", error) is error


def test_other_exceptions_are_as_they_are() -> None:
    for error in (ValueError(), AssertionError(), KeyboardInterrupt()):
        assert liberties().ended("call", error) is error


def test_an_object_is_no_score() -> None:
    made = liberties()
    assert made.passed(object()).status == made.passed(None).status == "error"
    assert [made.passed(one).part for one in (2, 0.5, True, np.float64(0.25), np.int64(3))] == [2, 0.5, 1, 0.25, 3]
    assert made.passed(np.str_("x")).status == "error"
    assert liberties(RESULT).passed(object()).status == "passed"


class Stack(list):  # type: ignore[type-arg]  # as students write it
    pass


def test_a_thing_is_called_data_where_the_solutions_was() -> None:
    for cls in (list, Stack, float, np.ndarray):
        assert liberties().claims(cls) is object
        assert liberties(f"is {cls.__qualname__}").claims(cls) is cls
    for cls in (object, ValueError, unittest.TestCase, type):
        assert liberties().claims(cls) is cls
