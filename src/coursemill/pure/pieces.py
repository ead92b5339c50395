"""Prose between the cells: cut from the note's lines and out-dented, so that each piece stands alone."""

from __future__ import annotations

import re

from coursemill.pure.markdown import DEFINITION, Outline, label
from coursemill.pure.references import without_code

TABS_GO_ON = "[list2tab|]"
_BLANK = re.compile(r"[ \t>]*")
_QUOTE = re.compile(r"[ \t]*>[ \t]?")
_ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_LABEL = re.compile(r"\[([^\[\]]+)\]")
_MARKER = re.compile(r"[ \t]*(?:>[ \t]*)*\[list2tab[|\]]")


def is_blank(line: str) -> bool:
    """Whether a line shows nothing: it is empty, or has nothing but a quote's `>`."""
    return _BLANK.fullmatch(line) is not None


def trimmed(lines: tuple[str, ...], start: int, end: int) -> tuple[int, int]:
    """The range `start` to `end` without the blank lines around it."""
    while start < end and is_blank(lines[start]):
        start += 1
    while end > start and is_blank(lines[end - 1]):
        end -= 1
    return start, end


def piece(outline: Outline, start: int, end: int) -> str:
    """Lines `start` to `end` as Markdown of their own.

    A list that goes on is shifted to the left margin: its first level here is the level of the first line.
    Where it falls back to an outer level, what follows is shifted less. Tabs get their marker again, and links their
    definitions.
    """
    out: list[str] = []
    in_tabs = False
    levels: dict[int, int] = {}
    quotes, indent = outline.indents.get(start, (0, 0))
    for n in range(start, end):
        line = outline.lines[n]
        if n in outline.indents:
            quotes, indent = outline.indents[n]
        fell = indent < levels.get(quotes, indent)
        levels[quotes] = min(levels.get(quotes, indent), indent)
        line = _outdented(line, quotes, levels)
        if fell and _ITEM.match(line) and out and not is_blank(out[-1]):
            out.append("")
        in_tabs = in_tabs or _MARKER.match(line) is not None
        if n in outline.tabs and not in_tabs:
            out += ["", TABS_GO_ON] if out and out[-1] else [TABS_GO_ON]
            in_tabs = True
        out.append(line)
    return defined("\n".join(out), outline)


def defined(text: str, outline: Outline) -> str:
    """`text` with the definitions of its `[links][label]` that stand elsewhere in the note."""
    if not outline.definitions:
        return text
    here = {label(match["label"]) for line in text.split("\n") if (match := DEFINITION.fullmatch(line))}
    used = dict.fromkeys(label(match[1]) for match in _LABEL.finditer(without_code(text)))
    missing = [outline.definitions[name] for name in used if name in outline.definitions and name not in here]
    return "\n".join([text, "", *missing]) if missing else text


def unquoted(line: str, quotes: int) -> str:
    """`line` without the first `quotes` quote marks; a line that goes on without them keeps its text."""
    for _ in range(quotes):
        mark = _QUOTE.match(line)
        if mark is None:
            return line.lstrip(" \t")
        line = line[mark.end() :]
    return line


def _outdented(line: str, quotes: int, levels: dict[int, int]) -> str:
    """`line` with less white space: before its quote marks (all, when the piece begins behind them), and behind."""
    if not quotes:
        return _shifted(line, levels[0])
    line = _shifted(line, levels[0]) if 0 in levels else line.lstrip(" \t")
    at = 0
    for _ in range(quotes):
        mark = _QUOTE.match(line, at)
        if mark is None:
            return line
        at = mark.end()
    return line[:at] + _shifted(line[at:], levels[quotes])


def _shifted(line: str, columns: int) -> str:
    """`line` with up to `columns` columns of white space less at its start."""
    text = line.lstrip(" \t")
    width = len(line[: len(line) - len(text)].expandtabs(4))
    return " " * max(width - columns, 0) + text if columns and width else line
