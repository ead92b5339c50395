"""The rows that nbgrader's gradebook has for a worksheet: its notebooks and cells, and one of each for a student.

`nbgrader generate_assignment` refuses to change them once there are submissions. Here they follow `source/`, and
what people entered for a cell that is gone is set aside until it comes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursemill.errors import CoursemillError
from coursemill.pure.grading import autograded
from coursemill.pure.grading.assignment import Assignment, Item

Aside = dict[str, dict[str, Any]]
"""What people entered, by `student/notebook/cell`."""
COURSE = "default_course"
"""nbgrader's, where the settings name none."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell as the gradebook keeps it."""

    kind: str
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


def create(url: str, course: str) -> None:
    """Make the tables of a database that has none, all at once, with the mark that nbgrader's upgrades look for."""
    from nbgrader import api
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            if inspect(connection).has_table("course"):
                return
            if engine.dialect.name == "sqlite":
                connection.execute(text("BEGIN IMMEDIATE"))
            api.Base.metadata.create_all(connection)
            if not inspect(connection).has_table("alembic_version"):
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": _head()})
            connection.execute(api.Course.__table__.insert().values(id=course))
    finally:
        engine.dispose()


def find(session: Any, worksheet: str) -> Any:
    """The worksheet's row; None when the gradebook does not know it."""
    from nbgrader import api
    from sqlalchemy.orm import selectinload

    loaded = selectinload(api.Assignment.submissions).selectinload(api.SubmittedAssignment.notebooks)
    grades = loaded.selectinload(api.SubmittedNotebook.grades).joinedload(api.Grade.cell)
    comments = loaded.selectinload(api.SubmittedNotebook.comments).joinedload(api.Comment.cell)
    query = session.query(api.Assignment).filter(api.Assignment.name == worksheet)
    return query.options(grades, comments).one_or_none()


def students(session: Any) -> dict[str, Any]:
    """All students, by id."""
    from nbgrader.api import Student

    return {one.id: one for one in session.query(Student)}


def add_student(session: Any, name: str) -> Any:
    """A new student; raises CoursemillError for a name that the database cannot hold."""
    from nbgrader.api import Student

    most = Student.__table__.c.id.type.length
    if session.get_bind().dialect.name != "sqlite" and len(name) > most:
        raise CoursemillError(f"the student's id has more than {most} characters", where=name)
    student = Student(id=name)
    session.add(student)
    return student


def submit(session: Any, row: Any, student: Any, aside: Aside) -> Any:
    """A submission of the worksheet, with an empty grade and comment for each of its cells."""
    from nbgrader.api import SubmittedAssignment

    submission = SubmittedAssignment(assignment=row, student=student)
    session.add(submission)
    for notebook in row.notebooks:
        _complete(session, submission, notebook, aside)
    return submission


def update(session: Any, course: str, worksheet: str, assignments: Sequence[Assignment], aside: Aside) -> Any:
    """Make the worksheet's row and those below it match `assignments`; return it."""
    from nbgrader import api

    row = find(session, worksheet)
    if row is None:
        row = api.Assignment(name=worksheet, course_id=course)
        session.add(row)
    known = {notebook.name: notebook for notebook in row.notebooks}
    for name in known.keys() - {one.name for one in assignments}:
        _remove_notebook(session, known.pop(name), aside)
    for one in assignments:
        kernel = json.dumps(one.metadata.get("kernelspec", {}))
        if one.name not in known:
            known[one.name] = api.Notebook(name=one.name, assignment=row)
            session.add(known[one.name])
        known[one.name].kernelspec = kernel
        _update_cells(session, known[one.name], one, aside)
    session.flush()
    session.expire_all()  # what was deleted is still in lists that were loaded before
    row = find(session, worksheet)
    for submission in row.submissions:
        for notebook in row.notebooks:
            _complete(session, submission, notebook, aside)
    session.flush()
    return row


def _update_cells(session: Any, notebook: Any, assignment: Assignment, aside: Aside) -> None:
    """Make the rows of a notebook's cells match it."""
    from nbgrader import api

    kinds = {"GradeCell": api.GradeCell, "SolutionCell": api.SolutionCell, "TaskCell": api.TaskCell}
    wanted = {(cell.kind, cell.name): cell for item in assignment.items for cell in _cells(item)}
    there = {(cell.type, cell.name): cell for cell in notebook._base_cells}
    for key in there.keys() - wanted.keys():
        _remove_cell(session, there[key], aside)
    for key, cell in wanted.items():
        if key not in there:
            session.add(kinds[cell.kind](name=cell.name, notebook=notebook, **cell.values))
        else:
            _set(there[key], cell.values)
    sources = [(item.id, _source(item)) for item in assignment.items if _flags(item).labelled]
    old = {cell.name: cell for cell in notebook.source_cells}
    if [name for name, _ in sources] == list(old):
        for name, values in sources:
            _set(old[name], values)
        return
    # Stock nbgrader puts cells that a student has deleted back in the order of these rows.
    for cell in old.values():
        session.delete(cell)
    session.flush()
    for name, values in sources:
        session.add(api.SourceCell(name=name, notebook=notebook, **values))


