"""What a note's prose says outside of its code: units of text with what stands above them, and their code spans.

A unit is what is read in one go: a paragraph, a list item's own lines, a row of a table, a heading.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from coursemill.pure import comments

_QUOTE = re.compile(r"(?:[ \t]*>)+[ \t]?")
_ITEM = re.compile(r"([ \t]*)(?:[-+*]|\d{1,9}[.)])(?:[ \t]+|$)")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_TITLE = re.compile(r"[ \t]*\[!([\w-]+)")
_SPAN = re.compile(r"(?<!`)(`{1,3})(?!`)((?:[^`\n]|(?!\1)`)+?)(?<!`)\1(?!`)")
_HIDDEN = re.compile(r"\[\[[^\[\]|\n]*(?:\||(?=\]\]))|\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)|<?https?://\S+|<%.*?%>")

_DEEPEST = 8
"""Items around an item that count as standing above it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Some lines of the note that belong together; `text` is as long as they are, so that columns stay."""

    line: int
    text: str
    above: str
    """What is said over it: its heading, the items that it stands in, the sentence that leads to the list."""
    depth: int = 0
    """How many items it stands in; its own counts."""

    def place(self, position: int) -> tuple[int, int]:
        """The note's line and column (from 1) of a position in the text."""
        before = self.text[:position]
        return self.line + before.count("\n"), position - (before.rfind("\n") + 1) + 1


@dataclass(frozen=True, slots=True)
class Span:
    """A code span of a unit."""

    code: str
    start: int


def units(text: str, hidden: Collection[int]) -> Iterator[Unit]:
    """The prose of a note; `hidden` are lines (from 1) that are no prose: front matter, fences."""
    lines = comments.blanked(text).split("\n")
    reader = _Units()
    for n, line in enumerate(lines, 1):
        yield from reader.take(n, "" if n in hidden else line)
    yield from reader.flush()


def groups(found: Iterable[Unit]) -> Iterator[list[Unit]]:
    """The units that are read together: an outermost list item with all that stands in it, or one unit alone."""
    group: list[Unit] = []
    for unit in found:
        if group and unit.depth < 2:
            yield group
            group = []
        group.append(unit)
    if group:
        yield group


def spans(unit: Unit) -> Iterator[Span]:
    """The code spans of a unit."""
    for match in _SPAN.finditer(unit.text):
        yield Span(match[2], match.start(2))


def words(unit: Unit) -> str:
    """The unit's words, with blanks where wikilinks' targets and addresses are."""
    return _HIDDEN.sub(lambda match: " " * len(match[0]), unit.text)


class _Units:
    """Takes lines, and gives a unit when it is complete."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.first = 0
        self.heading = ""
        self.title = ""
        self.quiz = False
        self.lead = ""
        self.items: list[tuple[int, str]] = []
        self.item: int | None = None

    def take(self, n: int, line: str) -> Iterator[Unit]:
        quote = _QUOTE.match(line)
        text = line[quote.end() :] if quote else line
        if not quote and (self.title or self.quiz):
            yield from self.flush()
            self.title, self.quiz = "", False
        if self.quiz:
            return  # what it asks about may well be wrong
        if not text.strip():
            yield from self.flush()
            return
        title = _TITLE.match(text) if quote else None
        item = _ITEM.match(text)
        if _HEADING.match(text):
            yield from self.flush()
            self.heading, self.lead, self.items = text, "", []
            self.start(n, line)
            yield from self.flush()
        elif title:
            yield from self.flush()
            self.title, self.quiz, self.items = text, title[1].lower() == "quiz", []
            if not self.quiz:
                self.start(n, line)
                yield from self.flush()
        elif item:
            yield from self.flush()
            indent = len(item[1].expandtabs(4))
            self.items = [(at, said) for at, said in self.items if at < indent]
            self.item = indent
            self.start(n, line)
        elif text.lstrip().startswith("|"):
            going = bool(self.lines) and _is_row(self.lines[0])
            yield from self.flush()
            if not going:
                self.items = self.items if line[:1].isspace() else []
                self.lead = text if _is_row(self.lead) else f"{self.lead}\n{text}".strip()
            self.start(n, line)
        else:
            if not self.lines and not line[:1].isspace() and not quote:
                self.items = []
            self.start(n, line)

    def start(self, n: int, line: str) -> None:
        if not self.lines:
            self.first = n
        self.lines.append(line)

    def flush(self) -> Iterator[Unit]:
        if not self.lines:
            return
        text = "\n".join(self.lines)
        said = [self.heading, self.title, *(said.strip() for _, said in self.items[-_DEEPEST:])]
        if self.items or self.item is not None or _is_row(text):
            said.append(self.lead)
        yield Unit(self.first, text, "\n".join(filter(None, said)), len(self.items) + (self.item is not None))
        if self.item is not None:
            self.items.append((self.item, text))
            self.item = None
        elif not self.items and not _is_row(text):
            self.lead = text if text.rstrip().endswith(":") else ""
        self.lines = []


def _is_row(line: str) -> bool:
    """Whether a line is a table's."""
    return line.lstrip("> \t").startswith("|")
