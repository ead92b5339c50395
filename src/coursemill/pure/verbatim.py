"""The blocks of a piece of prose, by line: what is verbatim there, and where lists and quotes begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from coursemill.pure.fences import Notes
from coursemill.pure.grammar import comment, maths, template

_CLOSING = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*$")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence: lines `start` to `end` of a text (0-based, `end` is behind it) with its ticks."""

    start: int
    end: int
    info: str
    content: str
    closed: bool


@lru_cache(maxsize=512)  # both editions of a lesson ask for the same texts
def blocks(text: str) -> tuple[Token, ...]:
    """Block tokens of `text`, without their inline content; lines are `Token.map`."""
    return tuple(_PARSER.parse(text, {"notes": Notes()}))


def fences(text: str) -> Iterator[Fence]:
    """The fences of `text`, in order, also those in lists and quotes."""
    if "```" not in text and "~~~" not in text:
        return
    lines = text.split("\n")
    for token in blocks(text):
        if token.type == "fence" and token.map:
            start, end = token.map
            closed = end - start > 1 and _CLOSING.match(lines[end - 1]) is not None
            yield Fence(start, end, token.info.strip(), token.content.removesuffix("\n"), closed)


_PARSER = MarkdownIt("commonmark")
_PARSER.core.ruler.enableOnly(["block"])
for _rule in (comment, maths, template):
    _PARSER.block.ruler.before("blockquote", _rule.__name__, _rule, {"alt": ["paragraph", "reference", "blockquote"]})
