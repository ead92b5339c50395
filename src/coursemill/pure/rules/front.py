"""Rules for the note's name and its front matter."""

from __future__ import annotations

from collections.abc import Iterator

from coursemill.model import Finding, Lesson
from coursemill.pure import codes, naming, near
from coursemill.pure.rules.rule import Known, rule


@rule()
def name(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Students can save the notebook under the note's name, whatever their system, and other notes can link to it."""
    if problem := naming.should_not_be(lesson.name):
        yield codes.BAD_NAME.at(lesson.path, 1, problem)


@rule()
def same_name(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """The notebooks of a worksheet lie in one folder, on systems for which case and composed accents are the same."""
    for worksheet in lesson.front.worksheets:
        first = known.names.get((worksheet, naming.folded(lesson.name)), lesson.path)
        if first != lesson.path:
            message = f"{worksheet} has a note of this name: {first}"
            yield codes.SAME_NAME.at(lesson.path, _line(lesson, "worksheet"), message)


@rule()
def worksheet(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A worksheet that nobody knows is a typing mistake."""
    for name in lesson.front.worksheets:
        if known.worksheets and name not in known.worksheets:
            fix = near.advice(name, known.worksheets) or f"make {known.shared}/{name}/, or name it in the settings"
            line = _line(lesson, "worksheet")
            yield codes.UNKNOWN_WORKSHEET.at(lesson.path, line, f"there is no worksheet `{name}`", fix=fix)


def _line(lesson: Lesson, key: str) -> int:
    return lesson.front.lines.get(key, 1)
