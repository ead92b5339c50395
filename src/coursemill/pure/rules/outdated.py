"""Rules for what is out of date with the installed libraries: nothing is imported, let alone executed."""

from __future__ import annotations

from collections.abc import Iterator

from coursemill.model import Finding, Lesson
from coursemill.pure.raw import outdated
from coursemill.pure.rules.rule import Known, rule


@rule()
def up_to_date(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Neither code nor prose uses what the libraries removed, deprecated, ignore or changed."""
    yield from outdated.find(lesson, known.versions)
