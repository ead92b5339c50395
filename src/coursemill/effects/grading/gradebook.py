"""nbgrader's gradebook, written by one process in one transaction, with nbgrader's own models.

It is left as stock `nbgrader autograde` would leave it; what people have entered is kept, and nobody is asked again
to grade what has not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from coursemill.effects import quick
from coursemill.effects.grading import cells
from coursemill.errors import CoursemillError
from coursemill.pure.grading import seen
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.verdict import Outcome, Verdict

PATIENCE = 30
"""Seconds to wait for another program that writes."""
NO_RESPONSE = "No response."
"""nbgrader's comment on an answer that is as it was released."""
KEPT = "no result is lost: grade again, and nothing is run twice"
TROUBLES = {
    "locked": ("another program has been writing to it for {patience} s", "close what writes to it"),
    "lock timeout": ("another program has been writing to it for {patience} s", "close what writes to it"),
    "readonly": ("it cannot be written", "look at the permissions of the file and its folder"),
    "disk is full": ("there is no room on its disk", "make room"),
    "disk i/o": ("its disk cannot be written", "make room on the disk, or in your quota"),
    "no such column": ("an older nbgrader made it", "keep a copy, and run `nbgrader db upgrade`"),
    "not a database": ("it is damaged", "put a copy of it back in its place"),
    "malformed": ("it is damaged", "put a copy of it back in its place"),
    "unable to open": ("it cannot be opened", "look at the permissions of its folder"),
}
"""What databases say → what it means, and what to do."""


@dataclass(frozen=True, slots=True)
class Book:
    """Where the grades are."""

    url: str
    course: str = ""
    """nbgrader's course_id."""
    settings: Any = None
    """nbgrader's, as traitlets' Config: for the plugin that says what being late costs."""
    patience: int = field(default_factory=lambda: PATIENCE)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written of one student."""

    student: str
    verdicts: tuple[Verdict, ...]
    """One for each of the worksheet's notebooks."""
    timestamp: datetime | None = None
    """When it was handed in, UTC without a time zone; None: leave what stands there."""
    absent: frozenset[str] = frozenset()
    """Notebooks that were not handed in."""
    same: Callable[[str, str], bool] = lambda _notebook, _answer: False
    """Whether an answer (or `seen.ALL`) in a notebook is what the person saw who graded it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A cell's grade, as it stands in the gradebook."""

    score: float | None
    manual: bool
    pending: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A notebook's grades."""

    rows: Mapping[str, Row]
    penalty: float = 0.0
    comments: Mapping[str, str] = field(default_factory=dict)
    """What people wrote, by cell."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the gradebook says now."""

    pages: Mapping[tuple[str, str], Page]
    """By student and notebook."""
    students: tuple[str, ...]
    """All that the gradebook knows, also those who handed in nothing."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Student → first and last name, of those that the gradebook has one of."""


def write(
    book: Book,
    worksheet: str,
    assignments: Sequence[Assignment],
    entries: Sequence[Entry],
    aside: cells.Aside,
    keep: Callable[[cells.Aside], object],
) -> Written:
    """Bring the worksheet's cells up to date and write the grades, all of it or nothing.

    `aside` is what people entered for cells that were removed since; `keep` is called with what it is now, before
    anything is written. Raises CoursemillError when the gradebook cannot be written.
    """
    with _session(book, writes=True) as session:
        row = cells.update(session, book.course or cells.COURSE, worksheet, assignments, aside)
        roles = {(a.name, item.id): item.role for a in assignments for item in a.items}
        penalties = _Penalties(book.settings)
        submitted = {one.student_id: one for one in row.submissions}
        known = cells.students(session)
        for entry in entries:
            if entry.student not in known:
                known[entry.student] = cells.add_student(session, entry.student)
            if entry.student not in submitted:
                submitted[entry.student] = cells.submit(session, row, known[entry.student], aside)
            one = submitted[entry.student]
            if entry.timestamp is not None:
                one.timestamp = entry.timestamp
            for verdict in entry.verdicts:
                page = next(nb for nb in one.notebooks if nb.notebook.name == verdict.notebook)
                if verdict.notebook in entry.absent:
                    _nothing(page)
                else:
                    _grade(page, verdict, roles, entry.same)
                    page.late_submission_penalty = penalties.of(one, page)
        session.flush()
        keep(aside)
        return Written(_pages(row), tuple(sorted(known)), _names(known))


def read(book: Book, worksheet: str) -> Written:
    """What the gradebook says of a worksheet; nothing where it does not know it. Raises CoursemillError."""
    if (file := database(book)) and not file.exists():
        return Written({}, ())
    with _session(book) as session:
        row = cells.find(session, worksheet)
        known = cells.students(session)
        return Written(_pages(row) if row else {}, tuple(sorted(known)), _names(known))


def preload() -> None:
    """Import what writing takes, which is two seconds, while others work."""
    with quick.imports():
        import nbgrader.api
        import nbgrader.preprocessors  # noqa: F401 - for later


