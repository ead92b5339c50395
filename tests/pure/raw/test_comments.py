import io
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.raw import comments, uncomment
from coursemill.pure.raw.comments import Run

TEXT = '''\
# first
x = 1  # one
  # second

"""
# in a text
"""  # behind it
y = [
    # between brackets
    "# no comment",  # 'a' comment
]
z = 'a\\
# in a text, too'
'''


def test_lines() -> None:
    found = comments.lines(TEXT)
    assert [(line.kind, line.inside, line.comment) for line in found] == [
        ("comment", False, "# first"),
        ("code", False, "# one"),
        ("comment", False, "# second"),
        ("blank", False, ""),
        ("code", False, ""),
        ("code", True, ""),
        ("code", True, "# behind it"),
        ("code", False, ""),
        ("comment", True, "# between brackets"),
        ("code", True, "# 'a' comment"),
        ("code", True, ""),
        ("code", False, ""),
        ("code", True, ""),
        ("blank", False, ""),
    ]
    assert found[2].said == "second"


def test_runs() -> None:
    text = "# a\n# b\n\n# c\nx = (\n# d\n)\n# e"
    assert list(comments.runs(comments.lines(text))) == [Run(0, 1), Run(3, 3), Run(7, 7)]


def test_trailing() -> None:
    assert comments.trailing(TEXT) == {2: "# one", 7: "# behind it", 10: "# 'a' comment"}


@pytest.mark.parametrize("opening", ["x = [", 'x = """', "f(", "x = {'a': ("])
def test_what_is_never_closed_ends_with_its_line(opening: str) -> None:
    found = comments.lines(f"{opening}\n# a comment\ny = 1  # one")
    assert [line.kind for line in found] == ["code", "comment", "code"]
    assert found[2].comment == "# one"


PIECES = st.sampled_from(
    ["x = 1", "# a", "'", '"', '"""', "'''", "(", "]", "\n", "    ", "\\", "#", "f'{x}'", "r'\\'", "'# no'", "é", "\t"]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_python_agrees(text: str) -> None:
    found = comments.lines(text)
    assert "\n".join(line.text for line in found) == text
    if uncomment.problem(text) is not None:
        return
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    expected = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    assert {n: line.comment for n, line in enumerate(found, 1) if line.comment} == expected
