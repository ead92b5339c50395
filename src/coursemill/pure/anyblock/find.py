"""Where AnyBlock's headers stand in a text, and which lines are the block below each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from coursemill.pure import comments
from coursemill.pure.anyblock import header, maps, tree
from coursemill.pure.anyblock.header import Header
from coursemill.pure.anyblock.show import Kind
from coursemill.pure.verbatim import Fence, blocks, fences

LISTS = ("bullet_list_open", "ordered_list_open")
_DELIMITER = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")


@dataclass(frozen=True, slots=True)
class Block:
    """A header on lines `start` to `first` of a text, and the block to which it belongs, up to `end` (from 0)."""

    start: int
    first: int
    end: int
    kind: Kind
    header: Header

    def text(self, lines: Sequence[str]) -> str:
        """The block's own lines (`lines` are the text's), without what they stand in."""
        quotes = self.header.prefix.count(">")
        inside = [tree.unquoted(line, quotes) for line in lines[self.first : self.end]]
        if self.kind == "list":
            inside = _whole(inside)
        return tree.outdented(inside).strip("\n")


def block(tokens: Sequence[Token], at: int, lines: Sequence[str]) -> Block | None:
    """The block that a header asks for which stands in the paragraph that token `at` of a text's `lines` opens.

    A header stands at the end of its paragraph, or begins it.
    """
    start, last = tokens[at].map or (0, 0)
    end = last
    written = lines[start:end]
    if not any("[" in line for line in written):
        return None
    headers = header.trailing(written)
    if headers:
        start = end - len(headers)
        kind, last = _below(tokens, at + 3, lines, end)
    else:
        while start < end and (found := header.read(lines[start])):
            headers.append(found)
            start += 1
        start, end = start - len(headers), start
        kind = "list" if tree.SIGN.match(lines[end]) else "other"
    if not headers or any(_is_defined(line, lines) for line in lines[start:end]):
        return None
    return Block(start, end, last, kind, header.merged(headers))


def diagrams(text: str, nested: int = 3) -> Iterator[tuple[str, int, int]]:
    """Every diagram that a header in `text` asks for: its source, and its lines (from 0, half-open).

    `nested` is how many fences of AnyBlock's own are looked into, one in another.
    """
    if "[" not in text:
        return
    for fence in fences(text) if nested else ():
        if is_anyblock(fence):
            below = fence.start + 1
            yield from ((made, below + n, below + end) for made, n, end in diagrams(fence.content, nested - 1))
    text = comments.blanked(text)
    lines = text.split("\n")
    tokens = blocks(text)
    for n, token in enumerate(tokens):
        asked = block(tokens, n, lines) if token.type == "paragraph_open" else None
        is_diagram = asked and asked.kind == "list" and asked.header.mode in ("flow", "mind")
        if asked and is_diagram and (source := maps.source(asked.header, tree.items(asked.text(lines)))):
            yield source, asked.start, asked.end


def is_anyblock(fence: Fence) -> bool:
    """Whether a fence is AnyBlock's own, which holds a header and its block."""
    return fence.closed and fence.info.lower() in ("anyblock", "ab")


def _below(tokens: Sequence[Token], at: int, lines: Sequence[str], end: int) -> tuple[Kind, int]:
    """What stands below a paragraph that ends above line `end`, and where that ends; `end`, when it is no block."""
    after = tokens[at] if at < len(tokens) else None
    if after is None or after.map is None:
        return "other", end
    if after.type in LISTS:
        return "list", _list_end(tokens, at, lines)
    if after.map[0] > end + 1 or after.type not in ("blockquote_open", "fence", "paragraph_open"):
        return "other", end
    if after.type == "paragraph_open" and not is_table(lines[after.map[0] : after.map[1]]):
        return "other", end
    return "quote" if after.type == "blockquote_open" else "other", after.map[1]


def is_table(lines: Sequence[str]) -> bool:
    """Whether a paragraph is a table of Markdown."""
    return len(lines) > 1 and "|" in lines[0] and _DELIMITER.fullmatch(lines[1]) is not None


def _list_end(tokens: Sequence[Token], at: int, lines: Sequence[str]) -> int:
    """Where the list ends that token `at` opens: a fence that is just not indented far enough does not end it."""
    first = tokens[at]
    last = (first.map or (0, 0))[1]
    n = _closing(tokens, at) + 1
    while n < len(tokens) and tokens[n].type in ("fence", first.type) and tokens[n].level == first.level:
        start, end = tokens[n].map or (0, 0)
        if tokens[n].type == "fence" and not _is_shallow(lines[start], lines[(first.map or (0, 0))[0]]):
            break
        last = end
        n = _closing(tokens, n) + 1
    return last


def _is_shallow(fence: str, item: str) -> bool:
    """Whether a fence below an item is indented, if not as far as the item's text."""
    return _margin(fence) > _margin(item)


def _whole(lines: Sequence[str]) -> list[str]:
    """A list whose fences all stand in its items."""
    text = tree.outdented(lines).split("\n")
    shifted = list(text)
    content = 0
    for token in blocks("\n".join(text)):
        start, end = token.map or (0, 0)
        if token.type == "list_item_open" and token.level == 1:
            sign = tree.SIGN.match(text[start])
            content = len(sign[0].expandtabs(4)) if sign and sign.end() < len(text[start]) else 2
        elif token.type == "fence" and token.level == 0:
            missing = " " * max(content - _margin(text[start]), 0)
            shifted[start:end] = [missing + line if line.strip(" \t") else line for line in text[start:end]]
    return shifted


def _closing(tokens: Sequence[Token], start: int) -> int:
    """The token that closes the one at `start`; that one, when it has no inside."""
    if tokens[start].nesting != 1:
        return start
    level = tokens[start].level
    return next((n for n in range(start + 1, len(tokens)) if tokens[n].level == level), len(tokens) - 1)


def _is_defined(line: str, lines: Sequence[str]) -> bool:
    """Whether `[word]` on a line is a link, which is defined elsewhere in the text."""
    written = line.strip(" \t>:") + ": "
    return "|" not in written and any(other.lstrip(" \t>").startswith(written) for other in lines)


def _margin(line: str) -> int:
    text = line.lstrip(" \t>")
    return len(line[: len(line) - len(text)].expandtabs(4))
