"""Grades as files that Canvas, Moodle and nbgrader's readers take.

Canvas: https://community.canvaslms.com/t5/Instructor-Guide/How-do-I-import-grades-in-the-Gradebook/ta-p/807 and its
importer (`lib/gradebook_importer.rb`): Student, ID, SIS User ID, SIS Login ID, Section, then assignments as
`title (id)`; a row whose first cell holds "Points Possible"; an empty cell changes nothing. Moodle:
https://docs.moodle.org/en/Grade_import (columns are mapped by hand) and the assignment's own grading worksheet
(`mod/assign/feedback/offline`: it reads Identifier, Grade and "Last modified (grade)", and skips impossible grades).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from coursemill.errors import CoursemillError

Format = Literal["canvas", "moodle", "nbgrader"]
IDENTITY = {"Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account"}
"""Columns of a Canvas export that say who somebody is; `Section` ends them."""
POINTS = "    Points Possible"
MOODLE_NAMES = ("Identifier", "Username", "ID number", "Email address", "Full name", "First name", "Last name")
FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet takes for a formula's beginning: https://owasp.org/www-community/attacks/CSV_Injection"""
NBGRADER = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)
"""The columns of `nbgrader export`."""
_TITLE = re.compile(r"(?P<title>.*?)\s*(?:\(\d+\))?")


@dataclass(frozen=True, slots=True)
class Grade:
    """A student's grade in a worksheet."""

    student: str
    score: float | None
    """None: there is none yet."""
    points: float
    first: str = ""
    last: str = ""
    email: str = ""
    lms: str = ""
    """The student's id in the LMS, as nbgrader's gradebook has it."""
    penalty: float = 0.0
    handed: str = ""
    """When it was handed in, where that is known."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file's text, and what to know of it."""

    text: str
    notes: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    """Students who are not in the list that the LMS gave."""


def export(form: Format, worksheet: str, grades: Sequence[Grade], roster: str | None = None) -> Export:
    """Write `grades` for an LMS; `roster` is what the LMS itself exported, whose ids and rows are then used.

    Raises CoursemillError for a roster that is none.
    """
    if form == "nbgrader":
        return Export(_text([NBGRADER, *(_nbgrader(worksheet, grade) for grade in grades)]))
    if roster is None:
        rows = _canvas(worksheet, grades) if form == "canvas" else _moodle(worksheet, grades)
        return Export(_text(rows))
    read = _read(roster)
    return _into_canvas(worksheet, grades, read) if form == "canvas" else _into_moodle(worksheet, grades, read)


