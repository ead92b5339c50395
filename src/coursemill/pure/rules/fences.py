"""Rules for what stands in fences, and for nbgrader's markers wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator

from coursemill.model import Code, Finding, Hint, Lesson, Prose, Question, Quiz, Solution, Task, Test, Wrong
from coursemill.pure import codes, comments
from coursemill.pure.embeds import MARKER
from coursemill.pure.rules.rule import Known, rule

COMMENT = ("#", "//", "/*", "<!--", "--", ";", "%", '"', "'")
"""What begins a comment, in one language or another."""

Piece = Prose | Code | Hint | Solution | Test | Wrong


@rule()
def markers(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Solution markers stand in solutions, in pairs; nbgrader's other markers are written by the build."""
    for piece in _pieces(lesson):
        if isinstance(piece, Solution):
            yield from _pairs(lesson.path, piece)
        elif not isinstance(piece, Wrong):
            yield from _strays(lesson.path, piece)


@rule()
def markers_alone(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Code on a marker's line goes with the marker: it would be in no notebook."""
    for piece in _pieces(lesson):
        if isinstance(piece, Solution):
            for number, line in enumerate(piece.text.split("\n")):
                found = MARKER.search(line)
                code = line[: found.start()].strip(" \t#") if found else ""
                if code and not line.lstrip(" \t").startswith(COMMENT):
                    message = f"`{code}` stands on a marker's line, which is in no notebook"
                    fix = "give the marker a line of its own"
                    yield codes.MARKERS.at(lesson.path, piece.first_line + number, message, fix=fix)


@rule()
def parameters_twice(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Papermill sets the parameters of one cell: the first that is tagged."""
    tagged = [code for code in lesson.codes() if "parameters" in code.tags]
    for code in tagged[1:]:
        message = f"line {tagged[0].span.start} is the parameters cell already; this one's would not be set"
        yield codes.PARAMETERS_TWICE.at(lesson.path, code.span.start, message)


def _pieces(lesson: Lesson) -> Iterator[Piece]:
    for part in lesson.parts:
        if isinstance(part, Prose | Code):
            yield part
        else:
            yield from _texts(part)
            yield from part.parts


def _texts(task: Task) -> Iterator[Prose]:
    """What a task says, each as if it were prose below the header of its callout."""
    yield Prose(task.span, f"{task.title}\n{task.prompt}", "")
    if isinstance(task, Question) and task.key:
        yield Prose(task.key[0], f"\n{task.model_answer}\n{task.rubric}", "")
    if isinstance(task, Quiz):
        yield Prose(task.span, "".join(f"\n{option.text} {option.why}" for option in task.options), "")


def _pairs(path: str, solution: Solution) -> Iterator[Finding]:
    """Each BEGIN has its END before the next BEGIN."""
    opened = 0
    for line, word, what in _markers(solution.text, solution.first_line):
        if what != "SOLUTION":
            yield _stray(path, line, word, what)
        elif word == "BEGIN" and opened:
            message = f"the solution that begins on line {opened} has no `### END SOLUTION` above this line"
            yield codes.MARKERS.at(path, line, message)
        elif word == "END" and not opened:
            yield codes.MARKERS.at(path, line, "`### END SOLUTION` has no `### BEGIN SOLUTION` above it")
        if what == "SOLUTION":
            opened = line if word == "BEGIN" else 0
    if opened:
        yield codes.MARKERS.at(path, opened, "`### BEGIN SOLUTION` has no `### END SOLUTION` below it")


def _strays(path: str, piece: Prose | Code | Hint | Test) -> Iterator[Finding]:
    first = piece.first_line if isinstance(piece, Code | Test) else piece.span.start + isinstance(piece, Hint)
    text = piece.text if isinstance(piece, Code | Test) else comments.blanked(piece.text)
    for line, word, what in _markers(text, first):
        yield _stray(path, min(line, piece.span.end), word, what)


def _stray(path: str, line: int, word: str, what: str) -> Finding:
    message = f"`{word} {what}` stands where nbgrader does not allow it"
    fix = 'mark it up as a fence with role="solution"' if what == "SOLUTION" else "delete it: the build writes it"
    return codes.MARKERS.at(path, line, message, fix=fix)


def _markers(text: str, first_line: int) -> Iterator[tuple[int, str, str]]:
    if "BEGIN " not in text and "END " not in text:
        return
    for number, line in enumerate(text.split("\n")):
        for found in MARKER.finditer(line):
            yield first_line + number, found[1], found[2]
