"""What a fork server may import before a lesson's kernel begins: just what the lesson imports at its start."""

from __future__ import annotations

import re

from coursemill.model import Lesson
from coursemill.pure import requirements

SETS = re.compile(r"\benviron\b|\bputenv\b|%(?:set_)?env\b")
"""A lesson that sets variables for its imports must import by itself."""


def of(lesson: Lesson) -> tuple[str, ...]:
    """Return the modules that the lesson's code imports, none when it sets environment variables.

    Modules of its own that lie beside it are not found by a server, and imported by the lesson as ever.
    """
    if any(SETS.search(code.text) for code in lesson.codes()):
        return ()
    found = (one for one in requirements.of_lesson(lesson) if not one.optional)
    return tuple(sorted({one.module for one in found}))
