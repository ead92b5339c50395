"""Fences that end badly, where the parser's recovery is certain: each gets the end that it was taken to have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from coursemill.model import Block, Lesson
from coursemill.pure import codes, python
from coursemill.pure.fences import PYTHON
from coursemill.pure.raw import uncomment
from coursemill.pure.raw.edits import Edit

RUN = re.compile(r"(?P<before>.*?)(?P<ticks>`{3,}|~{3,})(?P<after>.*)")
_ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?P<gap>[ \t]+)")
_QUOTES = re.compile(r"(?:[ \t]*>)*")


def edits(lesson: Lesson, lines: Sequence[str]) -> Iterator[tuple[Block, Edit]]:
    """Mend the ends of a note's fences: text behind closing ticks gets a line of its own, missing ticks come in."""
    found = {(finding.line, finding.code) for finding in lesson.findings}
    for block in lesson.blocks:
        end = block.span.end
        if (end + 1, codes.TEXT_AFTER_FENCE.code) in found:
            yield block, _split(lines, block, end + 1)
        elif (block.span.start, codes.FENCE_OPEN.code) in found:
            edit = _end(lines, block)
            if edit:
                yield block, edit


def prefix(line: str) -> str:
    """What stands before a fence's ticks on the lines that follow: quote marks, and blanks where a list's sign is."""
    opening = RUN.fullmatch(line)
    return re.sub(r"[^>\s]", " ", opening["before"]) if opening else ""


def ticks(line: str) -> str:
    """The ticks that a line begins a fence with, or ends it."""
    found = RUN.fullmatch(line)
    return found["ticks"] if found else ""


def closes(line: str, opener: str) -> bool:
    """Whether `line` has nothing but ticks that close the fence of `opener`."""
    found, wanted = RUN.fullmatch(line), ticks(opener)
    if found is None or not wanted or found["before"].strip(" \t>") or found["after"].strip():
        return False
    return found["ticks"][0] == wanted[0] and len(found["ticks"]) >= len(wanted)


def _split(lines: Sequence[str], block: Block, number: int) -> Edit:
    """Part the closing line `number` behind its ticks, as if the author had lost just the line's end there."""
    line = lines[number - 1]
    found = RUN.fullmatch(line)
    assert found is not None  # the parser saw the ticks
    text = found["after"].lstrip(" \t")
    gap = found["after"][: len(found["after"]) - len(text)]
    quotes = _QUOTES.match(found["before"])[0]  # type: ignore[index] # it always matches
    if item := _ITEM.match(text):
        margin = gap or _column(lines, block, text, item["gap"])
    elif re.match(r"#{1,6}[ \t]|>", text):
        margin = gap
    else:
        margin = prefix(lines[block.span.start - 1])[len(quotes) :]
    blank = " " if quotes and not margin else ""
    return Edit(number, number, (line[: len(line) - len(found["after"])], f"{quotes}{blank}{margin}{text}"))


def _column(lines: Sequence[str], block: Block, text: str, gap: str) -> str:
    """The indentation of the list whose next item `text` is: the outermost around the fence that is written like it."""
    limit = len(prefix(lines[block.span.start - 1]).expandtabs(4))
    margin = ""
    for line in reversed(lines[: block.span.start]):
        text_of = line.lstrip(" \t")
        columns = _columns(line)
        if not text_of or columns >= limit:
            continue
        item = _ITEM.match(text_of)
        if item is None and columns == 0:
            break
        if item:
            if _sign(text_of) == _sign(text) and item["gap"] == gap:
                margin = line[: len(line) - len(text_of)]
            limit = columns
    return margin


def _sign(text: str) -> str:
    return text[0] if not text[0].isdigit() else text.lstrip("0123456789")[:1]


def _end(lines: Sequence[str], block: Block) -> Edit | None:
    """Put the closing ticks where they can close the fence, or where it was taken to end."""
    opener, end = lines[block.span.start - 1], block.span.end
    before, run = prefix(opener), ticks(opener)
    if not run:
        return None
    if end > block.span.start and closes(lines[end - 1], opener):
        inside = lines[block.span.start : end - 1]
        if before.strip() or any(_columns(line) < len(before.expandtabs(4)) for line in inside if line.strip()):
            return None  # the code stands too far left, too: which of both is wrong, the author knows
        closer = RUN.fullmatch(lines[end - 1])
        return Edit(end, end, (before + closer["ticks"],)) if closer and closer["before"] != before else None
    final = block.text.rstrip().rpartition("\n")[2].lstrip()
    if block.language not in PYTHON or final[:1] in ("", "#") or not _parses(block.text):
        return None  # what follows the code may be prose
    return Edit(end + 1, end, (before + run,))


def _columns(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))


def _parses(text: str) -> bool:
    return not python.look(text).problem or not python.look(uncomment.live(text)).problem
