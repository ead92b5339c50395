"""Prose between the cells: cut from the note's lines and out-dented, so that each piece stands alone."""

from __future__ import annotations

import re

from coursemill.pure.anyblock import header
from coursemill.pure.markdown import DEFINITION, Asked, Outline, label
from coursemill.pure.references import without_code

_BLANK = re.compile(r"[ \t>]*")
_QUOTE = re.compile(r"[ \t]*>[ \t]?")
_ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_QUOTES = re.compile(r"(?:[ \t]*>[ \t]?)*")
_LABEL = re.compile(r"\[([^\[\]]+)\]")


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
    Where it falls back to an outer level, what follows is shifted less. Links get their definitions, fences the
    indentation of what they stand in, and where a list is cut that AnyBlock is asked to change, its parts become
    sections: `[list2tab|]` stands above them.
    """
    out: list[str] = []
    begun: set[int] = set()
    levels: dict[int, int] = {}
    quotes, indent = outline.indents.get(start, (0, 0))
    further = 0
    for n in range(start, end):
        line = outline.lines[n]
        if n in outline.indents:
            quotes, indent = outline.indents[n]
        fell = indent < levels.get(quotes, indent)
        for within, column in ((quotes, indent), *outline.inside.get(n, {}).items()):
            levels[within] = min(levels.get(within, column), column)
        line = _outdented(line, quotes, levels)
        if n in outline.deep:
            first, columns = outline.deep[n]
            further = min(columns, _margin(line)) if n in (first, start) else further
            line = _nearer(line, further)
        if fell and _ITEM.match(line) and out and not is_blank(out[-1]):
            out.append("")
        if n in outline.tabs and outline.tabs[n] not in begun:
            begun.add(outline.tabs[n])
            if outline.tabs[n] < start:
                out += _goes_on(line, out, _missing(outline.asked[outline.tabs[n]], begun))
        out.append(line)
        if n in outline.asked:
            out += _parted(line, outline.asked[n], end, _missing(outline.asked[n], begun))
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


def _missing(asked: Asked, begun: set[int]) -> int:
    """How many lists around this one have no item here in which it could stand."""
    return sum(around not in begun for around in asked.around)


def _parted(line: str, asked: Asked, end: int, missing: int) -> list[str]:
    """What stands below a header, `line`, when its list is not all here, or what is around the list is not."""
    if not (asked.end > end and not asked.sections) and not (missing and asked.sections):
        return []
    prefix = (header.read(line) or header.Header()).prefix
    return [re.sub(r"[^>\s]", " ", prefix) + header.goes_on(missing)]


def _goes_on(line: str, above: list[str], missing: int) -> list[str]:
    """What stands above `line`, with which a cut list goes on: its header, for no paragraph's part."""
    beside = _QUOTES.match(line)[0] + " " * _margin(line)  # type: ignore[index]  # it always matches
    marker = [beside + header.goes_on(missing)]
    if not re.match(r"[ \t>]*(?:[-*+]|1[.)])[ \t]+\S", line):  # no other item ends a paragraph
        marker.append(beside.rstrip())
    return [beside.rstrip(), *marker] if above and not is_blank(above[-1]) else marker


def _margin(line: str) -> int:
    """Columns of white space behind the quote marks of `line`."""
    text = _QUOTES.sub("", line, count=1)
    return len(text[: len(text) - len(text.lstrip(" \t"))].expandtabs(4))


def _nearer(line: str, columns: int) -> str:
    """`line` with so many columns of white space less behind its quote marks."""
    marks = _QUOTES.match(line)[0]  # type: ignore[index]  # it always matches
    return marks + _shifted(line[len(marks) :], columns)


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
