"""What authors are told of how their tests are examined."""

import pytest

from coursemill.pure.grading import modes
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.modes import Examined
from coursemill.pure.grading.plan import Look, Plan


def test_each_test_in_order() -> None:
    items = tuple(Item(name, "test", "code", "", "", place=f"notes/L.md:{name}") for name in "abc")
    looks = {
        "b": Look("in-candidate", why="PicklingError: no", twins=("x", "y")),
        "c": Look("isolated", files=True, trouble="NameError"),
    }
    found = modes.examined(Assignment("WS", "L", items), Plan(looks))
    assert found == (
        Examined("a", "notes/L.md:a", "isolated"),
        Examined("b", "notes/L.md:b", "in-candidate", False, 2, "PicklingError: no", modes.advice("PicklingError: no")),
        Examined("c", "notes/L.md:c", "isolated", files=True, trouble="NameError"),
    )
    assert modes.counted(found) == (2, 3)


@pytest.mark.parametrize(
    ("why", "fix"),
    [
        ("Refused: `<` needs plain data (a number, …), and here the answer gives a `Box`", "compare parts"),
        ("OSError: source code not available", "what the function does"),
        ("PicklingError: Can't pickle", "workers"),
        ("AssertionError in `assert xs == [1]`", "what the answer returns"),
        ("NameError: name 'x' is not defined", "in a given cell"),
        ("later cells use `x`, which hidden lines bind", "in a given cell"),
        ("anything else", "isinstance"),
    ],
)
def test_advice(why: str, fix: str) -> None:
    assert fix in modes.advice(why)
