"""`demo`: a made-up class for a worksheet, graded, with feedback and a report, and checked against what is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from coursemill.config import Config
from coursemill.course import classreport, feedback, grade
from coursemill.course.foreseen import foreseen
from coursemill.course.grade import Graded
from coursemill.effects.grading import courses, stage
from coursemill.effects.grading.gradebook import Book
from coursemill.errors import CoursemillError
from coursemill.pure.grading import exercises, trialrun
from coursemill.pure.grading.classpage import ClassReport
from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.standing import Mark
from coursemill.pure.grading.students import Material, Student, students
from coursemill.pure.grading.trialrun import Check

FOLDER = "demo"


@dataclass(frozen=True, slots=True)
class Request:
    """What class to make."""

    worksheet: str
    students: int = 30
    seed: int = 1
    into: Path | None = None
    """The folder for the copy of the course; None: `build/demo/<worksheet>`."""
    jobs: int = 0
    timeout: float = 0.0


@dataclass(frozen=True, slots=True)
class Demo:
    """What came of it."""

    root: Path
    """The copy of the course."""
    students: tuple[Student, ...]
    scores: Mapping[str, Mapping[str, float]]
    """Points that tests gave, by student and exercise."""
    points: float
    """The most that tests give."""
    graded: Graded
    checks: tuple[Check, ...]
    report: ClassReport
    page: Path
    feedback: Path
    """The folder with the students' pages."""

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


Grade = Callable[[Config, grade.Request, grade.Watch], Graded]


class Watch(grade.Watch):
    """Is told what happens, also what `grade` tells; this one does nothing with it."""

    def made(self, root: Path, students: tuple[Student, ...]) -> None:
        """The class has handed in."""

    def returned(self) -> None:
        """The class is graded; pages and report are made now."""


def demo(config: Config, request: Request, watch: Watch | None = None, grader: Grade = grade.grade) -> Demo:
    """Make a class, grade it, return feedback, report on it, and check what everybody got.

    The course itself is only read. Raises CoursemillError for a worksheet that there is not or that has no tests, and
    what `grade` raises.
    """
    watch = watch or Watch()
    course = courses.course(config)
    worksheet = courses.worksheet(config, request.worksheet)
    tasks = [task for assignment in worksheet.assignments for task in exercises.of(assignment)]
    if not any(task.tests for task in tasks):
        raise CoursemillError(f"{request.worksheet} has no tests", fix="a made-up class is for what is tested")
    known = foreseen(config, request.worksheet, tasks)
    into = request.into or config.path(config.build, FOLDER, request.worksheet)
    class_ = students(Material(worksheet.assignments, known.wrong, known.given), request.students, request.seed)
    copy = stage.build(config, course, request.worksheet, into.resolve(), known.notes)
    for student in class_:
        stage.hand_in(copy.root, request.worksheet, student.id, student.notebooks)
    about = courses.course(copy)
    stage.enrol(Book(about.db_url, about.id), {one.id: (one.first, one.last) for one in class_})
    watch.made(copy.root, class_)
    graded = grader(copy, grade.Request(request.worksheet, jobs=request.jobs, timeout=request.timeout), watch)
    if graded.interrupted:
        raise KeyboardInterrupt
    watch.returned()
    return _shown(copy, request, class_, tasks, graded)


def _shown(copy: Config, request: Request, class_: tuple[Student, ...], tasks: list[Exercise], graded: Graded) -> Demo:
    """Make the pages, and check."""
    feedback.feedback(copy, feedback.Request(request.worksheet), _Silence())
    report = classreport.report(copy, request.worksheet)
    scores = {one.student: _scores(dict(one.marks()), tasks) for one in graded.standings}
    return Demo(
        root=copy.root,
        students=class_,
        scores=scores,
        points=sum(test.points for task in tasks for test in task.tests),
        graded=graded,
        checks=trialrun.checks(class_, scores, tasks, report.flags),
        report=report,
        page=classreport.write_page(copy, report),
        feedback=copy.root / "feedback",
    )


def _scores(marks: Mapping[str, Mark], tasks: list[Exercise]) -> dict[str, float]:
    """Points that tests gave, by exercise."""
    return {
        task.key: sum(marks[f"{task.notebook}/{test.id}"].score or 0.0 for test in task.tests)
        for task in tasks
        if task.tests and all(f"{task.notebook}/{test.id}" in marks for test in task.tests)
    }


class _Silence:
    """Nobody is told of each page."""

    def begin(self, total: int) -> None:
        """So many pages there will be."""

    def end(self, returned: feedback.Returned) -> None:
        """A student's pages are made."""
