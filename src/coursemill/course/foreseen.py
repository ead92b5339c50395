"""The answers that a worksheet's notes declare as wrong, by exercise; a course without notes has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from coursemill.config import Config
from coursemill.course.load import Course, load
from coursemill.effects import store
from coursemill.model import Lesson
from coursemill.pure import editions
from coursemill.pure.grading.answers import Declared
from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.trials import Trial, Variant
from coursemill.pure.variants import parts


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the notes say of a worksheet's exercises, by `notebook/exercise`."""

    wrong: Mapping[str, tuple[Declared, ...]]
    given: Mapping[str, float]
    """Points that the untouched starter earns, and is meant to."""
    notes: tuple[str, ...] = ()
    """Paths of the worksheet's notes."""


def foreseen(config: Config, worksheet: str, exercises: Iterable[Exercise]) -> Foreseen:
    """Look the exercises up in the notes."""
    if not config.path(config.notes).is_dir():
        return Foreseen({}, {})
    course = load(config)
    lessons = [lesson for lesson in course.lessons if worksheet in lesson.front.worksheets]
    known = {exercise.key: exercise for exercise in exercises}
    trials = {
        f"{lesson.name}/{trial.id}": (lesson, trial)
        for lesson in lessons
        for trial in _trials(course, lesson, worksheet)
    }
    wrong = {key: tuple(_declared(*found, known[key])) for key, found in trials.items() if key in known}
    given = {key: sum(test.points for test in trial.tests if test.given) for key, (_, trial) in trials.items()}
    notes = tuple(lesson.path for lesson in lessons)
    return Foreseen({key: found for key, found in wrong.items() if found}, given, notes)


def _trials(course: Course, lesson: Lesson, worksheet: str) -> Iterator[Trial]:
    built = course.config.path(course.config.source, worksheet, f"{lesson.name}.ipynb")
    context = editions.Context(course.vault, worksheet, numbers=editions.numbers(store.recall(built)))
    found = parts(lesson, editions.instructor(lesson, context))
    return (part for part in found if isinstance(part, Trial))


def _declared(lesson: Lesson, trial: Trial, exercise: Exercise) -> Iterator[Declared]:
    """An exercise's wrong answers; those of a note that was changed since the build are left out."""
    names = [item.id for item in exercise.answers]
    for variant in trial.variants:
        if variant.kind == "wrong" and set(names) <= variant.answers.keys():
            yield _made(lesson, variant, names)


def _made(lesson: Lesson, variant: Variant, names: Iterable[str]) -> Declared:
    sources = tuple(variant.answers[name].text for name in names)
    return Declared(variant.name, f"{lesson.path}:{variant.line}", variant.score, sources)
