"""`collect`: bring what students handed in elsewhere to its place in `submitted/`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from coursemill.config import Config
from coursemill.effects import store
from coursemill.effects.archives.archive import Meter
from coursemill.effects.archives.gather import Attempt, gather
from coursemill.effects.archives.spool import Spool
from coursemill.effects.grading import arrivals, courses, people
from coursemill.effects.grading.courses import Course
from coursemill.effects.grading.gradebook import Book
from coursemill.errors import ConfigError, CoursemillError
from coursemill.pure.grading import attempts, moments, roster, whose
from coursemill.pure.grading.attempts import TIMESTAMP, Composed, File
from coursemill.pure.grading.exports import Clues, Owner
from coursemill.pure.grading.quotas import MB, Quotas
from coursemill.pure.grading.roster import Roster
from coursemill.pure.grading.sheets import Sheet
from coursemill.pure.grading.whose import Student

Status = Literal["taken", "replaced", "unchanged", "kept"]
"""`kept`: one stands there that is not older; the new one was left."""
BATCH = 100
"""Submissions, or megabytes of them, that are put to their places at a time."""
STAMPED = ("exchange", "submitted")
"""Layouts of nbgrader, whose timestamp.txt counts."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    worksheet: str
    sources: tuple[Path, ...]
    students: Path | None = None
    """A class list."""
    pattern: str = ""
    force: bool = False
    dry_run: bool = False
    mtime: bool = False
    """Let the time that an archive has for a file be when it was handed in."""
    quotas: Quotas = field(default_factory=Quotas)


@dataclass(frozen=True, slots=True)
class Got:
    """A notebook that was taken."""

    notebook: str
    origin: str
    """`archive!member`."""
    size: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a student's submission."""

    student: str
    known: bool
    """Whether the gradebook or the class list has them."""
    name: str
    """As the export calls them."""
    status: Status
    notebooks: tuple[Got, ...]
    missing: tuple[str, ...] = ()
    """Notebooks of the worksheet that were not handed in."""
    others: int = 0
    """Files beside the notebooks."""
    size: int = 0
    when: datetime | None = None
    reason: str = ""
    """Why it was left."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something that was not taken."""

    where: str
    """`archive!member`."""
    reason: str
    student: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of everything."""

    worksheet: str
    taken: tuple[Taken, ...]
    refused: tuple[Left, ...]
    """What looked like a part of a submission."""
    left: tuple[Left, ...]
    """Earlier attempts, and what students need not have handed in."""
    skipped: int
    """Files that systems and programs leave everywhere, and other worksheets'."""
    listed: bool
    """Whether there is a class list, or a gradebook with students."""

    @property
    def complete(self) -> bool:
        return not self.refused and all(one.status != "kept" for one in self.taken)


class Watch(Protocol):
    """Is told how it goes."""

    def begin(self, sources: int) -> None: ...

    def step(self, source: str, done: int, total: int) -> None: ...

    def end(self, source: str) -> None: ...


def collect(config: Config, request: Request, watch: Watch) -> Result:
    """Bring all that the sources hold for a worksheet to `submitted/`.

    Raises CoursemillError when there is no such worksheet or source, for a class list or a pattern that cannot be
    used, and when the disk cannot be written; what was brought before that is whole.
    """
    course = courses.course(config)
    asked = courses.worksheet(config, request.worksheet)
    ids = {one.name: frozenset(item.id for item in one.items if item.metadata) for one in asked.assignments}
    sheet = Sheet(asked.name, ids)
    known = _roster(course, request)
    _sound(course, request)
    clues = Clues(sheet, is_known=lambda text: bool(known.find(key=text)), pattern=_pattern(request.pattern))
    with _stage(config, course, request) as stage:
        found = _gathered(request, clues, stage, watch)
        shelf = _Shelf(course, request, sheet, stage)
        taken = [shelf.put(student, mine) for student, mine in _by_student(found, known)]
        shelf.settle()
        refused = (*found.refused, *found.nobodys, *shelf.refused)
    there = tuple(one for one in taken if one)
    return Result(asked.name, there, refused, tuple(shelf.left), found.skipped, bool(known.people))


