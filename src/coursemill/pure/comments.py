"""An author's comments, `%% … %%` and `<!-- … -->`: for nobody but authors, so they are in no notebook."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from coursemill.pure import references
from coursemill.pure.verbatim import blocks

_GONE = "\ufdd2"
"""Stands for a comment that is taken out; no text has it."""


def removed(text: str) -> str:
    """Markdown without its comments; a line that holds nothing else goes with them."""
    kept = _replaced(text, lambda _: _GONE)
    if kept is text:
        return text
    lines = ((line, line.replace(_GONE, "")) for line in kept.split("\n"))
    return "\n".join(rest for line, rest in lines if line == rest or rest.strip("> \t"))


def blanked(text: str) -> str:
    """Markdown with blanks in the place of its comments: lines and columns stay."""
    return _replaced(text, lambda comment: re.sub(r"[^\n]", " ", comment))


def _replaced(text: str, by: Callable[[str], str]) -> str:
    if "%%" not in text and "<!--" not in text:
        return text
    pieces = []
    done = 0
    for start, end in _spans(text):
        pieces += [text[done:start], by(text[start:end])]
        done = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where comments are, in order: in no code block, but over code blocks that stand in them."""
    lines = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    done = 0
    for token in blocks(text):
        if token.type not in ("fence", "code_block", "html_block") or token.map is None or token.map[0] < done:
            continue
        start, end = token.map
        opening = token.content.lstrip()[:4]
        if token.type == "html_block" and not opening.startswith(("%%", "<!--")):
            continue
        yield from _inline(lines, done, start, starts[done])
        if opening.startswith("%%") and token.type == "html_block":
            yield starts[start] + lines[start].index("%%"), starts[end] - 1
        elif token.type == "html_block":
            within = references.comments("\n".join(lines[start:end]))
            yield from ((starts[start] + first, starts[start] + last) for first, last in within)
        done = end
    yield from _inline(lines, done, len(lines), starts[done])


def _inline(lines: Sequence[str], start: int, end: int, above: int) -> Iterator[tuple[int, int]]:
    """Comments in the lines from `start` to `end`, which hold no code blocks; `above` is where they begin."""
    for first, last in references.comments(references.masked("\n".join(lines[start:end]))):
        yield above + first, above + last
