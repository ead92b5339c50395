"""Rules for AnyBlock's headers, `[list2table|#Title]`: commands that there are, above what they can change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from coursemill.model import Finding, Lesson
from coursemill.pure import codes, markdown
from coursemill.pure.anyblock import header, maps, tree
from coursemill.pure.anyblock.find import Block
from coursemill.pure.anyblock.header import Header
from coursemill.pure.markdown import Outline
from coursemill.pure.rules.rule import Known, rule

_CHANGED = re.compile(r"[ \t>]*(?:#{1,6}[ \t]|\||`{3}|~{3}|(?:[-*+]|\d+[.)])[ \t])")
"""What begins a block that is no list, or a list that a header above it does not make one."""


@rule()
def headers(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A header asks for what the build knows; a line that is none stays in the notebook as it is written."""
    lines = lesson.text.split("\n")
    lines[: lesson.front.end_line] = [""] * min(lesson.front.end_line, len(lines))
    unknown = {n: command for n, line in enumerate(lines) if "[" in line and (command := header.unknown(line))}
    asked = {n: found for n, line in enumerate(lines) if "[" in line and (found := header.read(line)) and found.mode}
    if not unknown and not asked:
        return
    outline = markdown.outline(lines)
    for start, end in outline.inline:
        for n in sorted({start, end - 1} & unknown.keys()):
            if markdown.label(lines[n].strip(" \t>[]:")) not in outline.definitions:
                message = f"AnyBlock's commands know no `{unknown[n]}`"
                column = lines[n].find(unknown[n]) + 1
                yield codes.ANYBLOCK.at(lesson.path, n + 1, message, col=column, fix=header.meant(unknown[n]))
        for n in sorted({start, end - 1} & asked.keys()):
            message, fix = _wrong(n, asked[n], lesson, outline)
            if message:
                yield codes.ANYBLOCK.at(lesson.path, n + 1, message, col=len(asked[n].prefix) + 1, fix=fix)


def _wrong(n: int, asked: Header, lesson: Lesson, outline: Outline) -> tuple[str, str]:
    """Why what the header on line `n` (from 0) asks for is not shown, and what to do; nothing when it is."""
    if n not in outline.asked:
        below = next((line for line in outline.lines[n + 1 :] if line.strip(" \t>")), "")
        stands = _CHANGED.match(below) or header.read(below) or below.count(">") > asked.prefix.count(">")
        return ("", "") if stands else ("no list stands below the header", "put it above one, or delete it")
    end = outline.asked[n].end
    if asked.mode == "sections" or _is_cut(lesson, n, end):
        return "", ""
    items = tree.items(Block(n, n + 1, end, "list", asked).text(outline.lines))
    if not items and asked.mode != "cards":
        return f"the list has more than {tree.DEEPEST} levels and stays a list", "part it"
    if asked.mode in ("flow", "mind") and not maps.source(asked, items):
        return f"the list has more than {maps.MOST} items and is not drawn", "part it"
    return "", ""


def _is_cut(lesson: Lesson, start: int, end: int) -> bool:
    """Whether a cell stands in lines `start` to `end`: the list becomes sections."""
    spans: Sequence[int] = [code.span.start for code in lesson.codes()]
    return any(start < line <= end for line in spans)
