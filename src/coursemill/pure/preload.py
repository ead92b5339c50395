"""What a fork server may import before a lesson's kernel begins: just what the lesson imports at its start."""

from __future__ import annotations

import re
from collections.abc import Iterable

from coursemill.model import Lesson
from coursemill.pure import requirements

SETS = re.compile(r"\benviron\b|\bputenv\b|%(?:set_)?env\b")
"""A lesson that sets variables for its imports must import by itself."""
SET = re.compile(r"(?:\benviron(?:\.setdefault\(|\[)|\bputenv\(|%(?:set_)?env\s+)\s*['\"]?(\w+)")
LATE = re.compile(r"TF_CPP_\w+|TF_ENABLE_ONEDNN_OPTS|PYSPARK_\w+|SPARK_\w+|JAVA_\w+|TOKENIZERS_PARALLELISM")
"""Variables that libraries read when they are used, not when they are imported."""


def of(lesson: Lesson) -> tuple[str, ...]:
    """Return the modules that the lesson's code imports, none when it sets environment variables.

    Modules of its own that lie beside it are not found by a server, and imported by the lesson as ever.
    """
    if any(SETS.search(code.text) for code in lesson.codes()):
        return ()
    found = (one for one in requirements.of_lesson(lesson) if not one.optional)
    return tuple(sorted({one.module for one in found}))


def of_cells(sources: Iterable[str], files: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the modules that a notebook's cells import, but for those in `files` that lie beside it.

    None when the cells set environment variables that may matter for an import.
    """
    texts = list(sources)
    for text in texts:
        if len(SETS.findall(text)) > len([name for name in SET.findall(text) if LATE.fullmatch(name)]):
            return ()
    own = {name for file in files for name in requirements.modules_of(file)}
    found = {one.module for text in texts for one in requirements.of_code(text, "") if not one.optional}
    return tuple(sorted(module for module in found if requirements.top(module) not in own))
