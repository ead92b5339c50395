"""Where Python's comments are: read line by line, so that damaged code gives an answer, too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

_TOKEN = re.compile(r"#|\"\"\"|'''|[\"'()\[\]{}]|\\$")
_END = {
    '"': re.compile(r'(?:[^"\\]|\\.)*"'),
    "'": re.compile(r"(?:[^'\\]|\\.)*'"),
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*"""', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*'''", re.DOTALL),
}
_CLOSES = {")": "(", "]": "[", "}": "{"}
_RESTARTS = 20
"""How often reading begins again below a bracket that nothing closes."""

LineKind = Literal["blank", "comment", "code"]


@dataclass
class Lexer:
    """What stays open from line to line: brackets, a string, a line that `\\` continues. Never raises."""

    brackets: list[str] = field(default_factory=list)
    quote: str = ""
    """The marks that the open string ends with."""
    continued: bool = False
    broken: bool = False
    """A string that ended with its line, or a closing bracket that closes nothing, has been seen."""

    @property
    def open(self) -> bool:
        return bool(self.brackets or self.quote or self.continued)

    def feed(self, line: str) -> int:
        """Read the next line (without its end); return where its comment begins, or -1."""
        self.continued = False
        at = 0
        if self.quote:
            at = self._string(line, 0)
        while at < len(line):
            token = _TOKEN.search(line, at)
            if token is None:
                return -1
            at = token.end()
            if token[0] == "#":
                return token.start()
            if token[0] == "\\":
                self.continued = True
            elif token[0][0] in "\"'":
                self.quote = token[0]
                at = self._string(line, at)
            elif token[0] in "([{":
                self.brackets.append(token[0])
            elif self.brackets and self.brackets[-1] == _CLOSES[token[0]]:
                self.brackets.pop()
            else:
                self.broken = True
        return -1

    def _string(self, line: str, at: int) -> int:
        """Read on in the open string; return where it ends, or the line does."""
        end = _END[self.quote].match(line, at)
        if end:
            self.quote = ""
            return end.end()
        if len(self.quote) == 1 and not (len(line) - len(line.rstrip("\\"))) % 2:
            self.quote = ""
            self.broken = True
        return len(line)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of code; `kind` is what stands on it, and a line in a string is code whatever it looks like."""

    text: str
    kind: LineKind
    inside: bool = False
    """It goes on with what a line above began: a string, brackets, or a line that `\\` continues."""
    mark: int = -1
    """Where the `#` of its comment is, also behind code; -1: it has none."""

    @property
    def comment(self) -> str:
        """The comment on it, with its mark; empty when there is none."""
        return self.text[self.mark :] if self.mark >= 0 else ""

    @property
    def said(self) -> str:
        """What its comment says, without marks and blanks around it."""
        return self.comment.lstrip("#").strip()


@dataclass(frozen=True, slots=True)
class Run:
    """Lines `first` to `last` (from 0, both included) that hold nothing but comments, without a break."""

    first: int
    last: int


def lines(text: str) -> list[Line]:
    """Read `text` line by line; what is never closed is taken to end with its line."""
    raw = text.split("\n")
    found: list[Line] = []
    lexer, start, restarts = Lexer(), 0, 0
    while True:
        for line in raw[len(found) :]:
            inside = lexer.open
            if not inside:
                start = len(found)
            found.append(_line(line, lexer, inside))
        if not lexer.open or restarts == _RESTARTS:
            return found
        del found[start + 1 :]
        lexer = Lexer()
        restarts += 1


def runs(found: Iterable[Line]) -> Iterator[Run]:
    """Return the runs of lines that hold only comments; those between the lines of a statement are not among them."""
    first = None
    n = -1
    for n, line in enumerate(found):
        if line.kind == "comment" and not line.inside:
            first = n if first is None else first
        elif first is not None:
            yield Run(first, n - 1)
            first = None
    if first is not None:
        yield Run(first, n)


def trailing(text: str) -> dict[int, str]:
    """Return the comments that stand behind code: line (from 1) → comment with its mark."""
    return {n: line.comment for n, line in enumerate(lines(text), 1) if line.kind == "code" and line.mark >= 0}


def _line(line: str, lexer: Lexer, inside: bool) -> Line:
    text = bool(lexer.quote or lexer.continued)
    mark = lexer.feed(line)
    if not text and not line.strip():
        return Line(line, "blank", inside)
    if not text and mark >= 0 and not line[:mark].strip():
        return Line(line, "comment", inside, mark)
    return Line(line, "code", inside, mark)
