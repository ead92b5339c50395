"""What a detector is: a decorated function from a Python block, or from a whole note, to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coursemill.model import Block, Finding
from coursemill.pure.raw.damage.source import Note, Source

InBlock = Callable[[Source, Note], Iterator[Finding]]
InNote = Callable[[Note], Iterator[Finding]]
InMarkup = Callable[[Block], Iterator[Finding]]
IN_BLOCK: list[InBlock] = []
IN_NOTE: list[InNote] = []
IN_MARKUP: list[InMarkup] = []


def in_block(function: InBlock) -> InBlock:
    """Make a function a detector that looks at each Python block."""
    IN_BLOCK.append(function)
    return function


def in_note(function: InNote) -> InNote:
    """Make a function a detector that looks at a note as a whole."""
    IN_NOTE.append(function)
    return function


def in_markup(function: InMarkup) -> InMarkup:
    """Make a function a detector that looks at each block of JavaScript, TypeScript or HTML."""
    IN_MARKUP.append(function)
    return function
