"""Damage that a parser does not see: what code lost on its way through a chat window, a rule to a decorated function.

Such material typically lost what stood in square brackets, or arguments, or the code between comments. Python is
looked at with its commented-out code made code again, on the lines where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator

from coursemill.model import Finding, Lesson
from coursemill.pure.raw.damage import bodies, empty, files, gaps, lists, names, said, source, web
from coursemill.pure.raw.damage.rule import IN_BLOCK, IN_MARKUP, IN_NOTE
from coursemill.pure.raw.damage.script import HTML, SCRIPT

__all__ = ["bodies", "empty", "files", "find", "gaps", "lists", "names", "said", "web"]


def find(lesson: Lesson) -> list[Finding]:
    """Return what is damaged in a note's code, in its order; never raises."""
    return sorted(set(_found(lesson)))


def _found(lesson: Lesson) -> Iterator[Finding]:
    note = source.note(lesson)
    for block in note.sources:
        for in_block in IN_BLOCK:
            yield from in_block(block, note)
    for in_note in IN_NOTE:
        yield from in_note(note)
    for markup in lesson.blocks:
        if markup.language in SCRIPT or markup.language in HTML:
            for in_markup in IN_MARKUP:
                yield from in_markup(markup)
