"""A block's statements, logical line by logical line: those that are live, and those that comments may hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from coursemill.pure.raw.comments import Lexer, Line, runs

CLAUSES = {"elif": "if 1:\n pass\n", "else": "if 1:\n pass\n", "except": "try:\n pass\n", "finally": "try:\n pass\n"}
"""First word of a clause → what has to stand before it, so that it parses alone."""
_WORD = re.compile(r"[^\W\d]\w*")
_HEADERS = frozenset({
    "if", "elif", "for", "while", "with", "def", "class", "async", "match", "case", "except", "else",
})  # fmt: skip
"""First words of statements that may end with a colon."""
_ENDINGS = ("", " _", ": _")
_FILLERS = {"if": " else _", "for": " in _"}
"""What the first line of a longer statement may lack, before or between its brackets' ends."""
_DEPTH = 8
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
    mixed: bool = False
    """Some of its lines are live, and others comments."""

    @property
    def live(self) -> bool:
        return self.level == 0

    @property
    def clause(self) -> bool:
        return self.word in CLAUSES

    @property
    def decorator(self) -> bool:
        return self.code.startswith("@")


def items(lines: Sequence[Line], *, broken: bool = False) -> list[Item]:
    """Return the logical lines of a block in order; comments that do not parse as code have none.

    When the block is `broken`, one may begin with live lines and go on with comments, or the other way round.
    """
    return _Reader(lines, broken).run()


def bare(line: Line, width: int, level: int = 1) -> str:
    """Return a comment line without its first marks and, where `width` is 1, the blank behind each."""
    text = line.text[: line.mark] + line.text[line.mark + 1 + width :]
    if level == 2:
        at = text.index("#")
        text = text[:at] + text[at + 1 + text.startswith(" ", at + 1) :]
    return text


def widths(lines: Sequence[Line]) -> dict[int, int]:
    """Return for comment lines whether a blank belongs to the marks (1), or code follows them at once (0: `#x = 1`).

    Where both are found, the author's way in the run counts, and else that in the whole block.
    """
    found: dict[int, int] = {}
    everywhere = sum(_tightness(line.text[line.mark + 1 :]) for line in lines if line.kind == "comment")
    for run in runs(lines):
        said = {n: lines[n].text[lines[n].mark + 1 :] for n in range(run.first, run.last + 1)}
        tight = (sum(map(_tightness, said.values())) or everywhere) > 0
        for n, text in said.items():
            deep = text.startswith(("  ", " \t"))
            found[n] = int(text.startswith(" ") and not (tight and deep and text.strip()))
    return found


def _tightness(said: str) -> int:
    """1 for code that follows its mark at once, -1 for code behind one blank, 0 for what says nothing."""
    if said.startswith(" "):
        return -1 if _STARTS.match(said, 1) else 0
    return 1 if _STARTS.match(said) else 0


@dataclass
class _Reader:
    lines: Sequence[Line]
    broken: bool
    widths: dict[int, int] = field(default_factory=dict)
    wasted: int = 0

    def run(self) -> list[Item]:
        self.widths = widths(self.lines)
        found: list[Item] = []
        n = 0
        while n < len(self.lines):
            line = self.lines[n]
            item = None
            if line.kind == "code" and not line.inside:
                item = (self.broken and self.mixed(n)) or self.live(n)
            elif line.kind == "comment" and not line.inside:
                item = self.candidate(n)
            if item:
                found.append(item)
            n = item.last + 1 if item else _past_output(self.lines, n)
        return found

    def live(self, n: int) -> Item:
        last = n
        while last + 1 < len(self.lines) and self.lines[last + 1].inside:
            last += 1
        code = "\n".join(line.text for line in self.lines[n : last + 1]).strip()
        end = self.lines[last].text[: self.lines[last].mark] if self.lines[last].mark >= 0 else code
        word, opens = _word(code), end.rstrip().endswith(":")
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
        return self.statement(n, first, level)

    def mixed(self, n: int) -> Item | None:
        """The statement that begins on the live line `n` and goes on in comments, when there is one."""
        lexer = Lexer()
        lexer.feed(self.lines[n].text)
        inside = n + 1 < len(self.lines) and self.lines[n + 1].inside
        return self.statement(n, self.lines[n].text, 1) if lexer.open and not inside else None

    def statement(self, n: int, first: str, level: int) -> Item | None:
        """The statement whose first line is `first`, on line `n`, when one ends somewhere below."""
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
            if not lexer.quote and not lexer.continued and _WORDS.match(more) and self.lines[last].kind == "comment":
                kept.add(last)
                more = ""
            mark = lexer.feed(more)
            parts.append(more)
        code = "\n".join(parts if mark < 0 else [*parts[:-1], parts[-1][:mark]]).strip()
        word, opens = _word(code), code.endswith(":")
        statements = None if lexer.broken else _fragment(code, word, opens)
        if statements is None:
            return None
        mixed = any(line.kind == "code" for line in self.lines[n : last + 1])
        place = self.lines[n].mark if self.lines[n].kind == "comment" else -1
        return Item(n, last, _column(first), place, level, code, word, opens, tuple(statements), frozenset(kept), mixed)

    def content(self, n: int, level: int) -> str | None:
        """What the comment line `n` says behind `level` marks; None: it is no comment, or has fewer of them."""
        if n >= len(self.lines):
            return None
        if self.lines[n].kind == "code":
            return self.lines[n].text if self.broken else None
        line = self.lines[n]
        if line.kind == "blank":
            return ""
        if line.inside:
            return None
        behind = line.text[line.mark + 1 :].lstrip()
        if level == 2 and not behind.startswith("#"):
            return None if behind else ""
        return bare(line, self.widths[n], level)


def _past_output(lines: Sequence[Line], n: int) -> int:
    """The line below `n`, or, when that says `Output:`, the one below what is shown there as printed."""
    first = lines[n]
    n += 1
    if first.kind != "comment" or not _HEADED.fullmatch(first.said):
        return n
    start = n
    while n < len(lines) and lines[n].kind == "comment" and lines[n].mark == first.mark:
        if _ACTS.match(lines[n].said) or (n > start and _ASSIGNS.match(lines[n].said)):
            break
        n += 1
    return n


def _plausible(first: str, lexer: Lexer) -> bool:
    """Whether the first line of a longer statement can begin one: with what is missing added, it parses."""
    if lexer.quote:
        return True
    code = first.strip()
    at = Lexer().feed(code)
    code = (code[:at] if at >= 0 else code.removesuffix("\\") if lexer.continued else code).rstrip()
    closing = "".join(_CLOSING[bracket] for bracket in reversed(lexer.brackets[-_DEPTH:]))
    if len(lexer.brackets) > _DEPTH:
        return True
    word = _word(code)
    fillers = [filler for name, filler in _FILLERS.items() if re.search(rf"\b{name}\b", code)]
    closings = [
        closing,
        *(closing[:n] + filler + closing[n:] for filler in fillers for n in range(1, len(closing) + 1)),
    ]
    inner = (*_ENDINGS, *fillers, *(f" _{filler}" for filler in fillers))
    return any(
        _fragment(f"{code}{more}{closed}{colon}", word, bool(colon)) is not None
        for colon in ((":", "") if word in _HEADERS else ("",))
        for closed in closings
        for more in inner
    )


@lru_cache(maxsize=1024)  # a comment that becomes code is read again, as code
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


def _word(code: str) -> str:
    found = _WORD.match(code)
    return found[0] if found else ""


def _column(text: str) -> int:
    shown = text.expandtabs(8)
    return len(shown) - len(shown.lstrip())
