"""Grade a class: find what was handed in, run what has not been run, write what came of it."""

from __future__ import annotations

import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coursemill.config import Config
from coursemill.course import publish
from coursemill.course.publish import Paper, Place, Result
from coursemill.effects import store, workers
from coursemill.effects.grading import courses, executors, gradebook, journal, keys, plans, submissions
from coursemill.effects.grading.courses import Worksheet
from coursemill.effects.grading.executors import Crew, Lost, Piece
from coursemill.effects.grading.journal import Slot, Trouble
from coursemill.effects.sandbox import view
from coursemill.errors import CoursemillError
from coursemill.pure.grading import pricing
from coursemill.pure.grading.account import Regrade
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.plan import Plan
from coursemill.pure.grading.standing import Basis, Standing
from coursemill.pure.grading.verdict import Verdict

Examine = Callable[[Package, Handed, Options], Verdict]
Calibrate = Callable[[Package, Options], Plan]


@dataclass(frozen=True, slots=True)
class Request:
    """What to grade, and how."""

    worksheet: str
    students: tuple[str, ...] = ()
    """Nobody named: all who handed in."""
    jobs: int = 0
    """Notebooks side by side; 0: one a core."""
    scheduler: str = ""
    """Address of Dask's; empty: this machine does the work."""
    fresh: bool = False
    timeout: float = 0.0
    trust: bool = False

    @property
    def options(self) -> Options:
        return Options(self.timeout, self.trust)


