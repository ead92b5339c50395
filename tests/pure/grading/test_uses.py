"""What statements do with a notebook's names."""

from typing import Any

import pytest

from coursemill.pure.grading import uses


def seen(source: str) -> dict[str, Any]:
    """What the only statement of `source` does, without what it does not do."""
    (one,) = uses.statements(source)
    found = {name: getattr(one, name) for name in ("reads", "later", "stores", "calls", "sets", "deletes")}
    binds = {"binds": dict(one.binds)} if one.binds else {}
    return {**binds, **{name: " ".join(sorted(value)) for name, value in found.items() if value}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = y + 1", {"binds": {"x": "value"}, "reads": "y"}),
        ("x: int = y", {"binds": {"x": "value"}, "reads": "int y"}),
        ("x: int", {"reads": "int"}),
        ("x += y", {"binds": {"x": "value"}, "reads": "x y"}),
        ("a, (b, *c) = d", {"binds": dict.fromkeys("abc", "value"), "reads": "d"}),
        ("d['a'].b = c", {"reads": "c d", "stores": "d"}),
        ("del d['a'], e", {"reads": "d", "stores": "d", "deletes": "e"}),
        ("rows.append(f(1))", {"reads": "f rows", "calls": "rows"}),
        ("print(n := g())", {"binds": {"n": "value"}, "reads": "g print"}),
        ("[b := a for a in c if a > d]", {"binds": {"b": "value"}, "reads": "c d"}),
        ("x = {k: v for k, v in zip(a, b)}", {"binds": {"x": "value"}, "reads": "a b zip"}),
        ("import a.b, c as d", {"binds": {"a": "import", "d": "import"}}),
        ("from a import b as c, d", {"binds": {"c": "import", "d": "import"}}),
        (
            "try:\n    import a\nexcept ImportError as e:\n    a = None; print(e)",
            {"binds": {"a": "value"}, "reads": "ImportError print"},
        ),
        ("for i in range(n):\n    t += i", {"binds": {"i": "value", "t": "value"}, "reads": "n range t"}),
        ("with open(p) as f:\n    x = f.read()", {"binds": {"f": "value", "x": "value"}, "reads": "open p"}),
        ("if a:\n    x = 1\nelse:\n    y = x", {"binds": {"x": "value", "y": "value"}, "reads": "a x"}),
        ("f = lambda x: x + g", {"binds": {"f": "value"}, "later": "g"}),
        (
            "def f(x, y=d, *a: t) -> r:\n    z = x + g\n    return [z for q in h]",
            {"binds": {"f": "function"}, "reads": "d r t", "later": "g h"},
        ),
        (
            "def f():\n    global n\n    n = n + 1\n    cache[n] = 2",
            {"binds": {"f": "function"}, "later": "cache n", "sets": "cache n"},
        ),
        (
            "def f():\n    def g():\n        nonlocal n\n        n = m\n    n = 1",
            {"binds": {"f": "function"}, "later": "m"},
        ),
        (
            "@d\nclass C(B, metaclass=M):\n    a = b\n    c = a\n    def f(self):\n        return a + self.x",
            {"binds": {"C": "class"}, "reads": "B M b d", "later": "a"},
        ),
        (
            "match x:\n    case {'k': v, **rest}:\n        pass\n    case [a, *b] as c if d:\n        pass",
            {"binds": dict.fromkeys(("v", "rest", "a", "b", "c"), "value"), "reads": "d x"},
        ),
        ("%time f(3)", {"reads": "f get_ipython time", "calls": "get_ipython"}),
        ("text = await fetch()", {"binds": {"text": "value"}, "reads": "fetch"}),
    ],
)
def test_a_statement(source: str, expected: dict[str, Any]) -> None:
    assert seen(source) == expected


OPEN = ["from math import *", "%run helper.py", "%load x.py", "%pylab inline", "%%bash --out lines\nls"]


@pytest.mark.parametrize("source", OPEN)
def test_names_that_do_not_stand_there(source: str) -> None:
    assert [s.open for s in uses.statements(source)] == [True]
    assert any(s.open for s in uses.statements("%%capture out\nhello()"))
    assert not any(s.open for s in uses.statements("%%time\nx = 3"))


@pytest.mark.parametrize("source", ["", "x = (", "%%writefile a.py\nx = 1", "\0"])
def test_what_is_no_python_does_nothing(source: str) -> None:
    assert uses.statements(source) == ()


def test_names_in_texts_count_where_they_may_be_meant() -> None:
    assert "f" in uses.mentioned("assert 'f' in globals()")
    assert "f" not in uses.mentioned("assert g() == 'f'")


def test_bound() -> None:
    assert uses.bound("import a\ndef f(): x = 1\nclass C: y = 1\nz = 2") == {
        "a": "import",
        "f": "function",
        "C": "class",
        "z": "value",
    }


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("%%writefile a/b.py\nx = 1", "a/b.py"),
        ('%%writefile "a b.py"\nx = 1', "a b.py"),
        ("%%file  -a  x.py \n", "x.py"),
        ("x = 1", ""),
        ("%%time\nx", ""),
    ],
)
def test_written(source: str, path: str) -> None:
    assert uses.written(source) == path
