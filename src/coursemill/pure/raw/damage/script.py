"""JavaScript, TypeScript and HTML as the detectors read them: comment marks and strings are blanks, columns stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coursemill.model import Block, Finding
from coursemill.pure import codes

SCRIPT = frozenset({"javascript", "js", "jsx", "mjs", "node", "ts", "tsx", "typescript"})
HTML = frozenset({"htm", "html", "svelte", "vue"})
MARKS = re.compile(r"^[ \t]*//+", re.MULTILINE)
STRING = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"  # text
    r"|(?<![:\\\w\"'])//[^\n]*|/\*(?:(?!/\*).)*?\*/"  # comments
    r"|(?<=[=(,:!&|?])[ \t]*/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/",  # regular expressions
    re.DOTALL,
)
CODE = re.compile(
    r"\s*(?:(?:async|await|const|export|for|function|if|import|let|new|return|var)\b|[\w.$\]\[]+\s*(?:[+-]?=|\())"
    r".*[;{}),\]]\s*"
)
LONGEST = 1000
"""Characters of a line that people read; longer ones were made by programs."""
TAGS = re.compile(r"<(?P<end>/?)script\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True)
class Script:
    """The lines of a block: as they stand, and with blanks for everything that is not code."""

    block: Block
    raw: tuple[str, ...]
    lines: tuple[str, ...]

    def on(self, code: codes.Code, number: int, at: int, message: str, fix: str = "") -> Finding:
        """The finding that something is wrong on a line (from 0), `at` characters behind its beginning."""
        line, col = self.block.first_line + number, self.block.indent + at + 1
        return code.at(self.block.span.path, line, message, col=col, fix=fix)


def script(block: Block) -> Script:
    """Read a block: commented-out lines are code again, and of a page only what stands in `<script>` is."""
    text = block.text
    raw = tuple(text.split("\n"))
    if block.language in HTML:
        text = _scripts(text)
    text = "\n".join("" if len(line) > LONGEST else line for line in text.split("\n"))
    text = MARKS.sub(lambda found: _blanks(found[0]), text)
    lines = STRING.sub(_blank, text).split("\n")
    prose = (MARKS.match(was) is not None and not CODE.fullmatch(now) for was, now in zip(raw, lines, strict=True))
    shown = ("" if skip else line for skip, line in zip(prose, lines, strict=True))
    return Script(block, raw, tuple(shown))


def _scripts(text: str) -> str:
    """Blank everything outside of `<script>` elements."""
    kept, at, inside = [], 0, False
    for tag in TAGS.finditer(text):
        piece = text[at : tag.start()]
        kept.append(piece if inside else _blanks(piece))
        kept.append(_blanks(tag[0]))
        at, inside = tag.end(), not tag["end"] and not tag[0].endswith("/>")
    kept.append(_blanks(text[at:]))
    return "".join(kept)


def _blank(found: re.Match[str]) -> str:
    """A string keeps its quotes, so that it is still something; a comment leaves nothing."""
    text = found[0]
    if text.startswith(("//", "/*")):
        return _blanks(text)
    return text[0] + _blanks(text[1:-1]) + text[-1] if len(text) > 1 else text


def _blanks(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def pairs(line: str) -> Iterator[tuple[int, int]]:
    """Where round brackets open and close on a line."""
    stack: list[int] = []
    for at, character in enumerate(line):
        if character == "(":
            stack.append(at)
        elif character == ")" and stack:
            yield stack.pop(), at
