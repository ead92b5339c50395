"""Rules for diagrams: what no renderer will draw, seen without one."""

from __future__ import annotations

from collections.abc import Iterator

from coursemill.model import Finding, Lesson
from coursemill.pure import diagrams
from coursemill.pure.rules.rule import Known, rule


@rule()
def sources(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A diagram has shapes, style keywords and a kind that its renderer knows."""
    for diagram in diagrams.fenced(lesson):
        yield from (diagrams.finding(diagram, one) for one in diagrams.mistakes(diagram.lang, diagram.source))
        yield from (diagrams.odd(diagram, one) for one in diagrams.oddities(diagram.lang, diagram.source))
