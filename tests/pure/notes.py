"""Notes to test the parser with: random ones, and what every parsed one must keep to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from hypothesis import strategies as st

from coursemill.model import Code, Exercise, Lesson, Prose, Question, Quiz, Solution, Span, Test, Wrong

_LINES = [
    "", "", "", "text", "text [[Note|alias]] `[[no]]`", "# Heading", "## Heading", "Set", "===", "---", "***",
    "```", "```python", "````", "`````", "~~~", "~~~python", "```bash role=\"run\"", "``` trailing", "```- item",
    '```python role="solution"', '```python role="test" points=1', '```python role="test" hidden=true id="x"',
    '```python role="wrong" score=1', '```python role="setup"', '```python role="show"', '```text role="output"',
    '```python role="file" path="a/b.py"', '```text role="file" path="../x"', '```python role="tset"', "```python x=\"",
    "> [!exercise|id=a] Title", "> [!exercise|id=b points=2 grade=manual] T", "> [!exercise] no id", "> [!note] N",
    "> [!quiz|id=q points=1] Q", "> - [x] yes *why*", "> - [ ] no", "> [!hint]- H", "> [!solution]- S", "> [!rubric] R",
    "[list2tab|#Tabs]", "- item", "* item", "1. item", "2) item", "x = 1", "    x = 1", "### BEGIN SOLUTION", "<!--", "-->",
    "<div>", "[a]: b", "| a | b |", "\u2028", "\x85", "\x0c", "\ufeff", "\x00", "key: value", "worksheet: W", "- - a", "> > q",
]  # fmt: skip
_PREFIXES = ["", "", "", "", " ", "  ", "    ", "        ", "\t", "\t\t", "> ", "> > ", ">", "- ", "1. ", "- > ", "> - ", ">     "]
_ENDS = ["\n"] * 12 + ["\r\n", "\r", ""]

lines = st.builds(lambda prefix, line, end: prefix + line + end, *map(st.sampled_from, (_PREFIXES, _LINES, _ENDS)))
notes = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "---\nworksheet: W\n---\n", "---\nkey: v\n", "\ufeff"]),
        st.lists(lines | st.text(max_size=8), max_size=30).map("".join),
    ),
)


def spans(lesson: Lesson) -> Iterator[Span]:
    """Every part's lines, of each kind and depth."""
    for part in (*lesson.parts, *lesson.loose):
        yield part.span
        if isinstance(part, Exercise | Question | Quiz):
            inner = list(part.parts)
            yield from (p.span for p in inner)
            yield from (p.claim.span for p in inner if isinstance(p, Code) and p.claim)
        if isinstance(part, Question):
            yield from part.key
        if isinstance(part, Code) and part.claim:
            yield part.claim.span


def source_lines(text: str) -> list[str]:
    """A note's lines as an editor counts them."""
    found = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    return found if found[-1] else found[:-1]


def check(lesson: Lesson, text: str) -> None:
    """Nothing is lost, nothing stands twice, and every line number is right."""
    source = source_lines(text)
    taken = Counter(line for span in spans(lesson) for line in range(span.start, span.end + 1))
    assert all(1 <= line <= len(source) for line in taken)
    for n, line in enumerate(source, 1):
        shows = re.fullmatch(r"[ \t>]*", line) is None and n > lesson.front.end_line
        assert taken[n] <= 1, f"line {n} stands twice"
        assert taken[n] == 1 or not shows, f"line {n} is lost: {line!r}"
    assert_ordered([part.span for part in lesson.parts])
    for part in lesson.parts:
        if isinstance(part, Exercise | Question | Quiz):
            assert_ordered([part.span, *(p.span for p in part.parts)])
    for code in code_parts(lesson):
        for n, line in enumerate(code.text.split("\n") if code.text else [], code.first_line):
            assert n <= code.span.end
            same_line(line, source[n - 1])
    for finding in lesson.findings:
        assert 1 <= finding.line <= max(len(source), 1)
        assert finding.col >= 1
        assert finding.path == lesson.path
    for link in (*lesson.links, *lesson.files):
        assert 1 <= link.line <= len(source)
        assert 1 <= link.col <= len(source[link.line - 1])


def assert_ordered(found: list[Span]) -> None:
    assert all(span.start <= span.end for span in found)
    assert all(a.end < b.start for a, b in zip(found, found[1:], strict=False))


def code_parts(lesson: Lesson) -> Iterator[Code | Solution | Test | Wrong]:
    for part in lesson.parts:
        inner = part.parts if isinstance(part, Exercise | Question | Quiz) else (part,)
        yield from (p for p in inner if not isinstance(p, Prose) and hasattr(p, "first_line"))


def same_line(text: str, source: str) -> None:
    """`text` is the note's line, but for the indentation before it."""
    assert source.endswith(text.lstrip(" \t")), (text, source)
