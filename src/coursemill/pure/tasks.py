"""Exercises, questions and quizzes as cells: what a student sees, what is graded, what stays with the instructor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from coursemill.model import Code, Edition, Exercise, Hint, Prose, Question, Quiz, Solution, Task, Test
from coursemill.pure import callouts, cells, ids, quiz
from coursemill.pure.cells import Cell
from coursemill.pure.quiz import BEGIN_HIDDEN, END_HIDDEN

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_SCHEME, END_SCHEME = "### BEGIN MARK SCHEME", "### END MARK SCHEME"
WRITE_HERE = "*Your answer (double-click to write it here):*"
_DELIMITERS = ("BEGIN SOLUTION", "END SOLUTION")
"""nbgrader looks for these anywhere in a line."""


@dataclass(frozen=True)
class Desk:
    """What the cells of a task are made with."""

    edition: Edition
    level: int
    """Of the heading that the task stands under."""
    markdown: Callable[[str], str]
    """An author's Markdown → Jupyter's."""
    other: Callable[[Prose | Code], Iterator[Cell]]
    """Prose and code that stand inside of a task."""
    folder: Callable[[Solution], Iterator[Cell]]
    """A solution → the cell that makes the folder of its file, if it needs one."""
    numbers: Mapping[str, str]
    """Ids of the last build's tests → their texts."""


def task_cells(task: Task, desk: Desk) -> Iterator[Cell]:
    """The cells of `task` in order: prompt, then its parts as they stand in the note."""
    if isinstance(task, Exercise):
        made = _exercise(task, desk)
    elif isinstance(task, Question):
        made = _question(task, desk)
    else:
        made = _quiz(task, desk)
    return (replace(cell, task=task.id) for cell in made)


def test_text(source: str) -> str:
    """What the author wrote of a test cell: without the lines that an edition adds."""
    kept = (line for line in source.split("\n") if line not in (BEGIN_HIDDEN, END_HIDDEN))
    return "\n".join(line for line in kept if not line.startswith(_HIDDEN_NOTE))


def points(number: float) -> str:
    """`1 point`, `3 points`, `0.5 points`."""
    return f"{number:g} point{'' if number == 1 else 's'}"


_HIDDEN_NOTE = "# Tests that run when your work is graded:"


def _exercise(exercise: Exercise, desk: Desk) -> Iterator[Cell]:
    prompt = _prompt("✏️ Exercise", exercise, desk, desk.markdown(exercise.prompt), callouts.GREEN)
    yield Cell("markdown", prompt, exercise.span, id=f"{exercise.id}-prompt")
    tests = [(test.name, test.text) for test in exercise.tests]
    names = iter(ids.numbered(exercise.id, tests, desk.numbers))
    hints = answers = 0
    for part in exercise.parts:
        if isinstance(part, Hint):
            hints += 1
            yield _hint(part, f"{exercise.id}-hint-{hints}", desk)
        elif isinstance(part, Solution):
            answers += 1
            yield from _answer(part, exercise.id if answers == 1 else f"{exercise.id}-part-{answers}", desk)
        elif isinstance(part, Test):
            yield _test(part, next(names), desk)
        elif isinstance(part, Prose | Code):
            yield from desk.other(part)


def _answer(solution: Solution, name: str, desk: Desk) -> Iterator[Cell]:
    cell = cells.code(solution.text, solution.first_line, solution.span, id=name, own=True, grading="answer")
    if desk.edition == "worked":
        cell = cells.without_lines(cell, *_DELIMITERS)
    elif not any(mark in solution.text for mark in _DELIMITERS):
        cell = cells.generated(cell, [BEGIN_SOLUTION], [END_SOLUTION])
    if solution.path:
        yield from desk.folder(solution)
        cell = cells.generated(cell, [cells.writefile(solution.path)])
    yield cell


