"""What an answer may do in a test beyond giving data: no more than the instructor's own did there.

A test that calls `frame.equals(expected)`, or adds up points, means a frame and a number. An object of the answer's has
an `equals` that says yes to all, and an exception like StopIteration ends the loop in which the test compares. What the
solution's objects did when a test was tried with them is noted; in that test, answers may do the same and nothing else.
"""

from __future__ import annotations

import sys
import unittest
from collections import Counter, OrderedDict, deque
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from coursemill.pure import ended, plain, proxy, wire
from coursemill.pure.ended import Ended
from coursemill.pure.plain import Refused

OBJECT = "object"
"""That it gives objects of classes of its own. Where the solution gives none, an object that by its base is text, a
number or a dict (`class Grade(float)`) is that: the test asks nothing else of it."""
RESULT = "result"
"""That the last line gives something that is no number."""
ENDS = (StopIteration, StopAsyncIteration, GeneratorExit, unittest.SkipTest)
"""Exceptions by which loops and tests come to a good end; of an iterator's own they are the usual end."""
ITERATING = frozenset({"next", "anext"})
DATA = (
    *(str, bytes, bytearray, int, float, complex, list, tuple, dict, set, frozenset, deque, Counter, OrderedDict),
    *(Decimal, Fraction, datetime, timedelta),
)


class Liberties:
    """Those of one test."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self._allowed: frozenset[str] | None = None

    def begin(self, allowed: Collection[str] | None) -> None:
        """Begin with a test; `allowed`: None when it is tried, and nothing is known yet."""
        self.taken = set()
        self._allowed = None if allowed is None else frozenset(allowed)

    @property
    def only_data(self) -> bool:
        """Whether the solution gave data and no objects of its own."""
        return self._allowed is not None and OBJECT not in self._allowed

    def gave(self, name: str, of: str) -> None:
        """A thing has given an attribute of this name; raises Refused where it has to be a method of data."""
        if name in _methods(len(sys.modules)) and self._takes(f".{name}"):
            raise Refused(f"`.{name}` needs plain data, and here the answer gives an object of class `{of}`")

    def claims(self, cls: type) -> type:
        """The class that a thing claims, if it may: a frame that is no frame could be equal to any."""
        return object if _is_data(cls) and self._takes(f"is {cls.__qualname__}") else cls

    def ended(self, operation: str, error: BaseException) -> BaseException:
        """What a test gets of an exception that the answer has raised."""
        if operation in ITERATING:
            return error
        for cls in _ends():
            if isinstance(error, cls) and self._takes(cls.__name__):
                return RuntimeError(f"the answer raised {type(error).__name__}")
        return error

    def passed(self, value: object) -> Ended:
        """A test ended without an error, and its last line gave `value`."""
        found = ended.passed(value)
        if found.part is not None or not self._takes(RESULT):
            return found
        if (number := _number(value)) is not None:
            return ended.passed(number)
        said = "its last line gives no number of points"
        return Ended("error", message=said, reason=said, kind="TypeError")

    def _takes(self, name: str) -> bool:
        """Note that a liberty is taken; whether it is not allowed."""
        self.taken.add(name)
        return self._allowed is not None and name not in self._allowed


@lru_cache(maxsize=1000)
def _is_data(cls: type) -> bool:
    """Whether it is a class of data that cross by value, or derives from one."""
    known = {*plain.IMMUTABLE, *plain.CONTAINERS, *plain.REBUILT}
    return any(id(base) in known or wire.is_data(base) for base in plain.mro(cls)[:-1])


def _ends() -> Iterator[type[BaseException]]:
    yield from ENDS
    if pytest := sys.modules.get("_pytest.outcomes"):
        yield pytest.OutcomeException


def _number(value: Any) -> float | None:
    """A truth value, or one of numpy's numbers, as a number."""
    numpy = sys.modules.get("numpy")
    if type(value) is bool:
        return float(value)
    if numpy is None or proxy.is_proxy(value) or not plain.subclass(type(value), numpy.generic):
        return None
    one = value.item()
    return float(one) if type(one) in (int, float, bool) else None


@lru_cache(maxsize=2)
def _methods(_modules: int) -> frozenset[str]:
    """Names of all methods of data, also of libraries that are imported."""
    classes: list[type] = [*DATA]
    for module, names in (("numpy", ("ndarray", "float64")), ("pandas", ("DataFrame", "Series", "Index"))):
        if found := sys.modules.get(module):
            classes += [vars(found)[name] for name in names if name in vars(found)]
    return frozenset(
        name for cls in classes for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name, None))
    )