@dataclass(slots=True)
class _Found:
    """What the sources hold."""

    attempts: list[Attempt] = field(default_factory=list)
    refused: list[Left] = field(default_factory=list)
    nobodys: list[Left] = field(default_factory=list)
    skipped: int = 0


def _gathered(request: Request, clues: Clues, stage: Path, watch: Watch) -> _Found:
    with store.explaining(stage.name, "collect"):
        (stage / "spool").mkdir()
    spool, meter, found = Spool(stage / "spool"), Meter(request.quotas), _Found()
    watch.begin(len(request.sources))
    for source in request.sources:
        one = gather(source, clues, spool, meter, partial(watch.step, source.name))
        found.attempts += one.attempts
        found.skipped += one.skipped
        for refusal in one.refused:
            where = f"{source.name}!{refusal.member}" if refusal.member else source.name
            found.refused.append(Left(where, refusal.reason))
        watch.end(source.name)
    return found


def _by_student(found: _Found, known: Roster) -> Iterator[tuple[Student, list[tuple[Owner, Attempt]]]]:
    """Everybody, in order, with all their attempts; who cannot be told apart is refused."""
    students = whose.identify((owner for attempt in found.attempts for owner in attempt.owners), known)
    grouped: defaultdict[str, list[tuple[Owner, Attempt]]] = defaultdict(list)
    for attempt in found.attempts:
        for owner in attempt.owners:
            if problem := students[owner].problem:
                found.nobodys.append(Left(attempt.files[0].origin, problem, owner.shown))
            else:
                grouped[students[owner].id].append((owner, attempt))
    for student in sorted(grouped):
        yield next(students[owner] for owner, _ in grouped[student]), grouped[student]


class _Shelf:
    """Chooses what is taken of a student, and puts it to its place."""

    def __init__(self, course: Course, request: Request, sheet: Sheet, stage: Path) -> None:
        self.course, self.request, self.sheet, self.stage = course, request, sheet, stage
        self.refused: list[Left] = []
        self.left: list[Left] = []
        self.ready: list[tuple[Path, Path]] = []
        self.size = 0

    def settle(self) -> None:
        """Put to its place what is ready for it."""
        if self.ready:
            arrivals.put(self.ready)
        self.ready, self.size = [], 0

    def put(self, student: Student, mine: list[tuple[Owner, Attempt]]) -> Taken | None:
        """Take the latest attempt that has a notebook; None when none has, or its place cannot be used."""
        chosen: tuple[Owner, Attempt, Composed] | None = None
        ordered = sorted(mine, key=lambda one: _moment(one[1]))
        ordered.reverse()  # of two at one time, the one that was named later
        for owner, attempt in ordered:
            if chosen:
                self.left.append(Left(attempt.files[0].origin, "a later attempt is taken", student.id))
            elif composed := self._composed(student, owner, attempt):
                chosen = owner, attempt, composed
        try:
            return self._placed(student, *chosen) if chosen else None
        except _Barred as error:
            self.refused.append(Left(error.where, error.what, student.id))
            return None

    def _composed(self, student: Student, owner: Owner, attempt: Attempt) -> Composed | None:
        composed = attempts.compose(attempt.files, self.sheet, _content, stamped=owner.layout in STAMPED)
        if not composed.notebooks:
            names = ", ".join(sorted({file.inner[-1] for file in attempt.files})[:5])
            reason = f"no notebook of {self.sheet.name} is in it, by name or by its cells: {names}"
            self.refused.append(Left(attempt.files[0].origin, reason, student.id))
            return None
        for one in composed.left:
            pile = self.left if one.harmless else self.refused
            pile.append(Left(one.file.origin, one.reason, student.id))
        return composed

    def _placed(self, student: Student, owner: Owner, attempt: Attempt, composed: Composed) -> Taken:
        try:
            folder = arrivals.place(self.course, student.id, self.sheet.name)
        except CoursemillError as error:
            raise _Barred(str(error), where=attempt.files[0].origin) from error
        files, when = self._stamped(attempt, composed)
        status, reason = _decided(folder, files, when, force=self.request.force)
        if status in ("taken", "replaced") and not self.request.dry_run:
            written = moments.written(when) if when and TIMESTAMP not in files else ""
            self.ready.append((arrivals.prepare(self.stage, f"{len(self.ready):03}", files, written), folder))
            self.size += sum(file.size for file in files.values())
            if len(self.ready) >= BATCH or self.size > BATCH * MB:
                self.settle()
        return Taken(
            student.id,
            student.known,
            owner.shown,
            status,
            tuple(Got(name, file.origin, file.size) for name, file in sorted(composed.notebooks.items())),
            composed.missing(self.sheet),
            len(composed.others),
            sum(file.size for file in files.values()),
            when,
            reason,
        )

    def _stamped(self, attempt: Attempt, composed: Composed) -> tuple[dict[str, File], datetime | None]:
        """The files, and when they were handed in; nbgrader stops at a timestamp.txt that it cannot read: it goes."""
        files = composed.files()
        when = attempt.when
        if stamp := files.get(TIMESTAMP):
            said = moments.parse(_content(stamp)[: arrivals.LONGEST].decode("utf-8", "replace"))
            when = when or said
            if said is None:
                del files[TIMESTAMP]
        if when is None and self.request.mtime:
            when = max((file.when for file in attempt.files if file.when), default=None)
        return files, when


