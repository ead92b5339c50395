import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.statements import count, imports


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", 0),
        ("# only\n\n# comments", 0),
        ('"""What was code once."""', 0),
        ("...", 0),
        ("pass", 0),
        ("import os", 1),
        ("x = 1; y = 2", 2),
        ("def f():\n    a = 1\n    return a\n\nf()", 2),
        ("await f()", 1),
        ("%time f()", 1),
        ("!ls\nx = 1", 2),
        ("files = !ls", 1),
        ("a, b = %timeit -o 1", 1),
        ("f?", 1),
        ("    %matplotlib inline", 1),
        ("%%bash -e\nls\npwd", 1),
        ("%%writefile x.py\na = 1\nb = 2", 0),
        ("%%time f()", 1),
        ("%%time\n", 0),
        ("x = = 1", 1),
        ("x = (7\n% 3)", 1),
        ("s = '''\n%d\n''' % 3", 1),
    ],
)
def test_statements_are_counted_as_a_person_would(source: str, expected: int) -> None:
    assert count(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os, sys\nfrom re import sub; x = 1", 2),
        ("%matplotlib inline\nimport os", 1),
        ("try:\n    import x\nexcept ImportError:\n    x = None", 0),
        ("%%bash\nimport os", 0),
        ("import = 1", 0),
        ("", 0),
    ],
)
def test_imports_are_counted_apart(source: str, expected: int) -> None:
    assert imports(source) == expected


@given(st.text())
def test_any_text_has_a_count(source: str) -> None:
    assert count(source) >= 0


@given(st.lists(st.sampled_from(["# x", "", "   # y"])))
def test_comments_are_never_statements(lines: list[str]) -> None:
    assert count("\n".join(lines)) == 0