def _test(test: Test, name: str, desk: Desk) -> Cell:
    cell = cells.code(test.text, test.first_line, test.span, id=name, grading="test", points=test.points)
    if test.hidden and desk.edition == "instructor":
        note = f"{_HIDDEN_NOTE} {points(test.points)}"
        return cells.generated(cell, [note, BEGIN_HIDDEN], [END_HIDDEN])
    return cell


def _question(question: Question, desk: Desk) -> Iterator[Cell]:
    prompt = _prompt("✏️ Question", question, desk, desk.markdown(question.prompt), callouts.GREEN)
    model = callouts.box("✅ Model answer", desk.markdown(question.model_answer), callouts.GREEN)
    rubric = callouts.box("📋 Rubric", desk.markdown(question.rubric), callouts.BLUE)
    if desk.edition == "instructor":
        prompt = "\n\n".join([prompt, BEGIN_SCHEME, model, rubric, END_SCHEME])
    yield Cell("markdown", prompt, question.span, id=question.id, own=True, grading="task", points=question.points)
    above = [part for part in question.parts if not question.key or part.span < question.key[0]]
    yield from _parts(question, desk, above)
    answer = WRITE_HERE
    span = question.span
    if desk.edition == "worked":
        answer, span = f"{model}\n\n{rubric}", next(iter(question.key), span)
    yield Cell("markdown", answer, span, id=f"{question.id}-answer")
    yield from _parts(question, desk, question.parts[len(above) :], above)


def _quiz(question: Quiz, desk: Desk) -> Iterator[Cell]:
    parts = [desk.markdown(question.prompt), desk.markdown(quiz.options(question)), quiz.instruction(question)]
    body = "\n\n".join(part for part in parts if part.strip())
    prompt = _prompt("❓ Quiz", question, desk, body, callouts.GREEN)
    yield Cell("markdown", prompt, question.span, id=f"{question.id}-prompt")
    hints = list(takewhile(lambda part: isinstance(part, Hint), question.parts))
    yield from _parts(question, desk, hints)
    worked = desk.edition == "worked"
    answer = quiz.solved(question) if worked else quiz.answer(question)
    test = quiz.test(question, marked=not worked)
    name = next(iter(ids.numbered(question.id, [("", test_text(test))], desk.numbers)))
    yield _made(answer, question, id=question.id, own=True, grading="answer")
    yield _made(test, question, id=name, grading="test", points=question.points)
    if worked:
        why = callouts.box(f"✅ Answer: {question.answer}", desk.markdown(quiz.explanation(question)), callouts.GREEN)
        yield Cell("markdown", why, question.span, id=f"{question.id}-why")
    yield from _parts(question, desk, question.parts[len(hints) :], hints)


def _made(source: str, question: Quiz, **about: object) -> Cell:
    """A code cell that stands in no note."""
    lines = tuple(0 for _ in source.split("\n"))
    return replace(Cell("code", source, question.span, lines=lines), **about)  # type: ignore[arg-type] # Cell's fields


def _parts(
    task: Question | Quiz, desk: Desk, parts: Sequence[Prose | Code | Hint], above: Sequence[Prose | Code | Hint] = ()
) -> Iterator[Cell]:
    """The cells of `parts`; hints are counted from those `above`."""
    hints = sum(isinstance(part, Hint) for part in above)
    for part in parts:
        if isinstance(part, Hint):
            hints += 1
            yield _hint(part, f"{task.id}-hint-{hints}", desk)
        else:
            yield from desk.other(part)


def _hint(hint: Hint, name: str, desk: Desk) -> Cell:
    title = f"💡 Hint: {hint.title}" if hint.title.strip() else "💡 Hint"
    return Cell("markdown", callouts.box(title, desk.markdown(hint.text), callouts.CYAN, "-"), hint.span, id=name)


def _prompt(label: str, task: Task, desk: Desk, body: str, colour: str) -> str:
    title = f"{label}: {desk.markdown(task.title)}" if task.title.strip() else label
    heading = f"{'#' * min(desk.level + 1, 6)} {title} ({points(task.points)})"
    return callouts.headed(heading, body, colour)