class _Barred(CoursemillError):  # noqa: N818 - a state, as in the tables
    """A submission's place cannot be used."""


def _decided(folder: Path, files: dict[str, File], when: datetime | None, *, force: bool) -> tuple[Status, str]:
    """What is to become of a submission, by what stands in its place."""
    there = arrivals.standing(folder)
    if there is None:
        return "taken", ""
    if arrivals.is_same(folder, there, files):
        return "unchanged", ""
    if force:
        return "replaced", ""
    if when and there.when:
        return ("replaced", "") if when > there.when else ("kept", "what stands there is not older")
    return "kept", "another one stands there, and nothing says which is later: --force replaces it"


def _moment(attempt: Attempt) -> datetime:
    """When it was handed in, as far as anything says so: to tell the later of two attempts."""
    said = [attempt.when] if attempt.when else [file.when for file in attempt.files if file.when]
    return max(said, default=datetime.min.replace(tzinfo=UTC))


def _content(file: File) -> bytes:
    return file.path.read_bytes()


def _roster(course: Course, request: Request) -> Roster:
    """Everybody whom the gradebook and the class list know."""
    known = people.people(Book(course.db_url, course.id))
    if request.students is None:
        return known
    try:
        data = request.students.read_bytes()
    except OSError as error:
        raise ConfigError(f"it cannot be read: {error.strerror}", where=str(request.students)) from error
    return known + roster.read(_text(data), known, where=str(request.students))


def _text(data: bytes) -> str:
    """A table's text: spreadsheets write it in many ways."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _pattern(written: str) -> re.Pattern[str] | None:
    if not written:
        return None
    try:
        pattern = re.compile(written)
    except re.error as error:
        raise ConfigError(f"it is no regular expression: {error}", where="--pattern") from error
    if not {"student", "student_id", "email", "last_name"} & set(pattern.groupindex):
        fix = r"name the part that says whose a file is, as in `(?P<student_id>\w+)_.*`"
        raise ConfigError("it has no group `student_id`", where="--pattern", fix=fix)
    return pattern


def _sound(course: Course, request: Request) -> None:
    """Raises ConfigError for sources that are not there, or in which the submissions themselves are."""
    top = course.way("submitted", "student", request.worksheet)[0].resolve()
    for source in request.sources:
        if not source.exists():
            raise ConfigError("there is no such file or folder", where=str(source))
        folder = source.resolve()
        inside = folder.is_relative_to(top) and top != course.root.resolve()  # where `submitted` is no folder by itself
        if source.is_dir() and (top.is_relative_to(folder) or inside):
            raise ConfigError("what was collected stands in it", where=str(source), fix="name the export's folder")


def _stage(config: Config, course: Course, request: Request) -> AbstractContextManager[Path]:
    return store.scratch() if request.dry_run else arrivals.staging(config, course, request.worksheet)
