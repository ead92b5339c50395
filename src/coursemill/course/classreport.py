"""What a class's results show, from the journal and the gradebook: a page, plain data, files for an LMS."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from coursemill.config import Config
from coursemill.course.foreseen import foreseen
from coursemill.effects import store
from coursemill.effects.grading import courses, gradebook, journal, members
from coursemill.effects.grading.courses import Course, Worksheet
from coursemill.effects.grading.gradebook import Book, Written
from coursemill.errors import CoursemillError
from coursemill.pure.grading import answers, classpage, exercises, flags, lms, statistics
from coursemill.pure.grading.answers import Declared
from coursemill.pure.grading.classpage import ClassReport, Row
from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.lms import Export, Format, Grade
from coursemill.pure.grading.papers import Paper
from coursemill.pure.grading.verdict import Verdict

REPORTS = "reports"


def report(config: Config, worksheet: str, *, anonymous: bool = False) -> ClassReport:
    """Work out what the last results of a worksheet show.

    Raises CoursemillError when there is no such worksheet, when nobody's work is graded, or when the gradebook cannot
    be read.
    """
    desk = _desk(config, worksheet)
    papers = list(_papers(desk))
    if not any(paper.verdicts for paper in papers):
        raise CoursemillError(f"nobody's work on {worksheet} is graded yet", fix=f"run `coursemill grade {worksheet}`")
    if anonymous:
        papers = _numbered(papers, worksheet)
    known = foreseen(config, worksheet, desk.exercises)
    found = statistics.of(desk.exercises, papers, known.wrong)
    told = flags.flags(papers, _instructor(desk.worksheet, known.wrong))
    number = Counter(student for flag in told for student in flag.students)
    rows = [_row(desk, paper, found.totals.get(paper.student), number[paper.student]) for paper in papers]
    if anonymous:
        rows = [replace(row, links={}) for row in rows]
    made = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    ungraded = tuple(sorted(desk.handed - {p.student for p in papers if p.verdicts})) if not anonymous else ()
    return ClassReport(worksheet, made, found, told, tuple(rows), anonymous, ungraded)


def write_page(config: Config, made: ClassReport, file: Path | None = None) -> Path:
    """Write the HTML page, by default to `build/reports/class-<worksheet>.html`; return where."""
    file = file or config.path(config.build, REPORTS, f"class-{made.worksheet}.html")
    start = file.resolve().parent
    links = {path: _address(config.path(path), start) for row in made.rows for path in row.links.values()}
    store.write(start, file.name, classpage.page(made, links).encode("utf-8", "replace"))
    return file


def export(config: Config, made: ClassReport, form: Format, roster: Path | None = None) -> Export:
    """The grades for an LMS; `roster` is what the LMS exported. Who has parts to grade has no grade there yet.

    Raises CoursemillError for a roster that cannot be used.
    """
    known = members.members(_book(courses.course(config)), made.worksheet)
    grades = [
        _grade(row, made.statistics.points, known.get(row.student, members.Member()), final=form != "nbgrader")
        for row in made.rows
    ]
    try:
        text = roster.read_text(encoding="utf-8-sig") if roster else None
    except (OSError, UnicodeDecodeError) as error:
        raise CoursemillError(f"it cannot be read: {error}", where=str(roster), fix="save it as UTF-8") from error
    found = lms.export(form, made.worksheet, grades, text)
    waiting = sum(bool(row.pending) for row in made.rows)
    if waiting and form != "nbgrader":
        who = "1 student has" if waiting == 1 else f"{waiting} students have"
        found = replace(found, notes=(*found.notes, f"{who} answers that a person has yet to grade: left empty"))
    return found


def write_export(found: Export, file: Path) -> None:
    """Write an export's text."""
    store.write(file.resolve().parent, file.name, found.text.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a report is made of."""

    config: Config
    course: Course
    worksheet: Worksheet
    exercises: tuple[Exercise, ...]
    written: Written
    handed: frozenset[str]
    """Students who have a folder in `submitted/`."""


def _desk(config: Config, name: str) -> _Desk:
    course = courses.course(config)
    worksheet = courses.worksheet(config, name)
    tasks = tuple(task for assignment in worksheet.assignments for task in exercises.of(assignment))
    handed = frozenset(student for student, _, _ in course.found("submitted", worksheet=name)) - course.excluded
    return _Desk(config, course, worksheet, tasks, gradebook.read(_book(course), name), handed)


def _book(course: Course) -> Book:
    return Book(course.db_url, course.id, course.settings)


def _papers(desk: _Desk) -> Iterator[Paper]:
    """Everybody's work, by student; who is in no list and has no folder any more is forgotten."""
    verdicts: dict[str, list[Verdict]] = {}
    notebooks = {assignment.name for assignment in desk.worksheet.assignments}
    for verdict in journal.verdicts(desk.config, desk.worksheet.name):
        if verdict.notebook in notebooks:
            verdicts.setdefault(verdict.student, []).append(_slim(verdict))
    known = (desk.handed | set(desk.written.students)) - desk.course.excluded
    for student in sorted(known):
        pages = {name: desk.written.pages.get((student, name)) for name in sorted(notebooks)}
        marks = {
            f"{name}/{cell}": row.score
            for name, page in pages.items()
            if page
            for cell, row in page.rows.items()
            if row.score is not None and not row.pending
        }
        penalty = sum(page.penalty for page in pages.values() if page)
        graded = tuple(verdicts.get(student, ()))
        yield Paper(student, desk.written.names.get(student, ""), graded, marks if graded else {}, penalty)


def _slim(verdict: Verdict) -> Verdict:
    """A verdict without outputs, which may be large."""
    cells = [
        {
            "cell_type": "code",
            "source": str(cell.get("source", "")),
            "metadata": {"nbgrader": _graded(cell)},
            "outputs": [],
        }
        for cell in verdict.autograded.get("cells", ())
        if cell.get("cell_type") == "code"
    ]
    return replace(verdict, autograded={"cells": cells})


def _graded(cell: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Mapping[str, str]:
    name = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "")
    return {"grade_id": name} if name else {}


def _numbered(papers: Sequence[Paper], worksheet: str) -> list[Paper]:
    """The same of students without names, in an order that says nothing; their ids are taken out of what is told."""
    order = sorted(papers, key=lambda p: hashlib.sha256(f"{worksheet}\0{p.student}".encode()).digest())
    return [_nameless(paper, f"Student {number}") for number, paper in enumerate(order, start=1)]


def _nameless(paper: Paper, number: str) -> Paper:
    def told(text: str) -> str:
        for known in (paper.student, paper.name):
            text = text.replace(known, number) if known else text
        return text

    verdicts = [
        replace(
            verdict,
            student=number,
            trouble=told(verdict.trouble),
            notes=tuple(replace(note, text=told(note.text)) for note in verdict.notes),
            autograded={
                "cells": [cell | {"source": told(answers.bare(cell["source"]))} for cell in verdict.autograded["cells"]]
            },
        )
        for verdict in paper.verdicts
    ]
    return replace(paper, student=number, name="", verdicts=tuple(verdicts))


def _instructor(worksheet: Worksheet, wrong: Mapping[str, Sequence[Declared]]) -> list[str]:
    """All code that students did not think up themselves."""
    items = [item for assignment in worksheet.assignments for item in assignment.items if item.type == "code"]
    foreseen_sources = [source for several in wrong.values() for one in several for source in one.sources]
    files = [data.decode("utf-8", "replace") for path, data in worksheet.files.items() if path.endswith(".py")]
    return [*(item.source for item in items), *(item.released for item in items), *foreseen_sources, *files]


def _row(desk: _Desk, paper: Paper, score: float | None, flagged: int) -> Row:
    return Row(
        student=paper.student,
        name=paper.name,
        score=score,
        pending=paper.pending(desk.exercises) if paper.handed else 0,
        outcomes=dict(Counter(str(outcome.status) for _, outcome in paper.outcomes())),
        seconds=sum(verdict.seconds for verdict in paper.verdicts),
        flags=flagged,
        links=dict(_links(desk, paper.student)),
        penalty=paper.penalty,
    )


def _links(desk: _Desk, student: str) -> Iterator[tuple[str, str]]:
    """Pages about a student that there are, relative to the course."""
    root = desk.config.root
    if not student or "/" in student or student in (".", ".."):
        return
    feedback = desk.course.folder("feedback", student, desk.worksheet.name) / "index.html"
    if feedback.is_file() and feedback.is_relative_to(root):
        yield "feedback", feedback.relative_to(root).as_posix()
    for assignment in desk.worksheet.assignments:
        file = desk.course.folder("autograded", student, desk.worksheet.name) / f"{assignment.name}.ipynb"
        if file.is_file() and file.is_relative_to(root):
            yield assignment.name, file.relative_to(root).as_posix()


def _grade(row: Row, points: float, person: members.Member, *, final: bool) -> Grade:
    """What is exported; a `final` grade is none while a person has to grade a part."""
    score = None if final and row.pending else row.score
    return Grade(
        student=row.student,
        score=score,
        points=points,
        first=person.first,
        last=person.last,
        email=person.email,
        lms=person.lms,
        penalty=row.penalty,
        handed=person.handed,
    )


def _address(path: Path, start: Path) -> str:
    """A link from a page in `start`."""
    return quote(PurePosixPath(os.path.relpath(path.resolve(), start)).as_posix())
