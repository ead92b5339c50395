import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from coursemill.pure.links import anchor, escaped, plain


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Plain", "Plain"),
        ("`code` and **bold** and *it* and _it_", "code and bold and it and it"),
        ("snake_case_name and __init__", "snake_case_name and init"),
        ("[link](x.md) and [[Note|words]] and [[Note]] and [[Note#Part]]", "link and words and Note and Part"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("a &amp; b \\*c\\*", "a & b *c*"),
        ("==marked== ~~gone~~ and a == b", "marked gone and a == b"),
        ("<b>x</b> ![alt](x.png) y", "x  y"),
        ("`` a`b ``", "a`b"),
    ],
)
def test_plain(markdown: str, text: str) -> None:
    assert plain(markdown) == text


@pytest.mark.parametrize(
    ("heading", "fragment"),
    [
        ("Plain heading", "Plain-heading"),
        ("With f(x), and: more?", "With-f(x),-and:-more?"),
        ("An open ( only", "An-open-%28-only"),
        ("a_b = [c]", "a_b-=-[c]"),
        ('Größe "x"', "Gr%C3%B6%C3%9Fe-%22x%22"),
        ("a | b", "a-%7C-b"),
    ],
)
def test_anchors_are_jupyterlabs(heading: str, fragment: str) -> None:
    assert anchor(heading) == fragment


@given(st.text())
def test_anchors_end_no_link(heading: str) -> None:
    fragment = anchor(heading)
    assert not set(fragment) & set(' \n\t<>"`|\\')
    link = MarkdownIt("commonmark").renderInline(f"[x](y.ipynb#{fragment})")
    assert link.startswith("<a ")
    assert link.endswith(">x</a>")


@given(st.text(alphabet="ab*_`[]<\\ "))
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    assert MarkdownIt("commonmark").renderInline(escaped(text)) == text.replace("<", "&lt;")
