"""Fences as authors really write them: CommonMark's rule, which also recovers where one is not closed properly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from markdown_it.rules_block import StateBlock

# In these languages a line that begins with `#` is a comment, where it could be a heading.
_HASH = frozenset({
    "awk", "bash", "cmake", "conf", "d2", "dockerfile", "elixir", "hcl", "ini", "julia", "make", "makefile", "nix",
    "perl", "powershell", "properties", "r", "ruby", "sh", "shell", "tcl", "terraform", "toml", "yaml", "yml", "zsh",
})  # fmt: skip
PYTHON = frozenset({"python", "py", "python3", "py3", "ipython", "ipython3"})
_OPENER = re.compile(r"(`{3,}|~{3,})([^\n]*)")
_LOOKS_LIKE_INFO = re.compile(r"[ \t]*[A-Za-z{][\w+#.{}-]*(?:[ \t]+[\w-]+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+))*[ \t]*")
_CALLOUT = re.compile(r">[ ]?\[!")
_TABS = re.compile(r"\[(?:list|title)2[a-zA-Z]+[|\]]")
_HEADING = re.compile(r"#{1,6}[ \t]+\S")
_SURE_HEADING = re.compile(r"##{1,5}[ \t]+(?!BEGIN |END )\S")
_ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)|>")
_MANY, _WINDOW = 50, 500

Trouble = Literal["open", "dedented", "misplaced", "text-after", "html-open", "comment-open"]


@dataclass
class Notes:
    """What block rules find out beside their tokens, for one note: kept in markdown-it's `env`."""

    troubles: list[tuple[int, int, int, Trouble]] = field(default_factory=list)
    """Line and column where something is wrong, the line on which the text goes on (all from 0), and what it is."""
    cuts: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Line → characters of it that closed a fence, when text follows them: what remains is a line of its own."""
    html: set[tuple[str, int]] = field(default_factory=set)
    """Kinds of HTML that nothing closes above a line."""
    quotes: int = 0
    """How many block quotes are open."""


@dataclass(frozen=True, slots=True)
class _End:
    """Where a fence's content ends, where the text goes on, and what is wrong."""

    content: int
    resume: int
    trouble: Trouble | None = None


def fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Recognise a fence at line `start`: a block rule of markdown-it."""
    match = _run(state, start)
    if match is None:
        return False
    ticks, info = match[1], match[2]
    if ticks[0] == "`" and "`" in info:
        return False
    if state.is_code_block(start) and not (state.blkIndent > 0 and _LOOKS_LIKE_INFO.fullmatch(info)):
        return False
    if silent:
        return True
    notes: Notes = state.env["notes"]
    found = _end(state, start, end, notes)
    if found.trouble == "text-after":
        _split(state, found.content, notes)
    elif found.trouble:
        notes.troubles.append((start, match.start() - line_start(state, match.start()), found.resume, found.trouble))
    state.line = found.resume
    token = state.push("fence", "code", 0)
    token.info = info.strip(" \t")
    token.markup = ticks
    token.map = [start, found.resume]
    indent = _indent(state, start, found.content, python=_language(token.info) in PYTHON)
    token.content = state.getLines(start + 1, found.content, indent, False)
    token.meta["deep"] = state.sCount[start] - state.blkIndent if state.is_code_block(start) else 0
    token.meta["column"] = match.start(2) - line_start(state, match.start()) + len(info) - len(info.lstrip(" \t"))
    return True


def _end(state: StateBlock, start: int, end: int, notes: Notes) -> _End:
    """Look for the line that closes the fence at `start`."""
    opener = _run(state, start)
    assert opener is not None  # the caller has seen it
    margin = state.sCount[start] if state.is_code_block(start) else state.blkIndent
    weak: int | None = None
    last = end if len(notes.troubles) < _MANY else min(end, start + _WINDOW)
    line = start
    for line in range(start + 1, last):
        if state.isEmpty(line):
            continue
        dedented = state.sCount[line] < state.blkIndent
        closer = _run(state, line)
        if closer is None or closer[1][0] != opener[1][0] or len(closer[1]) < len(opener[1]):
            if not dedented:
                continue
            below = _closer_below(state, start, line, last)
            return _End(below, below + 1, "dedented") if below else _open(state, start, line, weak)
        deep = state.sCount[line] >= margin + 4
        if not closer[2].strip(" \t"):
            if not deep:
                return _End(line, line + 1, "misplaced" if dedented else None)
            weak = weak or line
        elif not deep and _LOOKS_LIKE_INFO.fullmatch(closer[2]):
            return _open(state, start, line, weak)
        elif not deep:
            return _End(line, line, "text-after")
    return _open(state, start, last, weak)


def _open(state: StateBlock, start: int, end: int, weak: int | None) -> _End:
    """No proper closing above `end`: take one at a wrong indentation, or stop above what can't belong to the fence."""
    if weak is not None:
        return _End(weak, weak + 1, "misplaced")
    end = _next_structure(state, start, end)
    while end > start + 1 and state.isEmpty(end - 1):
        end -= 1
    return _End(end, end, "open")


