"""The rules that an understood note must keep: a small decorated function each, a concern to a module."""

from __future__ import annotations

from coursemill.model import Finding, Lesson
from coursemill.pure.rules import anyblock, code, damage, diagrams, fences, front, links, obsidian, outdated, tasks
from coursemill.pure.rules.rule import RULES, Known

ANY_NOTE = ("CM1", "CM4")
"""Codes that concern every note, lesson or not."""
__all__ = [
    "Known",
    "anyblock",
    "check",
    "code",
    "damage",
    "diagrams",
    "fences",
    "front",
    "links",
    "obsidian",
    "outdated",
    "tasks",
]


def check(lesson: Lesson, known: Known) -> list[Finding]:
    """Return everything that is wrong with a note, in its order: what the parser found, and what the rules find.

    A note without a worksheet is no lesson; there only the file, the front matter and the links count.
    """
    if lesson.front.worksheets:
        return sorted({*lesson.findings, *(f for rule, _ in RULES for f in rule(lesson, known))})
    found = (f for rule, lessons_only in RULES if not lessons_only for f in rule(lesson, known))
    return sorted({*(f for f in lesson.findings if f.code.startswith(ANY_NOTE)), *found})