def _complete(session: Any, submission: Any, notebook: Any, aside: Aside) -> None:
    """Give a submission what it lacks of a notebook: a page, grades, comments."""
    from nbgrader import api

    page = next((one for one in submission.notebooks if one.notebook is notebook), None)
    if page is None:
        page = api.SubmittedNotebook(notebook=notebook, assignment=submission)
        session.add(page)
    graded = {grade.cell for grade in page.grades}
    commented = {comment.cell for comment in page.comments}
    for cell in notebook._base_cells:
        if cell.type != "SolutionCell" and cell not in graded:
            session.add(api.Grade(cell=cell, notebook=page, **_restored(page, cell, aside, "grade")))
        if cell.type != "GradeCell" and cell not in commented:
            session.add(api.Comment(cell=cell, notebook=page, **_restored(page, cell, aside, "comment")))


def _remove_notebook(session: Any, notebook: Any, aside: Aside) -> None:
    for cell in list(notebook._base_cells):
        _remove_cell(session, cell, aside)
    for row in (*notebook.source_cells, *notebook.submissions):
        session.delete(row)
    session.flush()
    session.delete(notebook)


def _remove_cell(session: Any, cell: Any, aside: Aside) -> None:
    """Delete a cell with its grades and comments; what a person entered is set aside."""
    for grade in _rows(session, "Grade", cell):
        entered = {name: getattr(grade, name) for name in ("manual_score", "extra_credit")}
        if any(value is not None for value in entered.values()):
            aside.setdefault(_name(grade.notebook, cell), {})["grade"] = entered
        session.delete(grade)
    for comment in _rows(session, "Comment", cell):
        if comment.manual_comment:
            aside.setdefault(_name(comment.notebook, cell), {})["comment"] = {"manual_comment": comment.manual_comment}
        session.delete(comment)
    session.flush()
    session.delete(cell)


def _rows(session: Any, model: str, cell: Any) -> Iterator[Any]:
    from nbgrader import api

    kind = getattr(api, model)
    yield from session.query(kind).filter(kind.cell_id == cell.id).all()


def _restored(page: Any, cell: Any, aside: Aside, part: str) -> dict[str, Any]:
    """What a person had entered for a cell that was away."""
    name = _name(page, cell)
    found: dict[str, Any] = aside.get(name, {}).pop(part, {})
    if not aside.get(name, True):
        del aside[name]
    return found


def _name(page: Any, cell: Any) -> str:
    return f"{page.assignment.student.id}/{page.notebook.name}/{cell.name}"


@dataclass(frozen=True, slots=True)
class _Flags:
    """What nbgrader's metadata say of a cell."""

    grade: bool
    solution: bool
    task: bool
    locked: bool

    @property
    def labelled(self) -> bool:
        return self.grade or self.solution or self.task or self.locked


def _flags(item: Item) -> _Flags:
    grading = item.metadata.get("nbgrader", {})
    return _Flags(*(bool(grading.get(name)) for name in ("grade", "solution", "task", "locked")))


def _cells(item: Item) -> Iterator[_Cell]:
    """The rows of an item, as nbgrader's SaveCells makes them."""
    flags = _flags(item)
    graded = {"max_score": item.points, "cell_type": item.type}
    if flags.grade:
        yield _Cell("GradeCell", item.id, graded)
    if flags.solution:
        yield _Cell("SolutionCell", item.id)
    if flags.task:
        yield _Cell("TaskCell", item.id, graded)


def _source(item: Item) -> dict[str, Any]:
    """The row by which stock nbgrader restores a cell: without solution, with hidden tests."""
    flags = _flags(item)
    source = item.released if flags.solution else item.source
    return {
        "cell_type": item.type,
        "locked": not flags.solution and (flags.grade or flags.locked),
        "source": source,
        "checksum": autograded.checksum(source, item.type, {**item.metadata["nbgrader"], "points": item.points}),
    }


def _set(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _head() -> str:
    """The newest version of nbgrader's tables."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())
