"""Why code cannot run where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.raw import runnable
from coursemill.pure.raw.runnable import Names

NOWHERE = "nothing above defines {}"
OPEN = "{} stands only for a value that is left out"
CASES = [
    ("x = 1\nprint(x)", ""),
    ("print(y)", NOWHERE.format("y")),
    ("def f():\n    return y", ""),
    ("def f():\n    return y\nf()", NOWHERE.format("y")),
    ("def f():\n    return y\ny = 1\nf()", ""),
    ("class A:\n    def __init__(self):\n        self.x = y\nA()", NOWHERE.format("y")),
    ("class A(Base):\n    x = 1", NOWHERE.format("Base")),
    ("class A:\n    x = 1\n    y = [x for _ in range(2)]", ""),
    ("print([a for a in range(3) if (b := a)], b)", ""),
    ("print([a for a in rows])", NOWHERE.format("rows")),
    ("f = lambda a: a + z", ""),
    ("x = x + 1", NOWHERE.format("x")),
    ("for n in range(3):\n    t = n\nprint(t)", ""),
    ("try:\n    print(y)\nexcept NameError as e:\n    print(e)", ""),
    ("try:\n    print(y)\nexcept Exception as e:\n    print(e)", NOWHERE.format("y")),
    ("with open('f') as f:\n    print(f)", ""),
    ("from math import *\nprint(pi)", ""),
    ("%run helpers.py\nprint(helper)", ""),
    ("import numpy as np\nnp.ones(3)", ""),
    ("from .items import Item", "a relative import works only in a file of a package"),
    ("x = (", "the code does not parse"),
    (">>> x = 1", "the code does not parse"),
    ("model = ...", ""),
    ("model = ...\nmodel.fit()", OPEN.format("model")),
    ("model = ...\nmodel = f = 1\nprint(model)", ""),
    ("x, y = ...", "x and y stand only for values that are left out"),
    ("paths = ['a', ...]\nprint(paths)", OPEN.format("paths")),
    ("import keras\nkeras.Sequential([...])", "parts of it are left out"),
    ("print({'a': [[...]]})", "parts of it are left out"),
    ("from pydantic import Field\nx = Field(...)", ""),
    ("import numpy as np\na = np.ones((2, 2))\na[..., 0]", ""),
    ("from collections.abc import Callable\nF = Callable[..., int]", ""),
    ("def f(x=...):\n    ...\nf()", ""),
    ("page = '[Copy the page from above]'\nprint(page)", OPEN.format("page")),
    ("page = '[Copy it]'\nif len(page) < 99:\n    page = '<p>'\nprint(page)", ""),
    ("name = input('Name? ')", "it asks for input"),
    (
        "import asyncio\nasync def f(): ...\nasyncio.run(f())",
        "a notebook has an event loop already: it takes await where a script takes asyncio.run",
    ),
    ("import asyncio\nasync def f(): ...\nawait f()", ""),
    ("def ask():\n    return input()", ""),
    ("print(a, b, c, d, e)", NOWHERE.format("a, b, c and others")),
    ("await f()\nasync def f(): ...", NOWHERE.format("f")),
    ("def init():\n    global state\n    state = 1\ninit()\nprint(state)", ""),
    ("print(__name__, _, In)", ""),
    ("match 1:\n    case [a, *b]:\n        print(a, b)", ""),
    ("total = 0\ntotal += 1", ""),
    ("total += 1", NOWHERE.format("total")),
]


@pytest.mark.parametrize(("code", "why"), CASES)
def test_why_not(code: str, why: str) -> None:
    assert runnable.why_not(code, Names()) == why


def test_names_come_from_above() -> None:
    names = Names()
    names.run("import numpy as np\nmodel = ...\ndef f():\n    return late")
    names.show("late = 1\ngone = 2")
    assert runnable.why_not("print(np)", names) == ""
    assert runnable.why_not("print(model)", names) == OPEN.format("model")
    assert runnable.why_not("print(gone)", names) == "it needs gone from code that is not run"
    assert runnable.why_not("f()", names) == "it needs late from code that is not run"
    names.run("gone = late = 3\nmodel = 1")
    assert runnable.why_not("print(gone, model, f())", names) == ""


def test_needed() -> None:
    assert runnable.needed("import a\nprint(a, b)\nb = 1\ndef f():\n    return c") == {"print", "b", "c"}


@given(st.text(st.sampled_from("abcdefx=():.,[]{}'\"\n \t#*%!@\\1"), max_size=40))
def test_any_code(code: str) -> None:
    names = Names()
    assert isinstance(runnable.why_not(code, names), str)
    names.run(code)
    names.show(code)


@pytest.mark.parametrize("count", [90, 900, 990, 5000])
@pytest.mark.parametrize("shape", ["x = {0}1", "x = 1{1}", "x = a{2}", "x = {3}1{4}", "x = {5}[]{6}"])
def test_deep_code(shape: str, count: int) -> None:
    parts = ("not ", " + 1", ".b()", "lambda: ", "", "[a for a in ", "]")
    code = shape.format(*(part * count for part in parts))
    assert isinstance(runnable.why_not(code, Names()), str)
    assert isinstance(runnable.needed(code), frozenset)