def guarded(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula."""
    start = text.lstrip(" \u00a0\ufeff")
    return f"'{text}" if len(start) > 1 and start[0] in FORMULA else text


def number(value: float | None) -> str:
    """Write points with a point, without thousands and without needless zeros, whatever the locale."""
    return "" if value is None else f"{value + 0.0:.2f}".rstrip("0").rstrip(".")


def _canvas(worksheet: str, grades: Iterable[Grade]) -> Iterator[Sequence[str]]:
    grades = list(grades)
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", worksheet]
    yield [POINTS, "", "", "", "", number(max((grade.points for grade in grades), default=0.0))]
    for grade in grades:
        name = ", ".join(part for part in (grade.last, grade.first) if part) or grade.student
        lms = grade.lms if grade.lms.isdigit() else ""
        yield [name, lms, "", grade.student, "", number(grade.score)]


def _moodle(worksheet: str, grades: Iterable[Grade]) -> Iterator[Sequence[str]]:
    yield ["Username", "First name", "Last name", "ID number", "Email address", worksheet]
    for grade in grades:
        yield [grade.student, grade.first, grade.last, grade.lms, grade.email, number(grade.score)]


def _nbgrader(worksheet: str, grade: Grade) -> Sequence[str]:
    score = grade.score or 0.0
    return [
        worksheet,
        "",
        grade.handed,
        grade.student,
        grade.last,
        grade.first,
        grade.email,
        number(score + grade.penalty),
        number(grade.penalty),
        number(score),
        number(grade.points),
    ]


def _into_canvas(worksheet: str, grades: Sequence[Grade], rows: list[list[str]]) -> Export:
    header = rows[0]
    if not header[0].startswith(("Student", "LastName")) or "ID" not in header:
        raise _no_roster("Canvas", "Gradebook → Export → Export Entire Gradebook", "columns Student and ID")
    end = header.index("Section") + 1 if "Section" in header else sum(name in IDENTITY for name in header)
    column = next((n for n, name in enumerate(header) if n >= end and _same_title(name, worksheet)), None)
    possible = next((row for row in rows if row[0].strip() == POINTS.strip()), None)
    limit = _float(possible[column]) if possible and column is not None else None
    students = [row for row in rows[1:] if row is not possible and any(cell.strip() for cell in row[:end])]
    identity = [n for n in range(end) if header[n] != "Section"]
    matches, unmatched = _matched(grades, [[row[n] for n in identity] for row in students])
    points = max((grade.points for grade in grades), default=0.0)
    notes = (
        [] if column is not None else [f"the export has no column `{worksheet}`: Canvas will ask what to make of it"]
    )
    notes += _scaled_note(points, limit)
    made = [[*header[:end], header[column] if column is not None else worksheet]]
    made.append([POINTS, *[""] * (end - 1), number(points if limit is None else limit)])
    made += [[*row[:end], _scaled(matches.get(n), limit)] for n, row in enumerate(students)]
    return Export(_text(made), tuple(notes), unmatched)


def _into_moodle(worksheet: str, grades: Sequence[Grade], rows: list[list[str]]) -> Export:
    header = rows[0]
    names = [n for n, name in enumerate(header) if name in MOODLE_NAMES]
    if not names:
        where = "the assignment → View all submissions → Download grading worksheet, with Moodle in English"
        raise _no_roster("Moodle", where, f"one of the columns {', '.join(MOODLE_NAMES)}")
    students = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    matches, unmatched = _matched(grades, [[row[n] for n in names] for row in students])
    points = max((grade.points for grade in grades), default=0.0)
    if "Identifier" in header and "Grade" in header:  # a grading worksheet
        most = header.index("Maximum Grade") if "Maximum Grade" in header else None
        limits = [_float(row[most]) if most is not None else None for row in students]
        column = header.index("Grade")
        keep = [n for n, name in enumerate(header) if not name.startswith("Feedback")]
        for n, row in enumerate(students):
            row[column] = _scaled(matches[n], limits[n]) if n in matches else row[column]
        made = [[header[n] for n in keep], *([row[n] for n in keep] for row in students)]
        return Export(_text(made), tuple(_scaled_note(points, next(iter(limits), None))), unmatched)
    made = [[*(header[n] for n in names), worksheet]]
    made += [[*(row[n] for n in names), _scaled(matches.get(k), None)] for k, row in enumerate(students)]
    return Export(_text(made), (), unmatched)


def _scaled(grade: Grade | None, limit: float | None) -> str:
    """A grade of a worksheet, in the points that the LMS counts in."""
    if grade is None or grade.score is None:
        return ""
    return number(grade.score * limit / grade.points if limit and grade.points else grade.score)


def _scaled_note(points: float, limit: float | None) -> list[str]:
    if not limit or abs(limit - points) < 1e-9:
        return []
    return [f"the LMS counts to {number(limit)}, the worksheet to {number(points)}: grades are scaled"]


def _matched(grades: Iterable[Grade], rows: Sequence[Sequence[str]]) -> tuple[dict[int, Grade], tuple[str, ...]]:
    """Number of a row → the grade of the same student, and those who have no row; what is ambiguous fits nobody."""
    exact = _index((cell.strip().casefold(), n) for n, row in enumerate(rows) for cell in row)
    loose = _index((key, n) for n, row in enumerate(rows) for key in _keys(row))
    found: dict[int, Grade] = {}
    unmatched = []
    for grade in grades:
        ids = [text.strip().casefold() for text in (grade.lms, grade.student, grade.email) if text.strip()]
        names = _keys([grade.student, grade.email, f"{grade.last}, {grade.first}" if grade.last else ""])
        rows_found = [exact[text] for text in ids if text in exact] or [loose[key] for key in names if key in loose]
        if rows_found and rows_found[0] not in found:
            found[rows_found[0]] = grade
        else:
            unmatched.append(grade.student)
    return found, tuple(unmatched)


def _index(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Text → the one row that has it."""
    rows: dict[str, set[int]] = {}
    for text, n in pairs:
        if text:
            rows.setdefault(text, set()).add(n)
    return {text: next(iter(found)) for text, found in rows.items() if len(found) == 1}


def _keys(cells: Sequence[str]) -> list[str]:
    """What else stands for a person: a name without spaces in either order, an address' part before the @, a number."""
    found = []
    for cell in cells:
        text = cell.strip().casefold()
        parts = [_squeezed(part) for part in text.split(",")]
        found += [_squeezed(text), "".join(reversed(parts)), "".join(parts)]
        if "@" in text:
            found.append(_squeezed(text.partition("@")[0]))
        if number := re.fullmatch(r"participant\s*(\d+)", text):
            found.append(number[1])
    names = [_squeezed(cell) for cell in cells if "@" not in cell and not any(map(str.isdigit, cell))]
    found += ["".join(names), "".join(reversed(names))] if len(names) > 1 else []
    return [key for key in dict.fromkeys(found) if key]


def _squeezed(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _same_title(header: str, worksheet: str) -> bool:
    found = _TITLE.fullmatch(header)
    return bool(found) and _squeezed(found["title"] if found else "") == _squeezed(worksheet)


def _read(text: str) -> list[list[str]]:
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as error:
        raise CoursemillError(f"the list of students cannot be read: {error}") from error
    if not rows:
        raise CoursemillError("the list of students is empty")
    width = max(map(len, rows))
    return [
        [cell.strip() if n == 0 else cell for cell in row] + [""] * (width - len(row)) for n, row in enumerate(rows)
    ]


def _no_roster(lms: str, where: str, wanted: str) -> CoursemillError:
    return CoursemillError(
        f"the list of students is no export of {lms}: it lacks {wanted}", fix=f"download it: {where}"
    )


def _float(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _text(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()
