"""Which dollars are formulas for Jupyter: those that are for Obsidian."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import maths
from coursemill.pure.maths import DOLLAR
from coursemill.pure.prose import Page, render
from coursemill.pure.vault import VaultMap


@pytest.mark.parametrize(
    ("note", "jupyter"),
    [
        ("one $5", "one $5"),
        ("$5 and $6", f"{DOLLAR}5 and {DOLLAR}6"),
        ("$5-$6", f"{DOLLAR}5-{DOLLAR}6"),
        (r"\$5 and \$6", f"{DOLLAR}5 and {DOLLAR}6"),
        (r"\$5 alone", r"\$5 alone"),
        ("$5\n\nand $6", "$5\n\nand $6"),
        ("$5 and $x$", f"{DOLLAR}5 and $x$"),
        ("$x$ for $ 5", f"$x$ for {DOLLAR} 5"),
        ("`$5` and $6", "`$5` and $6"),
        ("`$x` and $y$", "`$x` and $y$"),
        ("$a_1 * b < c | d$", "$a_1 * b < c | d$"),
        ("$$ a $$ and $$b$$", "$$ a $$ and $$b$$"),
        ("$$\na\n+ b\n$$", "$$\na\n+ b\n$$"),
        ("[a](https://example.org/$x) $6", f"[a](https://example.org/%24x) {DOLLAR}6"),
        ('<a title="$5 $6">', '<a title="$5 $6">'),
        (r"| $\|x\|$ | \| |", r"| $\vert{}x\vert{}$ | \| |"),
        (r"$\|x\|$", r"$\|x\|$"),
        ("from $a_1\nto b$ and $5", f"from $a_1\nto b$ and {DOLLAR}5"),
        ("$HOME,\nor x$", f"{DOLLAR}HOME,\nor x{DOLLAR}"),
        (r"$x = \$5$ and $6", rf"$x = \$5$ and {DOLLAR}6"),
        ("> $a_1\n> + b$", "> $a_1 + b$"),
        ("> $$a\n> + b$$", "> $$a + b$$"),
        ("> $$a % one\n> + b$$", "> $$a % one\n> + b$$"),
    ],
)
def test_dollars(note: str, jupyter: str) -> None:
    assert maths.shown(note) == jupyter
    assert maths.shown(jupyter) == jupyter


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["$$", "a", "", "+ b", "$$"], "$$\na\n+ b\n$$"),
        (["> $$", "> a", ">", "> + b", "> $$"], "> $$ a + b $$"),
        (["- $$", "  a", "  $$"], "- $$\n  a\n  $$"),
    ],
)
def test_formulas_of_several_lines(lines: list[str], shown: str) -> None:
    assert maths.block(lines) == shown


@given(st.text(alphabet="$ a1\\`\n|>", max_size=40))
def test_nothing_but_dollars_and_white_space_changes(text: str) -> None:
    back = maths.shown(text).replace(DOLLAR, "$").replace(r"\vert{}", r"\|")
    assert re.sub(r"[\\\s>]", "", back) == re.sub(r"[\\\s>]", "", text)


FORMULA = st.text(alphabet="a_*{}^|<>=-+[]!%#&: 1", min_size=1, max_size=20).filter(lambda text: text == text.strip())


@given(FORMULA)
def test_formulas_are_untouched(formula: str) -> None:
    page = Page("notes/Lesson.md", "WS", VaultMap.of([]))
    for before, after in (("", ""), ("==x== and ", " [[Shop]]"), ("> [!note] ", ""), ("- [/] ", " x:: y"), ("> ", "")):
        assert f"${formula}$" in render(f"{before}${formula}${after}", page)
        assert f"$${formula}$$" in render(f"{before}$${formula}$${after}", page)
    block = f"$$\n{formula}\n$$"
    assert block in render(f"==x==\n\n{block}\n\n==x==", page)
    assert block in render(f"> [!note]\n> x\n>\n> $$\n> {formula}\n> $$", page)
