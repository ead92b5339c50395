"""Decide how the tests of lessons are examined, by the way that grades them, while something else is done."""

from __future__ import annotations

import pickle
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from coursemill.config import Config
from coursemill.course.calibrate import calibrate
from coursemill.course.load import Course
from coursemill.errors import CoursemillError, Unavailable
from coursemill.model import Lesson
from coursemill.pure.grading import assignment
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.job import Options, Package
from coursemill.pure.grading.modes import Examined, examined

BEAT = 0.2
"""Seconds after which somebody who waits looks whether to go on."""


@dataclass(frozen=True, slots=True)
class Modes:
    """How a lesson's tests are examined; `undecided` says why nobody knows, `fix` what to do about it."""

    tests: tuple[Examined, ...] = ()
    undecided: str = ""
    fix: str = ""


class Deciding:
    """Works on lessons in processes of its own, from `begin` until the block ends."""

    def __init__(self, config: Config, jobs: int) -> None:
        self._build, self._jobs = config.path(config.build), jobs
        self._found: dict[str, Future[Modes]] = {}
        self._packages: dict[str, Package] = {}
        self._crew: Any = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Deciding:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._crew is not None:
            self._crew.close()
        if self._thread is not None:
            self._thread.join()

    def begin(self, packages: Mapping[str, Package]) -> None:
        """Start to work on lessons; of some it is known how their tests are examined."""
        from coursemill.effects.grading import executors, plans
        from coursemill.effects.sandbox import view

        self._packages = dict(packages)
        self._found = {name: Future() for name in packages}
        waiting = deque[str]()
        for name, package in packages.items():
            plan = plans.find(self._build, plans.key(package, Options()))
            if plan is None:
                waiting.append(name)
            else:
                self._found[name].set_result(Modes(examined(package.assignment, plan)))
        try:
            view.require()
        except Unavailable as error:
            for name in waiting:
                self._found[name].set_result(Modes(undecided=error.what, fix=error.fix))
            return
        if waiting:
            self._crew = executors.Local(min(self._jobs, len(waiting)))
            self._thread = threading.Thread(target=self._work, args=(waiting,), daemon=True)
            self._thread.start()

    def of(self, name: str, cancelled: threading.Event) -> Modes:
        """Return what was decided of a lesson; waits for it, unless `cancelled` is set."""
        while not cancelled.is_set():
            if wait([self._found[name]], BEAT).done:
                return self._found[name].result()
        return Modes(undecided="interrupted")

    def _work(self, waiting: deque[str]) -> None:
        from coursemill.effects.grading import executors, plans

        def piece(name: str) -> executors.Piece:
            return executors.Piece(calibrate, pickle.dumps(self._packages[name]), (Options(),))

        for name, outcome in executors.results(self._crew, waiting, piece):
            package, modes = self._packages[name], Modes(undecided="interrupted")
            if isinstance(outcome, CoursemillError):
                modes = Modes(undecided=outcome.what, fix=outcome.fix)
            elif isinstance(outcome, BaseException) and not isinstance(outcome, CancelledError):
                modes = Modes(undecided=f"{type(outcome).__name__}: {outcome}")
            elif not isinstance(outcome, BaseException):
                plans.keep(self._build, plans.key(package, Options()), outcome)
                modes = Modes(examined(package.assignment, outcome))
            self._found[name].set_result(modes)


class Packages:
    """What lessons give to a grader: as they are built, where what is built is what their notes say."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._sheets: dict[str, Any] = {}

    def of(self, lesson: Lesson, notebook: Mapping[str, Any]) -> Package:
        """Return a lesson's package; `notebook` is the instructor's edition. Raises CoursemillError."""
        from coursemill.effects.grading import courses

        config, worksheet = self._course.config, lesson.front.worksheets[0]
        own = assignment.read(notebook, worksheet, lesson.name, courses.course(config).rules)
        if worksheet not in self._sheets:
            try:
                self._sheets[worksheet] = courses.worksheet(config, worksheet)
            except CoursemillError:  # it is not built yet
                self._sheets[worksheet] = None
        sheet = self._sheets[worksheet]
        if sheet and any(_said(one) == _said(own) for one in sheet.assignments):
            return Package(own, files=sheet.files, editable=sheet.editable)
        files = {name: _read(config.path(path)) for name, path in self._course.files(lesson, worksheet)}
        return Package(own, files=files)


def _said(one: Assignment) -> list[object]:
    return [(i.id, i.role, i.type, i.source, i.released, i.hidden) for i in one.items]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CoursemillError(f"it cannot be read: {error.strerror}", where=str(path)) from error