@dataclass(frozen=True, slots=True)
class Graded:
    """What came of it."""

    worksheet: str
    standings: tuple[Standing, ...]
    """Of those who were graded now, by name."""
    idle: tuple[str, ...] = ()
    """Students that the gradebook knows, who handed in nothing."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Folders that are no student's → why."""
    regrades: tuple[Regrade, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    lost: Mapping[str, str] = field(default_factory=dict)
    """`student/notebook` → why the grader could not deal with it; it is tried again the next time."""
    unfinished: tuple[str, ...] = ()
    """`student/notebook` of those that could not be graded to their end."""
    ran: int = 0
    """Notebooks that were run; all others are as they were."""
    notebooks: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        return not (self.troubles or self.unfinished or self.lost or self.refused)


class Watch:
    """Is told what happens; this one does nothing with it."""

    def waiting(self) -> None:
        """Another grader works on this course, and this one waits for it."""

    def begin(self, worksheet: str, total: int, known: int) -> None:
        """So many notebooks were handed in; so many of them have a result."""

    def rehearsed(self, notebook: str, plan: Plan) -> None:
        """The instructor's own solution has been run."""

    def end(self, slot: Slot, verdict: Verdict) -> None:
        """A notebook has its result."""

    def write(self) -> None:
        """The gradebook is written now."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Who does the work on a notebook."""

    examine: Examine
    calibrate: Calibrate
    prepare: Callable[[], object] = int
    """What a worker does first."""


@dataclass(slots=True)
class _Slots:
    """All that there is to grade, and what is known of it."""

    papers: dict[str, Paper] = field(default_factory=dict)
    """By student; a notebook that is due has no result yet."""
    due: dict[Slot, Basis] = field(default_factory=dict)


def grade(config: Config, request: Request, watch: Watch | None = None, tools: Tools | None = None) -> Graded:
    """Grade a worksheet's submissions into the gradebook and `autograded/`.

    Ctrl-C ends it early: what has a result keeps it, and the gradebook stays as it is. Raises CoursemillError for a
    worksheet or a student that there is not, and for what cannot be written; Unavailable where there is no sandbox, or
    no scheduler.
    """
    watch, began = watch or Watch(), time.monotonic()
    with store.locked(config.path(config.build, journal.FOLDER), watch.waiting):
        return _Grader(config, request, watch, tools).run(began)


class _Grader:
    """One call of `grade`."""

    def __init__(self, config: Config, request: Request, watch: Watch, tools: Tools | None) -> None:
        self.config, self.request, self.watch, self.given = config, request, watch, tools
        self.place = Place(config, courses.course(config), courses.worksheet(config, request.worksheet))
        self.assignments = {one.name: one for one in self.sheet.assignments}
        machine, options = keys.environment(), request.options
        self.instructors = {
            name: keys.Instructor.of(self._package(name), options, machine) for name in self.assignments
        }
        self.packages: dict[str, bytes] = {}
        self.troubles: dict[str, tuple[Trouble, ...]] = {}
        self.lost: dict[str, str] = {}
        self.done = 0

    @property
    def build(self) -> Path:
        return self.config.path(self.config.build)

    @property
    def sheet(self) -> Worksheet:
        return self.place.worksheet

    def run(self, began: float) -> Graded:
        roll = submissions.roll(self.place.course, self.sheet.name, self.request.students)
        slots = self._slots(roll.students)
        total = len(roll.students) * len(self.assignments)
        self.watch.begin(self.sheet.name, total, total - len(slots.due))
        blank = Graded(self.sheet.name, (), refused=roll.refused, notebooks=total)
        interrupted = False
        try:
            if slots.due:
                self._examine(slots)
        except KeyboardInterrupt:
            interrupted = True
        if interrupted:
            return replace(blank, ran=self.done, seconds=time.monotonic() - began, interrupted=True)
        return replace(self._published(roll.students, slots, blank), ran=self.done, seconds=time.monotonic() - began)

    def _slots(self, students: Sequence[str]) -> _Slots:
        """Look who handed in what, and what of it has a result."""
        slots = _Slots()
        for student in students:
            submission = submissions.handed(self.place.course, self.sheet, student)
            results: dict[str, Result] = {}
            for name, instructor in self.instructors.items():
                slot, basis = Slot(self.sheet.name, student, name), instructor.basis(submission.handed(name))
                key = keys.key(basis)
                record = None if self.request.fresh else journal.find(self.config, slot, key)
                if record is None:
                    slots.due[slot] = basis
                else:
                    results[name] = Result(record.verdict, basis, key, record.digest)
            slots.papers[student] = publish.paper(submission, results, self.assignments)
        return slots

    def _examine(self, slots: _Slots) -> None:
        """Run what is due; each result is in the journal before it is told of."""
        if not (self.request.trust or self.request.scheduler):
            view.require()
        tools = self.given or _tools()
        threading.Thread(target=gradebook.preload, daemon=True).start()
        with self._crew(tools, len(slots.due)) as crew:
            waiting = deque[Slot | str]()
            for notebook in dict.fromkeys(slot.notebook for slot in slots.due):
                if (plan := self._plan(notebook)) is None:
                    waiting.append(notebook)
                else:
                    self._planned(notebook, plan)
                    waiting.extend(slot for slot in slots.due if slot.notebook == notebook)
            for key, outcome in executors.results(crew, waiting, lambda one: self._piece(one, tools, slots)):
                if isinstance(outcome, CoursemillError):
                    raise outcome
                if isinstance(key, str):
                    self._calibrated(key, outcome)
                    waiting.extend(slot for slot in slots.due if slot.notebook == key)
                else:
                    self._examined(key, outcome, slots)

    @contextmanager
    def _crew(self, tools: Tools, due: int) -> Iterator[Crew]:
        if self.request.scheduler:
            from coursemill.effects.grading import cluster

            with closing(cluster.Cluster(self.request.scheduler)) as crew:
                yield crew
        else:
            jobs = min(self.request.jobs or workers.cores(), due)
            with closing(executors.Local(jobs, tools.prepare)) as local:
                yield local

    def _piece(self, one: Slot | str, tools: Tools, slots: _Slots) -> Piece:
        """The work on a slot; that on a notebook's name is to calibrate it."""
        if isinstance(one, str):
            return Piece(tools.calibrate, pickle.dumps(self._package(one)), (self.request.options,))
        submission = submissions.handed(self.place.course, self.sheet, one.student)
        handed = submission.handed(one.notebook)
        slots.due[one] = self.instructors[one.notebook].basis(handed)  # of what is run, not of what stood there
        return Piece(tools.examine, self.packages[one.notebook], (handed, self.request.options))

    def _package(self, notebook: str) -> Package:
        """What there is before it is known how tests are examined."""
        return Package(self.assignments[notebook], files=self.sheet.files, editable=self.sheet.editable)

    def _plan(self, notebook: str) -> Plan | None:
        """How the notebook's tests are examined, if that has been found out."""
        if self.request.fresh:
            return None
        return plans.find(self.build, plans.key(self._package(notebook), self.request.options))

    def _calibrated(self, notebook: str, outcome: Any) -> None:
        if not isinstance(outcome, Plan):
            what = f"the instructor's own solution could not be examined: {_said(outcome)}"
            raise CoursemillError(what, where=f"source/{self.sheet.name}/{notebook}.ipynb", fix="grade again")
        plans.keep(self.build, plans.key(self._package(notebook), self.request.options), outcome)
        self._planned(notebook, outcome)
        self.watch.rehearsed(notebook, outcome)

    def _planned(self, notebook: str, plan: Plan) -> None:
        self.packages[notebook] = pickle.dumps(replace(self._package(notebook), plan=plan))
        places = {item.id: item.place for item in self.assignments[notebook].tests}
        self.troubles[notebook] = tuple(
            Trouble(notebook, test, places.get(test, ""), look.trouble)
            for test, look in plan.looks.items()
            if look.trouble
        )

    def _examined(self, slot: Slot, outcome: Any, slots: _Slots) -> None:
        basis = slots.due[slot]
        if isinstance(outcome, Verdict):
            key = keys.key(basis)
            record = journal.write(self.config, key, outcome)
            slots.papers[slot.student].results[slot.notebook] = Result(record.verdict, basis, key, record.digest)
        else:
            trouble = f"the grader failed: {_said(outcome)}"
            self.lost[f"{slot.student}/{slot.notebook}"] = trouble
            outcome = pricing.lost(self.assignments[slot.notebook], slot.student, trouble)
            slots.papers[slot.student].results[slot.notebook] = Result(outcome, basis)
        self.done += 1
        self.watch.end(slot, outcome)

    def _published(self, students: Sequence[str], slots: _Slots, blank: Graded) -> Graded:
        papers = [slots.papers[student] for student in students]
        self.watch.write()
        published = publish.publish(self.place, papers, self.troubles, everybody=not self.request.students)
        unfinished = (
            f"{paper.student}/{name}"
            for paper in papers
            for name, result in paper.results.items()
            if pricing.unfinished(result.verdict)
        )
        return replace(
            blank,
            standings=tuple(published.standings[student] for student in students),
            idle=() if self.request.students else tuple(sorted(set(published.known) - set(students))),
            regrades=published.regrades,
            troubles=published.troubles,
            lost=self.lost,
            unfinished=tuple(unfinished),
        )


def _said(failure: object) -> str:
    return str(failure) if isinstance(failure, Lost) else f"{type(failure).__name__}: {failure}"


def _tools() -> Tools:
    from coursemill.course.calibrate import calibrate
    from coursemill.effects.grading.examination import examine

    return Tools(examine, calibrate, _prepare)


def _prepare() -> None:
    """Import what examining needs, before the first submission comes."""
    from coursemill.effects.grading import examination  # noqa: F401 - for later
