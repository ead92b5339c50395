"""From the journal to what an instructor sees: gradebook, `autograded/`, and an account of what is other than before.

The gradebook is written first, in one transaction, then the files, then what is remembered of both. Whoever is stopped
on the way does it all again the next time; nothing is run for that.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coursemill.config import Config
from coursemill.effects import store
from coursemill.effects.grading import autogrades, gradebook, journal, submissions
from coursemill.effects.grading.autogrades import Stamp
from coursemill.effects.grading.courses import Course, Worksheet
from coursemill.effects.grading.gradebook import Book, Entry, Page, Written
from coursemill.effects.grading.journal import Slot, State, Trouble
from coursemill.effects.grading.submissions import Submission
from coursemill.errors import CoursemillError
from coursemill.pure.grading import account, pricing, seen
from coursemill.pure.grading.account import Regrade
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.standing import Basis, Mark, Sheet, Standing
from coursemill.pure.grading.verdict import Note, Verdict

ASIDE = "set-aside.json"
ACCOUNTS = 50
"""Accounts of regrades that are kept."""
MINE = "timestamp.txt"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one notebook."""

    verdict: Verdict
    """Without its notebook, if it is in the journal."""
    basis: Basis
    key: str = ""
    """Of its record; empty: it has none, and is tried again the next time."""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """What came of a student's submission."""

    student: str
    files: str
    """Digest of the files that it brought, and of its time."""
    timestamp: datetime | None
    absent: frozenset[str]
    results: dict[str, Result]
    """By notebook."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was written, and what of it is news."""

    standings: Mapping[str, Standing]
    regrades: tuple[Regrade, ...] = ()
    known: tuple[str, ...] = ()
    """Students that the gradebook knows."""
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is written."""

    config: Config
    course: Course
    worksheet: Worksheet

    @property
    def book(self) -> Book:
        return Book(self.course.db_url, self.course.id, self.course.settings)

    def folder(self, student: str) -> Path:
        """Where the student's files in `autograded/` are."""
        return self.course.folder("autograded", student, self.worksheet.name)


def publish(
    place: Place, papers: Sequence[Paper], troubles: Mapping[str, tuple[Trouble, ...]], *, everybody: bool = True
) -> Published:
    """Write what differs from what was written last; `everybody`: the papers are all that there are.

    `troubles` are those of notebooks whose solution has been run anew; of others they are as before. Raises
    CoursemillError when something cannot be written: what stands there is whole, and the next time completes it.
    """
    name = place.worksheet.name
    state = journal.recall(place.config, name)
    shape = _shape(place)
    made_of = {paper.student: _made_of(shape, paper) for paper in papers}
    file = gradebook.database(place.book)
    untouched = file is not None and _settled(file) and state.book == autogrades.stamp(file)
    due = [one for one in papers if not untouched or not _stands(place, one, made_of[one.student], state)]
    faulty = {one.name: troubles.get(one.name, state.troubles.get(one.name, ())) for one in place.worksheet.assignments}
    if not due and untouched and state.shape == shape and faulty == dict(state.troubles):
        return Published(state.standings, (), state.known, tuple(itertools.chain(*faulty.values())))
    store.sweep(place.config.path(place.config.build, journal.FOLDER, name))
    written = _write_book(place, due)
    standings = {**state.standings, **{one.student: _standing(place, one, written) for one in due}}
    standings = {student: _refreshed(standing, written) for student, standing in standings.items()}
    files = {**state.files}
    for one in due:
        files[one.student] = _write_files(place, one, state.files.get(one.student, {}))
    stamp = autogrades.stamp(file) if file is not None and (everybody or untouched) else ()
    regrades = account.account(state.standings, (standings[one.student] for one in due))
    kept = {one.student: made_of[one.student] for one in due if all(r.key for r in one.results.values())}
    told = (*state.accounts, *_told(regrades))[-ACCOUNTS:]
    after = State(standings, {**state.made_of, **kept}, files, stamp, told, written.students, shape, faulty)
    journal.remember(place.config, name, after)
    return Published(standings, regrades, written.students, tuple(itertools.chain(*faulty.values())))


def _write_book(place: Place, due: Sequence[Paper]) -> Written:
    folder, path = place.config.path(place.config.build), f"{journal.FOLDER}/{place.worksheet.name}/{ASIDE}"
    aside = store.recall(folder / path)
    before = json.dumps(aside)

    def keep(now: Mapping[str, object]) -> None:
        if json.dumps(now) != before:
            store.remember(folder, path, now, "grade")

    entries = [_entry(place, paper) for paper in due]
    return gradebook.write(place.book, place.worksheet.name, place.worksheet.assignments, entries, aside, keep)


def _entry(place: Place, paper: Paper) -> Entry:
    assignments = {one.name: one for one in place.worksheet.assignments}
    verdicts = tuple(pricing.priced(paper.results[name].verdict, one) for name, one in assignments.items())
    return Entry(paper.student, verdicts, paper.timestamp, paper.absent, _same(place, paper))


def _same(place: Place, paper: Paper) -> Callable[[str, str], bool]:
    """Whether an answer is what stands in `autograded/`, where a person graded it."""
    pairs: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}

    def same(notebook: str, answer: str) -> bool:
        if notebook not in pairs:
            there = autogrades.read(place.folder(paper.student) / f"{notebook}.ipynb")
            pairs[notebook] = (there, _whole(place, paper.student, paper.results[notebook]).autograded)
        return seen.same(*pairs[notebook], answer)

    return same