def _grade(page: Any, verdict: Verdict, roles: Mapping[tuple[str, str], str], same: Callable[[str, str], bool]) -> None:
    """Set what autograding sets: automatic scores, automatic comments, and whether a person is to look."""
    outcomes = {outcome.test: outcome for outcome in verdict.outcomes}
    for grade in page.grades:
        name = grade.cell.name
        role = roles[verdict.notebook, name]
        auto = _automatic(role, name, verdict, outcomes)
        if grade.manual_score is None:
            grade.needs_manual_grade = auto is None
        elif grade.auto_score != auto or not same(verdict.notebook, name if role == "written" else seen.ALL):
            grade.needs_manual_grade = True
        grade.auto_score = auto
    for comment in page.comments:
        name = comment.cell.name
        silent = name in verdict.unanswered and roles[verdict.notebook, name] != "task"
        comment.auto_comment = NO_RESPONSE if silent else None


def _nothing(page: Any) -> None:
    """A notebook that was not handed in: 0 points for all of it, and nothing to look at."""
    for grade in page.grades:
        grade.auto_score, grade.needs_manual_grade = 0.0, False
    for comment in page.comments:
        comment.auto_comment = None
    page.late_submission_penalty = None


def _automatic(role: str, name: str, verdict: Verdict, outcomes: Mapping[str, Outcome]) -> float | None:
    """The automatic score; None where a person has to give one."""
    if role == "test":
        return outcomes[name].score
    return 0.0 if role == "written" and name in verdict.unanswered else None


class _Penalties:
    """What being late costs, as nbgrader's plugin says."""

    def __init__(self, settings: Any) -> None:
        from nbgrader.preprocessors import AssignLatePenalties

        self.preprocessor = AssignLatePenalties(config=settings) if settings is not None else AssignLatePenalties()

    def of(self, submission: Any, page: Any) -> float | None:
        """The points that a notebook loses; None for one in time."""
        late = submission.total_seconds_late if submission.assignment.duedate is not None else 0
        if not late > 0:
            return None
        score = sum(_score(grade) or 0.0 for grade in page.grades)
        try:
            self.preprocessor.init_plugin()
            penalty = self.preprocessor.plugin_inst.late_submission_penalty(submission.student_id, score, late)
            if penalty is None:
                return None
            return float(self.preprocessor._check_late_penalty(SimpleNamespace(score=score), penalty))
        except Exception as error:  # whatever the course's own plugin does
            name = type(self.preprocessor.plugin_inst).__name__
            raise CoursemillError(
                f"{name} failed: {type(error).__name__}: {error}", where="nbgrader_config.py"
            ) from error


def _pages(row: Any) -> dict[tuple[str, str], Page]:
    return {
        (one.student_id, page.notebook.name): Page(
            {g.cell.name: Row(_score(g), g.manual_score is not None, bool(g.needs_manual_grade)) for g in page.grades},
            page.late_submission_penalty or 0.0,
            {c.cell.name: c.manual_comment for c in page.comments if c.manual_comment},
        )
        for one in row.submissions
        for page in one.notebooks
    }


def _names(known: Mapping[str, Any]) -> dict[str, str]:
    named = {name: " ".join(filter(None, (one.first_name, one.last_name))).strip() for name, one in known.items()}
    return {name: full for name, full in named.items() if full}


def _score(grade: Any) -> float | None:
    """As nbgrader's `Grade.score`, but None where nobody gave one."""
    given = grade.auto_score if grade.manual_score is None else grade.manual_score
    if given is None:
        return None
    return float(given + (grade.extra_credit or 0.0))


def database(book: Book) -> Path | None:
    """The file of an SQLite gradebook; None for others."""
    kind, found, rest = book.url.partition(":///")
    return Path(rest.partition("?")[0]) if found and kind.partition("+")[0] == "sqlite" and rest else None


@contextmanager
def _session(book: Book, *, writes: bool = False) -> Iterator[Any]:
    """A session; if it `writes`, it alone may meanwhile, and its work is committed at the end, or leaves nothing."""
    with quick.imports():
        import sqlalchemy
        from nbgrader.api import Gradebook
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import SQLAlchemyError

    try:
        url = make_url(book.url)
        if url.get_backend_name() == "sqlite":
            url = url.update_query_dict({"timeout": str(book.patience)})
        else:
            url = url.update_query_dict({"connect_timeout": str(book.patience)})
        full = url.render_as_string(hide_password=False)
        course = book.course or cells.COURSE
        cells.create(full, course)
        with Gradebook(full, course) as gradebook:
            session = gradebook.db
            if url.get_backend_name() != "sqlite":
                session.execute(sqlalchemy.text(f"SET LOCAL lock_timeout = '{int(book.patience)}s'"))
            elif writes:
                session.execute(sqlalchemy.text("BEGIN IMMEDIATE"))
            with session.no_autoflush:
                yield session
            if writes:
                session.commit()
    except SQLAlchemyError as error:
        raise _explained(error, book) from error
    except ModuleNotFoundError as error:
        fix = "install the driver: pip install 'coursemill[postgres]'"
        raise CoursemillError(f"there is no driver for this database: {error}", where=_shown(book), fix=fix) from error


def _explained(error: Exception, book: Book) -> CoursemillError:
    said = str(getattr(error, "orig", None) or error)
    for words, (what, fix) in TROUBLES.items():
        if words in said.lower():
            said = f"the gradebook was not changed: {what.format(patience=book.patience)}"
            return CoursemillError(said, where=_shown(book), fix=f"{fix}; {KEPT}")
    first = " ".join(said.split())[:300]
    return CoursemillError(f"the gradebook was not changed: {first}", where=_shown(book), fix=KEPT)


def _shown(book: Book) -> str:
    """The address without a password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(book.url)
    except ArgumentError:
        return "c.CourseDirectory.db_url"
    return url.database or str(url) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
