"""What cells define, import, and leave in an answer's hands."""

import pytest

from coursemill.pure import names
from coursemill.pure.names import Definition


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x):\n    y = 1\n", [("f", "function")]),
        ("async def f():\n    pass\nclass C:\n    a = 1\n", [("f", "function"), ("C", "class")]),
        ("a = b = 1\nc, (d, *e) = 1, (2, 3)\nf: int = 3\n", [(n, "value") for n in "abcdef"]),
        ("a[0] = 1\na.b = 2\nprint(a)\n", []),
        ("for i in x:\n    if i:\n        found = i\nwith open('x') as file:\n    pass\n", ["i", "found", "file"]),
        ("total = sum(x for x in y)\nprint(n := 3)\n", ["total", "n"]),
        ("try:\n    import a\nexcept ImportError:\n    a = None\n", ["a"]),
        ("import os\nfrom x import y\n", []),
        ("files = !ls\n%matplotlib inline\nx = 1\n", ["files", "x"]),
        ("%%time\nx = 1\n", ["x"]),
        ("%%bash\nx=1\n", []),
        ("x = (\n", []),
        ("text = await fetch()\n", ["text"]),
    ],
)
def test_definitions(source: str, expected: list[object]) -> None:
    assert list(names.definitions(source)) == [
        Definition(*((e, "value") if isinstance(e, str) else e))
        for e in expected  # type: ignore[misc,has-type]
    ]


def test_a_file_is_plain_python() -> None:
    assert names.definitions("x = !ls", cell=False) == ()
    assert names.definitions("x = 1", cell=False) == (Definition("x", "value"),)


def test_imports_are_kept_in_order() -> None:
    source = "import re\n\ndef f():\n    import os\nfrom a.b import (c,\n  d as e)\n"
    assert names.imports(source) == "import re\nfrom a.b import c, d as e"


def test_mentioned() -> None:
    assert names.mentioned("def f(x):\n    return soup.find(x)\n") == {"f", "x", "soup"}
    assert names.mentioned("%time total = f(3)\n!ls $folder") >= {"total", "f", "folder"}
    assert "f" not in names.mentioned("'about f'")


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("x = f(1)", {"f"}, {"f", "x"}),
        ("x = 1", {"f"}, {"f"}),
        ("f = len", {"f"}, set()),
        ("def check():\n    return f(2)", {"f"}, {"f", "check"}),
        ("rows.append(f(1))", {"f"}, {"f", "rows"}),
        ("table['a'] = f(1)", {"f"}, {"f", "table"}),
        ("import re\nrows = f(1)", {"f"}, {"f", "rows"}),
        ("import f", {"f"}, set()),
        ("print(f(1))", {"f"}, {"f"}),
        ("a = f\nb = a\na = 1", {"f"}, {"f", "b"}),
        ("not python (", {"f"}, {"f"}),
    ],
)
def test_what_an_answer_made_is_passed_on(source: str, before: set[str], after: set[str]) -> None:
    assert names.owned(source, frozenset(before)) == after


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("from shop.items import Item", {"Item"}),
        ("import shop.items", {"shop"}),
        ("import shop.items as items", {"items"}),
        ("from shop import items", {"items"}),
        ("from shop.other import thing", set()),
        ("import shopping", set()),
    ],
)
def test_what_is_imported_from_an_answers_file(source: str, after: set[str]) -> None:
    assert names.owned(source, frozenset(), ["shop/items.py"]) == after
