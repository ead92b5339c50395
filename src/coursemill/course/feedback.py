"""`feedback`: what students get back, from the journal and the gradebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from coursemill.config import Config
from coursemill.effects import workers
from coursemill.effects.grading import courses, gradebook, journal, returns
from coursemill.effects.grading.courses import Course, Worksheet
from coursemill.effects.grading.gradebook import Page, Row, Written
from coursemill.errors import CoursemillError, UsageError
from coursemill.pure import near
from coursemill.pure.grading import feedback as pages
from coursemill.pure.grading import pricing
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.standing import Mark
from coursemill.pure.grading.verdict import Verdict

INDEX = "index.html"
"""The page of all notebooks; beside it one a notebook, which is what nbgrader's exchange hands out."""
GRADED = ("test", "task", "written")
UNGRADED = "it has no result: grade the worksheet first"
Status = Literal["written", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    worksheet: str
    students: tuple[str, ...] = ()
    """All who handed something in, when there are none."""
    force: bool = False
    """Write pages also where they stand as they are."""
    rubrics: bool = False
    """Show model answers and rubrics of questions that are graded."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of a student's page."""

    student: str
    status: Status
    path: str = ""
    """Relative to the course's root."""
    score: float = 0.0
    points: float = 0.0
    pending: float = 0.0
    """Points that wait for a person."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a class's pages."""

    worksheet: str
    students: tuple[Returned, ...]

    @property
    def problems(self) -> tuple[Returned, ...]:
        return tuple(one for one in self.students if one.status == "failed")


class Watch(Protocol):
    """Who is told how it goes."""

    def begin(self, total: int) -> None: ...

    def end(self, returned: Returned) -> None: ...


def feedback(config: Config, request: Request, watch: Watch) -> Result:
    """Write the pages of a worksheet's students; those that stand there as they are stay.

    Raises CoursemillError when there is no such worksheet, or no gradebook that can be read.
    """
    desk = _desk(config, request)
    students = _students(desk)
    watch.begin(len(students))
    found: dict[int, Returned] = {}
    for number, returned in workers.share(lambda n: _return(desk, students[n]), len(students)):
        found[number] = returned
        watch.end(returned)
    return Result(request.worksheet, tuple(found[number] for number in range(len(students))))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all pages are made with."""

    config: Config
    request: Request
    course: Course
    worksheet: Worksheet
    written: Written


def _desk(config: Config, request: Request) -> _Desk:
    course = courses.course(config)
    worksheet = courses.worksheet(config, request.worksheet)
    book = gradebook.Book(course.db_url, course.id, course.settings)
    return _Desk(config, request, course, worksheet, gradebook.read(book, request.worksheet))


def _students(desk: _Desk) -> tuple[str, ...]:
    """Whose pages are asked for; raises CoursemillError for one whom nobody knows."""
    handed = {student for student, _, _ in desk.course.found("submitted", worksheet=desk.worksheet.name)}
    graded = {student for student, _ in desk.written.pages}
    known = sorted((handed | graded) - desk.course.excluded)
    for name in desk.request.students:
        if name not in known:
            fix = near.advice(name, known) or "`submitted/` and the gradebook know who has handed in"
            raise UsageError(f"`{name}` has handed in nothing for {desk.worksheet.name}", fix=fix)
    return tuple(dict.fromkeys(desk.request.students)) or tuple(known)


def _return(desk: _Desk, student: str) -> Returned:
    """Make and write a student's pages."""
    try:
        sheets = tuple(_sheets(desk, student))
        folder = desk.course.folder("feedback", student, desk.worksheet.name)
        root = desk.course.root
        if student in (".", "..") or "/" in student or not folder.is_relative_to(root):
            raise CoursemillError("this is no name of a folder", where=student)
        if not sheets:
            return Returned(student, "failed", reason=UNGRADED)
        sources = [desk.course.folder(step, student, desk.worksheet.name) for step in ("autograded", "submitted")]
        below = folder.relative_to(root).as_posix()
        made = _pages(desk, student, sheets)
        changed = returns.write(root, below, made, sources, force=desk.request.force)
    except CoursemillError as error:
        return Returned(student, "failed", reason=str(error))
    return Returned(
        student,
        "written" if changed else "unchanged",
        f"{below}/{INDEX}",
        score=sum(sheet.score for sheet in sheets),
        points=sum(sheet.points for sheet in sheets),
        pending=sum(sheet.pending for sheet in sheets),
    )


def _pages(desk: _Desk, student: str, sheets: Sequence[pages.Sheet]) -> dict[str, str]:
    """The student's pages by file name."""
    name = desk.written.names.get(student, "")
    options = pages.Options(rubrics=desk.request.rubrics)
    whole = pages.page(student, name, sheets, options)
    alone = len(sheets) == 1
    single = {
        f"{sheet.assignment.name}.html": whole if alone else pages.page(student, name, (sheet,), options)
        for sheet in sheets
    }
    return {**single, INDEX: whole}


def _sheets(desk: _Desk, student: str) -> Iterator[pages.Sheet]:
    """The student's notebooks that have been graded; nothing when one of them has not."""
    found = []
    for assignment in desk.worksheet.assignments:
        slot = journal.Slot(desk.worksheet.name, student, assignment.name)
        verdict = journal.whole(desk.config, slot)
        page = desk.written.pages.get((student, assignment.name))
        if verdict is None or page is None:
            return
        found.append(_sheet(assignment, verdict, page))
    yield from found


def _sheet(assignment: Assignment, verdict: Verdict, page: Page) -> pages.Sheet:
    marks = {item.id: _mark(item, page.rows) for item in assignment.items if item.role in GRADED}
    return pages.Sheet(assignment, pricing.priced(verdict, assignment), marks, page.comments, page.penalty)


def _mark(item: Item, rows: Mapping[str, Row]) -> Mark:
    """What the gradebook says of a cell; one that it does not know yet waits."""
    row = rows.get(item.id)
    if row is None:
        return Mark(item.points, pending=item.role != "test")
    return Mark(item.points, row.score, manual=row.manual, pending=row.pending)