def _closer_below(state: StateBlock, start: int, line: int, end: int) -> int | None:
    """The closing line at the opening's indentation, when just the code between stands too far left."""
    opener = _run(state, start)
    for n in range(line, end):
        run = _run(state, n)
        if run and opener and run[1] == opener[1]:
            return n if not run[2].strip(" \t") and state.sCount[n] == state.sCount[start] else None
        if _structure(state, n, start) or _ITEM.match(state.src, state.bMarks[n] + state.tShift[n]):
            return None
    return None


def _next_structure(state: StateBlock, start: int, end: int) -> int:
    return next((n for n in range(start + 1, end) if _structure(state, n, start)), end)


def _structure(state: StateBlock, line: int, start: int) -> bool:
    """Whether `line` can hardly belong to the fence at `start`: a callout, tabs, or a heading below a blank line."""
    position = state.bMarks[line] + state.tShift[line]
    if _CALLOUT.match(state.src, position) or _TABS.match(state.src, position):
        return True
    opener = _run(state, start)
    language = _language(opener[2]) if opener else ""
    heading = _SURE_HEADING if language in PYTHON or language in _HASH else _HEADING
    below_blank = state.isEmpty(line - 1)
    return below_blank and heading.match(state.src, position) is not None and state.sCount[line] <= state.blkIndent


def _split(state: StateBlock, line: int, notes: Notes) -> None:
    """Let `line` go on behind its ticks, as if the author had lost just the line's end there."""
    run = _run(state, line)
    assert run is not None  # it closed the fence
    first = line_start(state, run.start())
    notes.troubles.append((line, run.start() - first, line, "text-after"))
    text = run[2].lstrip(" \t")
    columns = len(run[2][: len(run[2]) - len(text)].expandtabs(4))
    if not _ITEM.match(text) and not _HEADING.match(text):
        columns = state.blkIndent
    notes.cuts[line] = (state.bMarks[line] - first, run.end() - len(text) - first)
    state.bMarks[line], state.tShift[line], state.sCount[line] = run.end() - len(text), 0, columns


def _indent(state: StateBlock, start: int, end: int, *, python: bool) -> int:
    """Columns to take off: what all lines share, but in languages other than Python no more than the fence has."""
    columns = [max(state.sCount[n], 0) for n in range(start + 1, end) if not state.isEmpty(n)]
    shared = min(columns, default=0)
    return shared if python else min(shared, max(state.sCount[start], 0))


def _run(state: StateBlock, line: int) -> re.Match[str] | None:
    """The fence's ticks that `line` begins with, and the text behind them."""
    return _OPENER.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])


def _language(info: str) -> str:
    return info.split(maxsplit=1)[0].lower() if info.strip() else ""


def line_start(state: StateBlock, position: int) -> int:
    """Where the line begins on which `position` is."""
    return state.src.rfind("\n", 0, position) + 1
