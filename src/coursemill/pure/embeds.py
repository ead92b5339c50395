"""What an embed shows of another note: all of it, what stands below a heading, or one block. Code is only shown.

Exercises, questions and quizzes are left out: each stands in one notebook, and nothing of its solution elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from markdown_it.token import Token

from coursemill.model import Code, Heading, Lesson, Prose
from coursemill.pure.verbatim import blocks

LONGEST = 20_000
"""Characters; more than that is a chapter, and a link to it serves better."""
MARKER = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
"""nbgrader looks for these texts anywhere in a line, in every cell, and stops when one stands where it may not."""
_ID = re.compile(r"(?:^|(?<=\s))\^(?P<id>[A-Za-z0-9-]+)[ \t]*$")
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+|[ \t]+#+[ \t]*$")


def excerpt(lesson: Lesson, below: Heading | None = None) -> str:
    """Markdown of the whole note without its title, or of what stands below a heading; headings become bold."""
    first, last = 0, lesson.text.count("\n") + 2
    if below:
        later = (h.line for h in lesson.headings if h.line > below.line and h.level <= below.level)
        first, last = below.line, next(later, last)
    title = below.line if below else next((h.line for h in lesson.headings if h.level == 1), 0)
    texts = (flat(text, drop=line == title) for line, text in _pieces(lesson) if first <= line < last)
    return "\n\n".join(text for text in texts if text.strip())


def block(lesson: Lesson, name: str) -> str | None:
    """Markdown of the paragraph, item, list, table, quote or fence that ends with `^name`; None: there is none."""
    above = ""
    for _, text in _pieces(lesson):
        if f"^{name}" in text:
            lines = text.split("\n")
            for n, line in enumerate(lines):
                if (found := _ID.search(line)) and found["id"] == name:
                    return _block(text, lines, n) or above
        above = text
    return None


def ids(lesson: Lesson) -> Mapping[str, int]:
    """Ids of blocks → the lines that they stand on; none are in fences."""
    if "^" not in lesson.text:
        return {}
    code = {n for fence in lesson.blocks for n in range(fence.span.start, fence.span.end + 1)}
    lines = enumerate(lesson.text.split("\n"), 1)
    found = ((match["id"], n) for n, line in lines if (match := _ID.search(line)) and n not in code)
    return dict(reversed(list(found)))


def flat(text: str, *, drop: bool = False) -> str:
    """`text` with bold lines in the place of headings, which would stand among the notebook's; `drop` the first."""
    lines = text.split("\n")
    for token in reversed(blocks(text)):
        if token.type == "heading_open" and token.level == 0 and token.map:
            start, end = token.map
            words = _HEADING.sub("", lines[start]) if end - start == 1 else " ".join(lines[start : end - 1]).strip()
            bold = [] if (drop and start == 0) or not words else [f"<b>{words}</b>"]
            lines[start:end] = [*bold, ""] if bold and end < len(lines) and lines[end].strip() else bold
    return "\n".join(lines).strip("\n")


def _pieces(lesson: Lesson) -> Iterator[tuple[int, str]]:
    """Prose and code that is no task's, as Markdown, with the line where it begins."""
    languages = {fence.span.start: fence.language for fence in lesson.blocks}
    for part in lesson.parts:
        if isinstance(part, Prose):
            yield part.span.start, part.text
        elif isinstance(part, Code):
            yield part.span.start, _fenced(part.text, languages.get(part.span.start, ""))
            if part.claim:
                yield part.claim.span.start, _fenced(part.claim.text, "text")


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _block(text: str, lines: list[str], n: int) -> str:
    """The block of `text` that line `n` ends, or that stands above it when it holds nothing but the id."""
    alone = _ID.sub("", lines[n]).strip(" \t>") == ""
    tokens = [token for token in blocks(text) if token.map and token.nesting >= 0]
    if alone:
        above = [t for t in tokens if t.level == 0 and t.map and t.map[0] < n]
        return "\n".join(lines[above[-1].map[0] : n]).strip("\n") if above and above[-1].map else ""
    around = [t for t in tokens if _around(t, n)]
    items = [t for t in around if t.type == "list_item_open"]
    found = (items or around)[-1:]
    start, end = found[0].map if found and found[0].map else (n, n + 1)
    return "\n".join(_outdented(lines[start:end]))


def _around(token: Token, line: int) -> bool:
    blocks_of_text = ("list_item_open", "paragraph_open", "heading_open", "blockquote_open")
    return token.type in blocks_of_text and token.map is not None and token.map[0] <= line < token.map[1]


def _outdented(lines: list[str]) -> list[str]:
    margin = len(lines[0]) - len(lines[0].lstrip(" \t"))
    return [line[margin:] if not line[:margin].strip(" \t") else line for line in lines]
