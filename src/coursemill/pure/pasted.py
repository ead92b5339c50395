"""A pasted text as bytes, and those of its lines that may frame a note. Places are offsets of bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from coursemill.pure import filenames
from coursemill.pure.filenames import Name

BLANK_LINES = 5
"""How many may stand between the parts of a note's beginning."""
LONGEST_LINE = 2000
"""Bytes of a line that may be a name."""
_TICKS = rb"(?P<ticks>`{3,}+(?=[^`\n]*+$)|~{3,}+)(?P<info>[^\n]*+)"
_BULLET = rb"(?P<bullet>(?:[-+*]|\d{1,4}[.)])[ \t]{1,4}+)?"
_KEY = rb"(?:[^\w\n]|_){0,16}+(?:\d{1,3}[.)][ ]+)?(?:" + filenames.KEY.encode() + rb")\b"
_MARK = re.compile(
    rb"^(?:\xef\xbb\xbf)?(?P<indent>[ \t]*+)(?:" + _BULLET + _TICKS + rb"|(?=" + _KEY + rb")(?P<name>[^\n]{1,2000}+)$)",
    re.MULTILINE | re.IGNORECASE,
)
_HEADING = re.compile(rb"#[ \t]+\S")
_FRONT = re.compile(
    rb"---[ \t]*\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n){0,5}[ \t\"']*[\w\x80-\xff-][^\n:]{0,100}:(?:[ \t][^\n]*|\r)?\n"
    rb"(?:(?!---|\.\.\.)[^\n]*\n){0,200}?(?:---|\.\.\.)[ \t]*(?:\r?\n|\r?\Z)"
)
_LOOKS_LIKE_INFO = re.compile(r"[A-Za-z{][\w+#.:/{}-]*(?:[ \t,{]+[\w-]+=(?:\"[^\"]*\"|'[^']*'|[^\s\"']+))*[ \t}]*")


@dataclass(frozen=True)
class Mark:
    """A line that is a fence, or a line that names a file: `end` is behind its line break."""

    start: int
    end: int
    indent: bytes = b""
    char: bytes = b""
    length: int = 0
    info: str = ""
    name: Name | None = None
    listed: bool = False
    """It stands behind a list's bullet, and so opens a fence."""

    @property
    def is_fence(self) -> bool:
        return self.length > 0

    @cached_property
    def language(self) -> str:
        return filenames.language(self.info)

    @property
    def is_bare(self) -> bool:
        """Whether nothing stands beside its ticks: it may close another one."""
        return self.is_fence and not self.info and not self.listed

    @cached_property
    def has_text(self) -> bool:
        """Whether a sentence follows the ticks, and no language or attributes."""
        return bool(self.info) and not _LOOKS_LIKE_INFO.fullmatch(self.info) and filenames.of_info(self.info) is None

    @property
    def is_markdown(self) -> bool:
        return self.language in filenames.MARKDOWN

    @property
    def may_hold_a_note(self) -> bool:
        return self.is_fence and (self.is_markdown or self.language in filenames.PLAIN)

    @property
    def column(self) -> int:
        return len(self.indent.expandtabs(4))


@dataclass(frozen=True)
class Page:
    """The bytes as they are given, and with line feeds at the ends of lines (`text`, of the same length)."""

    data: bytes
    text: bytes
    marks: tuple[Mark, ...]

    def line(self, start: int) -> Mark:
        """Return the line that begins at `start`, with its name if it has one."""
        end = self.end_of_line(start)
        shown = self.text[start : min(end, start + LONGEST_LINE)]
        if end - start > LONGEST_LINE or shown.lstrip(b" \t").startswith((b"```", b"~~~")):
            return Mark(start, end)
        return Mark(start, end, name=filenames.of_line(shown.decode("utf-8", "surrogateescape")))

    def end_of_line(self, start: int) -> int:
        return self.text.find(b"\n", start) + 1 or len(self.text)

    def below(self, start: int) -> int:
        """Return where the next line begins that is not blank, at or below `start`; -1 when none is near."""
        for _ in range(BLANK_LINES + 1):
            end = self.end_of_line(start)
            if start == len(self.text):
                return -1
            if self.text[start : start + LONGEST_LINE + 1 if end - start > LONGEST_LINE else end].strip():
                return start
            start = end
        return -1

    def above(self, start: int, floor: int) -> int:
        """Return where the nearest line above `start` begins that is not blank, at or below `floor`; -1 if none is."""
        for _ in range(BLANK_LINES + 1):
            if start <= floor:
                return -1
            least = max(floor, start - 1 - LONGEST_LINE)
            before = max(floor, self.text.rfind(b"\n", least, start - 1) + 1 or least)
            if self.text[before:start].strip():
                return before
            start = before
        return -1

    def is_front(self, start: int) -> bool:
        """Whether front matter begins here: a rule, a key, and another rule below."""
        return _FRONT.match(self.text, start, start + 20_000) is not None

    def is_beginning(self, start: int) -> bool:
        """Whether a note may well begin here: with front matter or its title."""
        return start >= 0 and (self.is_front(start) or _HEADING.match(self.text, start) is not None)


def read(data: bytes) -> Page:
    """Find the marks of a text; its lines end with `\\n`, or with `\\r` where there is no other."""
    text = data if b"\n" in data else data.replace(b"\r", b"\n")
    marks = (_mark(text, found) for found in _MARK.finditer(text))
    return Page(data, text, tuple(mark for mark in marks if mark.is_fence or mark.name))


def _mark(text: bytes, found: re.Match[bytes]) -> Mark:
    start, end = found.start(), text.find(b"\n", found.end()) + 1 or len(text)
    if found["ticks"]:
        ticks, info = found["ticks"], found["info"].decode("utf-8", "surrogateescape").strip()
        indent = found["indent"] + b" " * len(found["bullet"] or b"")
        return Mark(start, end, indent, ticks[:1], len(ticks), info, listed=bool(found["bullet"]))
    written = found["name"].decode("utf-8", "surrogateescape")
    return Mark(start, end, found["indent"], name=filenames.of_line(written))
