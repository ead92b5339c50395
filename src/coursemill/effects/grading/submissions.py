"""What students handed in: the notebooks, the other files that count, and when."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from coursemill.effects import quick
from coursemill.effects.grading import folders
from coursemill.effects.grading.courses import Course, Worksheet
from coursemill.errors import UsageError
from coursemill.pure import near
from coursemill.pure.grading import brought, membernames, moments
from coursemill.pure.grading.brought import NOTEBOOK, TIMESTAMP, Given
from coursemill.pure.grading.job import Handed
from coursemill.pure.grading.quotas import Quotas
from coursemill.pure.grading.verdict import Note

LONGEST_TIMESTAMP = 100
"""Characters."""


@dataclass(frozen=True, slots=True)
class Roll:
    """Who handed in a worksheet."""

    students: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    """Folder that is no student's → why."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a student handed in for a worksheet."""

    student: str
    notebooks: Mapping[str, bytes | None]
    """For each notebook of the worksheet; None: it was not handed in."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    timestamp: datetime | None = None
    """UTC, without a time zone, as nbgrader keeps it."""

    def handed(self, notebook: str) -> Handed:
        """What is graded for one notebook."""
        return Handed(self.student, self.notebooks.get(notebook), self.files, self.notes)


def roll(course: Course, worksheet: str, wanted: Iterable[str] = ()) -> Roll:
    """Find who handed in a worksheet, in order; `wanted` restricts it.

    Raises CoursemillError for a wanted student who handed in nothing.
    """
    names = [student for student, _, _ in course.found("submitted", worksheet=worksheet)]
    refused = {}
    for name in names:
        if not name.isprintable() or name != name.strip():
            refused[membernames.shown(name)] = "no student can have this id: rename the folder"
    there = [name for name in names if name.isprintable() and name == name.strip() and name not in course.excluded]
    chosen = list(dict.fromkeys(wanted))
    for name in chosen:
        if name not in there:
            where = f"{course.steps['submitted']}/"
            what = f"student `{membernames.shown(name)}` has handed in nothing for `{worksheet}`"
            raise UsageError(what, where=where, fix=near.advice(name, there) or "look at the folder's name")
    return Roll(tuple(name for name in there if not chosen or name in chosen), refused)


def handed(course: Course, worksheet: Worksheet, student: str, quotas: Quotas | None = None) -> Submission:
    """Read a student's submission; whatever stands in the folder, the answer is a value."""
    top, below = course.way("submitted", student, worksheet.name)
    given = Given(frozenset(worksheet.files), worksheet.editable, _libraries())
    taken = folders.read(top, below, _choice(given), quotas or Quotas())
    _drop_theirs(taken, worksheet)
    paths = [path for path in taken.files if path.endswith(NOTEBOOK)]
    found = brought.notebooks((one.name for one in worksheet.assignments), paths)
    for name, path in brought.unlike(found):
        taken.note(path, f"it is taken as `{name}`")
    for path in sorted(set(paths) - set(found.values())):
        taken.note(path, "it is left out: the worksheet has no notebook of this name")
    moment = _moment(taken)
    return Submission(
        student,
        {one.name: taken.files[found[one.name]] if one.name in found else None for one in worksheet.assignments},
        {path: data for path, data in taken.files.items() if not path.endswith(NOTEBOOK) and path != TIMESTAMP},
        tuple(taken.notes),
        moment,
    )


def _choice(given: Given) -> folders.Choice:
    def choose(path: tuple[str, ...]) -> str | None:
        if path[-1] == "":  # a folder: is it looked into?
            return None if path[-2].lower() in ("__pycache__", "node_modules", "__macosx", ".git") else ""
        if "/".join(path) in given.files:
            return ""  # students have a copy of it: it is compared
        if path[-1].endswith(NOTEBOOK):
            return None if membernames.is_junk(path) else ""
        if refusal := given.refusal(path):
            return refusal
        return None if membernames.is_junk(path) else ""

    return choose


def _drop_theirs(taken: folders.Taken, worksheet: Worksheet) -> None:
    """Take out copies of the instructor's files; one that was changed is noted."""
    for path in taken.files.keys() & worksheet.files.keys() - worksheet.editable:
        if taken.files.pop(path) != worksheet.files[path]:
            taken.note(path, "it was changed: the instructor's is used")


def _moment(taken: folders.Taken) -> datetime | None:
    """What `timestamp.txt` says, as nbgrader reads it."""
    text = taken.files.get(TIMESTAMP, b"").decode("utf-8", "replace").strip()
    if not text:
        return None
    if usual := moments.parse(text):  # to import nbgrader takes longer than to look through a whole class
        return usual.replace(tzinfo=None)
    with quick.imports():
        from nbgrader.utils import parse_utc

    try:
        moment = parse_utc(text) if len(text) <= LONGEST_TIMESTAMP else None
    except Exception:  # dateutil raises whatever it meets
        moment = None
    if not isinstance(moment, datetime):
        taken.note(TIMESTAMP, "it names no time, and does not count")
        return None
    return moment


@cache
def _libraries() -> frozenset[str]:
    """Names of the modules that are installed."""
    folders = (Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages")))
    names = (entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir())
    return frozenset({"coursemill", *brought.libraries(names)})
