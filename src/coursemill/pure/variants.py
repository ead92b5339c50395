"""The answers that are tried of an exercise or quiz, and the lesson's other cells around them.

They are made of the instructor's notebook, so that what is proven is what nbgrader will grade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from coursemill.model import LETTERS, Exercise, Lesson, Quiz, Test, Wrong
from coursemill.pure import cells, cheats, names, quiz, traces
from coursemill.pure.judge import MAY_RAISE, SKIPPED
from coursemill.pure.names import Definition
from coursemill.pure.trials import Part, Role, Source, Step, Trial, Variant

STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
"""What nbgrader's ClearSolutions puts in place of a solution in Python."""


def parts(lesson: Lesson, notebook: Mapping[str, Any]) -> tuple[Part, ...]:
    """The lesson's code cells in order; those of an exercise or quiz together with what is to be tried there."""
    tasks = {task.id: task for task in lesson.tasks if isinstance(task, Exercise | Quiz)}
    code = [c for c in notebook["cells"] if c["cell_type"] == "code" and SKIPPED not in _tags(c)]
    found: list[Part] = []
    for name, group in groupby(code, key=lambda c: c["metadata"]["coursemill"].get("task", "")):
        task = tasks.get(name)
        if task is None:
            found.extend(_step(cell) for cell in group)
        else:
            steps = _with_tests(task, [_step(cell) for cell in group])
            tried = _of_exercise(task, steps) if isinstance(task, Exercise) else _of_quiz(task, steps)
            found.append(Trial(task.id, task.title, task.span.start, tuple(steps), tuple(tried)))
    return tuple(found)


def stub(source: Source) -> Source:
    """Take the solution out as nbgrader's ClearSolutions does; markers are balanced, or the lesson has a finding."""
    kept: list[tuple[str, int]] = []
    inside = False
    for text, line in zip(source.text.split("\n"), source.lines, strict=True):
        if "BEGIN SOLUTION" in text:
            inside = True
            indent = text[: len(text) - len(text.lstrip())]
            kept.extend((indent + stubbed, line) for stubbed in STUB)
        elif "END SOLUTION" in text:
            inside = False
        elif not inside:
            kept.append((text, line))
    return Source("\n".join(text for text, _ in kept), tuple(line for _, line in kept))


def _of_exercise(exercise: Exercise, steps: Sequence[Step]) -> Iterator[Variant]:
    answers = {step.id: step for step in steps if step.role == "answer"}
    if not answers:
        return
    solution = {name: step.source for name, step in answers.items()}
    line = exercise.solutions[0].span.start
    yield Variant("solution", "the solution", line, solution, exercise.points)
    yield Variant("stub", "the stub", line, {name: stub(source) for name, source in solution.items()})
    for number, wrong in enumerate(exercise.wrongs, start=1):
        name, source = _wrong(exercise, wrong, list(answers.values()))
        told = f"wrong answer {number}"
        yield Variant("wrong", told, wrong.span.start, {**solution, name: source}, wrong.score)
    yield from _cheats(answers.values(), line)


def _wrong(exercise: Exercise, wrong: Wrong, answers: Sequence[Step]) -> tuple[str, Source]:
    """The id of the answer's cell that a wrong answer stands for, and what it puts there."""
    solutions = list(zip(exercise.solutions, answers, strict=True))
    meant = [pair for pair in solutions if pair[0].path == wrong.path] or solutions
    above = [step for solution, step in meant if solution.span.start < wrong.span.start]
    step = above[-1] if above else meant[0][1]
    lines = tuple(range(wrong.first_line, wrong.first_line + wrong.text.count("\n") + 1))
    if step.file:
        return step.id, Source(f"{cells.writefile(step.file)}\n{wrong.text}", (lines[0], *lines))
    return step.id, Source(wrong.text, lines)


def _cheats(answers: Iterable[Step], line: int) -> Iterator[Variant]:
    made = (
        ("an object equal to everything", cheats.equal_to_everything),
        ("a function that returns such objects", cheats.returning_such),
    )
    seen = []
    for name, cheat in made:
        tried = {step.id: _cheat(step, cheat) for step in answers}
        if tried not in seen:
            yield Variant("cheat", name, line, tried)
        seen.append(tried)


def _cheat(step: Step, cheat: cheats.Cheat) -> Source:
    head = f"{cells.writefile(step.file)}\n" if step.file else ""
    body = step.source.text.removeprefix(head)
    cell = not step.file
    defined: Sequence[Definition] = names.definitions(body, cell=cell)
    text = head + cheat(names.imports(body, cell=cell), defined)
    return Source(text, (step.source.line(1),) * (text.count("\n") + 1))


def _of_quiz(question: Quiz, steps: Sequence[Step]) -> Iterator[Variant]:
    answer = next(step for step in steps if step.role == "answer")
    line = question.span.start

    def chosen(letters: str) -> Mapping[str, Source]:
        return {answer.id: Source(f'{quiz.variable(question)} = "{letters}"', (line,))}

    yield Variant("solution", f"the answer {question.answer}", line, {answer.id: answer.source}, question.points)
    yield Variant("stub", "the stub", line, {answer.id: stub(answer.source)})
    letters = LETTERS[: len(question.options)]
    others = [*letters, *([letters] if question.multiple else []), ""]
    for other in others:
        if other != question.answer:
            yield Variant("choice", f"the answer {other}" if other else "no answer", line, chosen(other))
    yield from _cheats([answer], line)


def _step(cell: Mapping[str, Any]) -> Step:
    graded = cell["metadata"].get("nbgrader", {})
    role: Role = "answer" if graded.get("solution") else "test" if graded.get("grade") else "code"
    return Step(
        cell["id"],
        role,
        Source(cell["source"], _lines(cell)),
        points=float(graded.get("points", 0)),
        may_raise=MAY_RAISE in _tags(cell),
    )


def _tags(cell: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = cell["metadata"].get("tags", ())
    return found


def _lines(cell: Mapping[str, Any]) -> tuple[int, ...]:
    """For each line of a cell the note's, for generated ones the nearest."""
    count = cell["source"].count("\n") + 1
    return tuple(int(traces.place(cell, number).rpartition(":")[2]) for number in range(1, count + 1))


def _with_tests(task: Exercise | Quiz, steps: Iterable[Step]) -> list[Step]:
    """Mark the tests that the stub may pass, which no notebook says."""
    given = iter(t.given for t in task.parts if isinstance(t, Test))
    return [replace(step, given=next(given, False)) if step.role == "test" else step for step in steps]
