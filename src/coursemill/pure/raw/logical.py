"""A block's statements, logical line by logical line: those that are live, and those that comments may hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from coursemill.pure.raw.comments import Lexer, Line, runs

CLAUSES = {"elif": "if 1:\n pass\n", "else": "if 1:\n pass\n", "except": "try:\n pass\n", "finally": "try:\n pass\n"}
"""First word of a clause → what has to stand before it, so that it parses alone."""
_WORD = re.compile(r"[^\W\d]\w*")
_ENDINGS = ("", " _", ": _", " in _", " else _", " _ in _")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_LONGEST, _SHORT = 400, 20
"""Lines that a statement may span; fewer when many comments turned out to be none."""
_JOINING = r"(?:for|if|else|and|or|not|in|is|await|lambda|async|yield|from)\b"
_WORDS = re.compile(rf"\s*(?!{_JOINING})[^\W\d]\w*[ ]+(?:(?!{_JOINING})[^\W\d]\w*\b(?![\"'])|[^\W\d]\w*')")
"""Two words in a row between brackets: a sentence."""
_STARTS = re.compile(
    r"[^\W\d][\w.]*[ \t]*(?:[=(\[]|,[ \t]*\w)|(?:import|from|def|class|if|for|while|with|return)[ ]|try:|else:|@\w"
)
_HEADED = re.compile(
    r"(?:(?:the |sample |example |expected |console |terminal |possible |actual )?"
    r"(?:outputs?|prints|printed|results?|stdout|ausgabe|sa[ií]da|salida|sortie|resultado|ergebnis)\b(?:[ ][^:=]*)?:"
    r"|>>>.*)",
    re.IGNORECASE,
)
_ACTS = re.compile(r"(?:import|from|def|class|for|while|if|with)\b.*\w|try:|print[ ]?\(")
_ASSIGNS = re.compile(r"[\w.\[\]'\", ]+[ ]?=[^=]|[\w.]+\(")


@dataclass(frozen=True, slots=True)
class Item:
    """A logical line: lines `first` to `last` (from 0, both included); `col` is where its code begins, or would."""

    first: int
    last: int
    col: int
    mark: int
    """The column of its first comment mark; -1: it is live."""
    level: int
    """How many marks are to be taken away: 0 live, 1 a comment, 2 a comment in a comment."""
    code: str
    word: str
    """Its first word, which says what kind of statement it is."""
    opens: bool
    """It ends with a colon, and a body has to follow."""
    statements: tuple[ast.stmt, ...] = field(compare=False)
    kept: frozenset[int] = frozenset()
    """Lines of it that stay comments."""

    @property
    def live(self) -> bool:
        return self.level == 0

    @property
    def clause(self) -> bool:
        return self.word in CLAUSES

    @property
    def decorator(self) -> bool:
        return self.code.startswith("@")


def items(lines: Sequence[Line]) -> list[Item]:
    """Return the logical lines of a block in order; comments that do not parse as code have none."""
    return _Reader(lines).run()


def bare(line: Line, width: int, level: int = 1) -> str:
    """Return a comment line without its first marks and, where `width` is 1, the blank behind each."""
    text = line.text[: line.mark] + line.text[line.mark + 1 + width :]
    if level == 2:
        at = text.index("#")
        text = text[:at] + text[at + 1 + text.startswith(" ", at + 1) :]
    return text


def widths(lines: Sequence[Line]) -> dict[int, int]:
    """Return for comment lines whether a blank belongs to the marks (1), or code follows them at once (0: `#x = 1`)."""
    found: dict[int, int] = {}
    for run in runs(lines):
        said = {n: lines[n].text[lines[n].mark + 1 :] for n in range(run.first, run.last + 1)}
        tight = any(_STARTS.match(text) for text in said.values())
        for n, text in said.items():
            deep = text.startswith(("  ", " \t"))
            found[n] = int(text.startswith(" ") and not (tight and deep and text.strip()))
    return found


@dataclass
class _Reader:
    lines: Sequence[Line]
    widths: dict[int, int] = field(default_factory=dict)
    wasted: int = 0

    def run(self) -> list[Item]:
        self.widths = widths(self.lines)
        printed = _printed(self.lines)
        found: list[Item] = []
        n = 0
        while n < len(self.lines):
            line = self.lines[n]
            item = None
            if line.kind == "code" and not line.inside:
                item = self.live(n)
            elif line.kind == "comment" and not line.inside and n not in printed:
                item = self.candidate(n)
            if item:
                found.append(item)
            n = item.last + 1 if item else n + 1
        return found

    def live(self, n: int) -> Item:
        last = n
        while last + 1 < len(self.lines) and self.lines[last + 1].inside:
            last += 1
        code = "\n".join(line.text for line in self.lines[n : last + 1]).strip()
        word, opens = _word(code), _opens(self.lines[last].text, self.lines[last].mark)
        statements = tuple(_fragment(code, word, opens) or ())
        return Item(n, last, _column(self.lines[n].text), -1, 0, code, word, opens, statements)

    def candidate(self, n: int) -> Item | None:
        """The statement that begins on the comment line `n`, when it parses."""
        said = self.lines[n].said
        if not said or said[0] in "%!?$>":
            return None
        level = 2 if self.lines[n].text[self.lines[n].mark + 1 :].lstrip().startswith("#") else 1
        first = self.content(n, level)
        if not first or first.lstrip().startswith("#"):
            return None
        lexer = Lexer()
        mark = lexer.feed(first)
        if lexer.broken or (lexer.open and not _plausible(first, lexer)):
            return None
        last, parts, kept = n, [first], set()
        while lexer.open:
            last += 1
            more = self.content(last, level)
            if more is None or last - n > (_LONGEST if self.wasted < 20 * len(self.lines) else _SHORT):
                self.wasted += last - n
                return None
            free = not lexer.quote and not lexer.continued
            if free and _WORDS.match(more):
                kept.add(last)
                more = ""
            mark = lexer.feed(more)
            parts.append(more)
        code = "\n".join(parts).strip()
        word, opens = _word(code), _opens(parts[-1], mark)
        statements = None if lexer.broken else _fragment(code, word, opens)
        if statements is None:
            return None
        place = self.lines[n].mark
        return Item(n, last, _column(first), place, level, code, word, opens, tuple(statements), frozenset(kept))

    def content(self, n: int, level: int) -> str | None:
        """What the comment line `n` says behind `level` marks; None: it is no comment, or has fewer of them."""
        if n >= len(self.lines) or self.lines[n].kind == "code" or self.lines[n].inside:
            return None
        line = self.lines[n]
        if line.kind == "blank":
            return ""
        behind = line.text[line.mark + 1 :].lstrip()
        if level == 2 and not behind.startswith("#"):
            return None if behind else ""
        return bare(line, self.widths[n], level)


def _printed(lines: Sequence[Line]) -> set[int]:
    """Lines that show what some code prints: those below `# Output:`, to the next code or the end of the run."""
    found: set[int] = set()
    for run in runs(lines):
        since = -1
        for n in range(run.first, run.last + 1):
            said = lines[n].said
            if _HEADED.fullmatch(said):
                since = n
            elif _ACTS.match(said) or (n > since + 1 and _ASSIGNS.match(said)) or lines[n].mark != lines[since].mark:
                since = -1
            if since >= 0:
                found.add(n)
    return found


def _plausible(first: str, lexer: Lexer) -> bool:
    """Whether the first line of a longer statement can begin one: with what is missing added, it parses."""
    if lexer.quote:
        return True
    code = first.strip()
    at = Lexer().feed(code)
    code = (code[:at] if at >= 0 else code.removesuffix("\\") if lexer.continued else code).rstrip()
    closing = "".join(_CLOSING[bracket] for bracket in reversed(lexer.brackets))
    word = _word(code)
    return any(
        _fragment(f"{code}{more}{closing}{colon}", word, bool(colon)) is not None
        for more in _ENDINGS
        for colon in ("", ":")
    )


def _fragment(code: str, word: str, opens: bool) -> list[ast.stmt] | None:
    """Parse a logical line as the part of a program that it is."""
    if code.startswith("@"):
        return _parsed(f"{code}\ndef _(): pass")
    if not opens:
        return _parsed(f"{code}\nfinally: pass" if word == "try" else CLAUSES.get(word, "") + code)
    if word == "match":
        return _parsed(f"{code}\n case _: pass")
    if word == "case":
        return _parsed(f"match 1:\n {code}\n  pass")
    if word == "try":
        return _parsed(f"{code}\n pass\nfinally: pass")
    return _parsed(f"{CLAUSES.get(word, '')}{code}\n pass")


def _parsed(code: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def _opens(line: str, mark: int) -> bool:
    return (line[:mark] if mark >= 0 else line).rstrip().endswith(":")


def _word(code: str) -> str:
    found = _WORD.match(code)
    return found[0] if found else ""


def _column(text: str) -> int:
    shown = text.expandtabs(8)
    return len(shown) - len(shown.lstrip())
