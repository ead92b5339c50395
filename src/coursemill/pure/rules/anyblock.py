"""Rules for AnyBlock's headers, `[list2table|#Title]`: commands that there are."""

from __future__ import annotations

from collections.abc import Iterator

from coursemill.model import Finding, Lesson
from coursemill.pure import codes, markdown
from coursemill.pure.anyblock import header
from coursemill.pure.rules.rule import Known, rule


@rule()
def commands(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A header asks for what the build knows; a line that is none stays in the notebook as it is written."""
    lines = lesson.text.split("\n")
    lines[: lesson.front.end_line] = [""] * min(lesson.front.end_line, len(lines))
    asked = {n: command for n, line in enumerate(lines) if "[" in line and (command := header.unknown(line))}
    if not asked:
        return
    outline = markdown.outline(lines)
    for start, end in outline.inline:
        for n in sorted({start, end - 1} & asked.keys()):
            if markdown.label(lines[n].strip(" \t>[]:")) not in outline.definitions:
                message = f"AnyBlock's commands know no `{asked[n]}`"
                column = lines[n].find(asked[n]) + 1
                yield codes.ANYBLOCK.at(lesson.path, n + 1, message, col=column, fix=header.meant(asked[n]))
