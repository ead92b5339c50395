"""Rules for code that was damaged before it came into the note: indexes, arguments, imports fell out."""

from __future__ import annotations

from collections.abc import Iterator

from coursemill.model import Finding, Lesson
from coursemill.pure.raw import damage
from coursemill.pure.rules.rule import Known, rule


@rule()
def undamaged(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Nothing in the code of a lesson looks as if a part of it had been lost."""
    yield from damage.find(lesson)
