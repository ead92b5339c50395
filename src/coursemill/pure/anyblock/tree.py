"""A list as a tree: what stands in each item, and the items below it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it.token import Token

from coursemill.pure.anyblock import header
from coursemill.pure.references import VERBATIM, masked
from coursemill.pure.vault import WIKILINK
from coursemill.pure.verbatim import blocks

DEEPEST = 8
"""Levels of a list that is still a table or a diagram."""
SIGN = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])(?:[ \t]+|$)")
"""What begins an item."""
_LISTS = ("bullet_list_open", "ordered_list_open")
_TAB = 4
_BAR = re.compile(rf"{VERBATIM}|{WIKILINK.pattern}|(?P<bar>(?<![|\\])(?:(?<=\s)\||\|(?=\s))(?!\|))", re.VERBOSE)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list, in Markdown."""

    text: str
    """Its first paragraph."""
    body: str
    """What else stands in it, without the items below it."""
    children: tuple[Item, ...] = ()
    rest: str = ""
    """All that stands below its first paragraph, as it is written."""

    @property
    def leaves(self) -> int:
        """Items below it that have none below them; at least 1."""
        return sum(child.leaves for child in self.children) or 1

    @property
    def levels(self) -> int:
        """Levels of the items below it, and its own."""
        return 1 + max((child.levels for child in self.children), default=0)


def items(text: str) -> tuple[Item, ...]:
    """The items of the lists that `text` consists of; none when it holds more, or they are too deep for a tree."""
    tokens = blocks(text)
    lines = text.split("\n")
    parts = list(_parts(tokens))
    if any(token.type not in _LISTS for token, _ in parts) or any(token.level > 2 * DEEPEST for token in tokens):
        return ()
    return tuple(item for _, inside in parts for item in _items(inside, lines, {}))


def split(text: str) -> Iterator[str]:
    """The items of the lists that `text` consists of, each with its sign and all up to the next."""
    lines = text.split("\n")
    found = (t.map for t in blocks(text) if t.type == "list_item_open" and t.level == 1)
    starts = [place[0] for place in found if place]
    for start, end in pairwise([0, *starts[1:], len(lines)]):
        yield "\n".join(lines[start:end])


def cells(text: str) -> list[str]:
    """What stands between the bars of an item's text; a bar has a blank beside it."""
    hidden = masked(text)
    bars = [match.start() for match in _BAR.finditer(hidden) if match["bar"]]
    edges = [-1, *bars, len(text)]
    return [text[start + 1 : end].strip() for start, end in pairwise(edges)]


def outdented(lines: Sequence[str]) -> str:
    """`lines` without the white space that all of them begin with, tabs and blanks alike."""
    margin = min((_columns(line) for line in lines if line.strip(" \t")), default=0)
    return "\n".join(_shifted(line, margin) for line in lines)


def unquoted(line: str, quotes: int) -> str:
    """`line` without its first quote marks; what a tab reaches behind them stays where it is."""
    at = 0
    for _ in range(quotes):
        mark = re.compile(r"[ \t]*>").match(line, at)
        at = mark.end() if mark else at
    if not at:
        return line
    text = line[at:].lstrip(" \t")
    before, margin = line[:at].expandtabs(_TAB), line[: len(line) - len(text)].expandtabs(_TAB)
    return " " * max(len(margin) - len(before) - 1, 0) + text


def _items(tokens: Sequence[Token], lines: Sequence[str], signs: Mapping[int, int]) -> Iterator[Item]:
    """The items that `tokens` (a list's inside) are; `signs` of items outside stand on a line before their text."""
    for token, inside in _parts(tokens):
        start = (token.map or (0, 0))[0]
        yield _item(inside, lines, {start: signs.get(start, 0) + 1})


def _item(tokens: Sequence[Token], lines: Sequence[str], signs: Mapping[int, int]) -> Item:
    text = ""
    body: list[str] = []
    children: tuple[Item, ...] = ()
    ranges: list[tuple[int, int]] = []
    asked = False
    for n, (token, inside) in enumerate(_parts(tokens)):
        start, end = token.map or (0, 0)
        words = inside[0].content.split("\n") if token.type == "paragraph_open" else []
        asking = len(header.trailing(words))
        if n == 0 and words:
            text = "\n".join(word.strip(" \t") for word in words[: len(words) - asking])
            start, words = end - asking, words[len(words) - asking :]
        ranges += [(start, end)] if start < end else []
        if token.type in _LISTS and not asked:
            children += tuple(_items(inside, lines, signs))
        elif start < end:
            body.append("\n".join(words) if words else _cut(start, end, lines, signs))
        asked = asking > 0
    rest = _cut(ranges[0][0], ranges[-1][1], lines, signs) if ranges else ""
    return Item(text, "\n\n".join(body), children, rest)


def _cut(start: int, end: int, lines: Sequence[str], signs: Mapping[int, int]) -> str:
    """Lines of an item as Markdown of its own, without the signs of the items that begin there."""
    first = lines[start]
    for _ in range(signs.get(start, 0)):
        if sign := SIGN.match(first):
            first = " " * len(sign[0].expandtabs(_TAB)) + first[sign.end() :]
    return outdented([first, *lines[start + 1 : end]]).rstrip()


def _parts(tokens: Sequence[Token]) -> Iterator[tuple[Token, Sequence[Token]]]:
    """The outermost blocks among `tokens`: what opens each, and what stands in it."""
    n = 0
    while n < len(tokens):
        token, start = tokens[n], n + 1
        if token.nesting == 1:
            depth = 1
            while depth and n + 1 < len(tokens):
                n += 1
                depth += tokens[n].nesting
        n += 1
        yield token, tokens[start : max(n - 1, start)]


def _columns(line: str) -> int:
    text = line.lstrip(" \t")
    return len(line[: len(line) - len(text)].expandtabs(_TAB))


def _shifted(line: str, margin: int) -> str:
    """`line` with `margin` columns of white space less; a tab that is cut leaves blanks."""
    at = column = 0
    while column < margin and at < len(line) and line[at] in " \t":
        column += _TAB - column % _TAB if line[at] == "\t" else 1
        at += 1
    rest = line[at:]
    if margin % _TAB and "\t" in rest[: len(rest) - len(rest.lstrip(" \t"))]:
        rest = " " * (_columns(line) - column) + rest.lstrip(" \t")
    return " " * (column - margin) + rest