def _whole(place: Place, student: str, result: Result) -> Verdict:
    """The verdict with its notebook."""
    if not result.key:
        return result.verdict
    slot = Slot(place.worksheet.name, student, result.verdict.notebook)
    found = journal.whole(place.config, slot, result.key)
    if found is None:
        raise CoursemillError("the record of a result was changed meanwhile", where=slot.path, fix="grade again")
    return found


def _write_files(place: Place, paper: Paper, old: Iterable[str]) -> dict[str, Stamp]:
    """Write a student's files in `autograded/`, of which `old` were there before; return how they are now."""
    ours: dict[str, bytes] = {}
    for assignment in place.worksheet.assignments:
        if assignment.name not in paper.absent:
            verdict = _whole(place, paper.student, paper.results[assignment.name])
            ours[f"{assignment.name}.ipynb"] = autogrades.notebook(pricing.notebook(verdict, assignment))
    brought = submissions.handed(place.course, place.worksheet, paper.student)
    if paper.timestamp is not None:
        ours[MINE] = f"{paper.timestamp} UTC".encode()
    given = {path: data for path, data in place.worksheet.files.items() if path not in brought.files}
    wanted = autogrades.together(brought.files, {**given, **ours})
    store.sweep(place.folder(paper.student))
    shared = bool(place.course.settings.get("CourseDirectory", {}).get("groupshared", False))
    return autogrades.write(place.folder(paper.student), wanted, old, shared=shared)


# ---- what has changed


def paper(submission: Submission, results: dict[str, Result], notebooks: Iterable[str]) -> Paper:
    """Sum up what is graded of a submission."""
    files = [(path, hashlib.sha256(data).hexdigest()) for path, data in sorted(submission.files.items())]
    absent = frozenset(name for name in notebooks if submission.notebooks.get(name) is None)
    digest = _digest([files, str(submission.timestamp), sorted(absent)])
    return Paper(submission.student, digest, submission.timestamp, absent, results)


def _stands(place: Place, paper: Paper, made_of: str, state: State) -> bool:
    """Whether everything of a student is as it was written, and would be written again."""
    if state.made_of.get(paper.student) != made_of or paper.student not in state.standings:
        return False
    folder, mine = place.folder(paper.student), state.files.get(paper.student, {})
    return all(autogrades.stamp(folder / path) == stamp for path, stamp in mine.items())


def _settled(file: Path) -> bool:
    """Whether no other program is, or was stopped, in the midst of writing to an SQLite file."""
    return not any(file.with_name(file.name + suffix).exists() for suffix in ("-journal", "-wal"))


def _shape(place: Place) -> str:
    """Digest of what the gradebook has of the worksheet itself, and of the settings that count."""
    items = [
        [
            one.name,
            dict(one.metadata),
            [(i.id, i.role, i.type, i.points, i.source, dict(i.metadata)) for i in one.items],
        ]
        for one in place.worksheet.assignments
    ]
    files = [(path, hashlib.sha256(data).hexdigest()) for path, data in sorted(place.worksheet.files.items())]
    settings = {
        name: dict(place.course.settings.get(name, {}))
        for name in ("AssignLatePenalties", "LateSubmissionPlugin", "CourseDirectory")
    }
    return _digest([items, files, settings])


def _row(item: Item) -> list[object]:
    return [item.id, item.role, item.type, item.points, item.source, dict(item.metadata)]


def _made_of(shape: str, paper: Paper) -> str:
    results = {name: result.digest for name, result in paper.results.items()}
    return _digest([shape, paper.files, results])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


# ---- where students stand


def _standing(place: Place, paper: Paper, written: Written) -> Standing:
    sheets = []
    for assignment in place.worksheet.assignments:
        result = paper.results[assignment.name]
        page = written.pages[paper.student, assignment.name]
        verdict = result.verdict
        sheets.append(
            Sheet(
                assignment.name,
                _marks(assignment, verdict, page),
                result.basis,
                page.penalty,
                tuple(_said(note) for note in verdict.notes if note.kind != "upgraded"),
                verdict.trouble,
                verdict.seconds,
                verdict.own,
                verdict.memory,
            )
        )
    return Standing(paper.student, tuple(sheets))


def _said(note: Note) -> str:
    return f"{note.cell}: {note.text}" if note.cell else note.text


def _marks(assignment: Assignment, verdict: Verdict, page: Page) -> dict[str, Mark]:
    statuses = {outcome.test: outcome.status for outcome in verdict.outcomes}
    points = {item.id: item.points for item in assignment.items}
    return {
        item.id: Mark(points[item.id], row.score, statuses.get(item.id, ""), row.manual, row.pending)
        for item in assignment.items
        if (row := page.rows.get(item.id)) is not None
    }


def _refreshed(standing: Standing, written: Written) -> Standing:
    """The standing with what the gradebook says now: a person may have graded meanwhile."""
    sheets = []
    for sheet in standing.sheets:
        page = written.pages.get((standing.student, sheet.notebook))
        if page is None:
            continue
        marks = {
            cell: replace(mark, score=row.score, manual=row.manual, pending=row.pending)
            for cell, mark in sheet.marks.items()
            if (row := page.rows.get(cell)) is not None
        }
        sheets.append(replace(sheet, marks=marks, penalty=page.penalty))
    return replace(standing, sheets=tuple(sheets))


def _told(regrades: Iterable[Regrade]) -> list[dict[str, object]]:
    changes = [account.to_data(one) for one in regrades]
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return [{"when": when, "changes": changes}] if changes else []
