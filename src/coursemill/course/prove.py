"""Prove that exercises are sound: the solution passes, and whatever deserves less gets exactly that."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from coursemill.config import Config
from coursemill.course.load import Course, load
from coursemill.course.modes import Deciding, Modes, Packages
from coursemill.effects import kernels, prover, store, workers
from coursemill.effects.proving import Limits
from coursemill.model import Lesson
from coursemill.pure import editions
from coursemill.pure.grading.job import Package
from coursemill.pure.grading.modes import FAILS, Examined
from coursemill.pure.proof import Problem, Proof, proof
from coursemill.pure.trials import Part, Trial
from coursemill.pure.variants import parts

Status = Literal["sound", "unsound", "unavailable", "cancelled"]


@dataclass(frozen=True, slots=True)
class LessonProof:
    """What is proven of a lesson's exercises and quizzes."""

    lesson: str
    note: str
    worksheet: str
    status: Status
    reason: str = ""
    """Why nothing could be tried, with what to do about it in `fix`."""
    fix: str = ""
    proofs: tuple[Proof, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Of the lesson as a whole: a cell that fails before the exercises can be tried, a test that fails when graded."""
    modes: Modes | None = None
    """How its tests are examined when they are graded; None where nobody asked."""
    seconds: float = 0.0

    @property
    def variants(self) -> int:
        """How many answers were tried."""
        return sum(len(p.tried) for p in self.proofs)


@dataclass(frozen=True, slots=True)
class Proven:
    """What is proven of a course."""

    lessons: tuple[LessonProof, ...]
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that an author must mend, lesson by lesson."""
        return tuple(p for one in self.lessons for p in (*one.problems, *(q for e in one.proofs for q in e.problems)))


@dataclass(frozen=True, slots=True)
class Request:
    """What to prove, and with what patience."""

    names: tuple[str, ...] = ()
    jobs: int = 0
    """Lessons side by side; 0: one a core."""
    patience: float = Limits().variant
    """Seconds that an answer may take, unless the solution takes more than a fifth of it."""
    modes: bool = True
    """Whether to decide how tests are examined, for which solutions are run as submissions are."""


class Watch:
    """Is told what happens; this one does nothing with it."""

    def begin(self, total: int) -> None:
        """So many lessons there are."""

    def step(self, lesson: Lesson, done: int, total: int) -> None:
        """`done` of a lesson's `total` answers have been tried."""

    def end(self, proven: LessonProof) -> None:
        """A lesson has its outcome."""


def prove(config: Config, request: Request, watch: Watch | None = None) -> Proven:
    """Prove the lessons that `request` names; those without exercises are left out.

    Ctrl-C ends it early, and says which lessons were cancelled. Raises CoursemillError for a lesson that there is
    not.
    """
    watch, began = watch or Watch(), time.monotonic()
    course = load(config)
    tasks = [task for lesson in course.select(request.names) if (task := _task(course, lesson)).trials]
    watch.begin(len(tasks))
    jobs = min(request.jobs or workers.cores(), max(1, len(tasks)))
    with Deciding(config, jobs) as deciding:
        if request.modes:
            deciding.begin(_packages(course, tasks))

        def work(task: _Task, cancelled: threading.Event) -> LessonProof:
            proven = _prove(config, task, request, watch, cancelled)
            if not request.modes or proven.status in ("unavailable", "cancelled") or not proven.proofs:
                return proven
            return _examined(proven, deciding.of(task.lesson.path, cancelled))

        done, interrupted = _all(tasks, jobs, work, watch)
    return Proven(tuple(done), time.monotonic() - began, interrupted)


@dataclass(frozen=True, slots=True)
class _Task:
    lesson: Lesson
    notebook: Mapping[str, Any]
    parts: tuple[Part, ...]
    files: tuple[tuple[str, Path], ...]

    @property
    def trials(self) -> tuple[Trial, ...]:
        return tuple(p for p in self.parts if isinstance(p, Trial))


def _task(course: Course, lesson: Lesson) -> _Task:
    """What proving a lesson executes; of its worksheets the first one's shared files."""
    worksheet = lesson.front.worksheets[0]
    built = course.config.path(course.config.source, worksheet, f"{lesson.name}.ipynb")
    context = editions.Context(course.vault, worksheet, numbers=editions.numbers(store.recall(built)))
    notebook = editions.instructor(lesson, context)
    files = ((name, course.config.path(path)) for name, path in course.files(lesson, worksheet))
    return _Task(lesson, notebook, parts(lesson, notebook), tuple(files))


def _packages(course: Course, tasks: Iterable[_Task]) -> dict[str, Package]:
    """What a grader would get of the lessons that can be tried here."""
    packages = Packages(course)
    able = (task for task in tasks if _can_be_tried(task.lesson))
    return {task.lesson.path: packages.of(task.lesson, task.notebook) for task in able}


def _can_be_tried(lesson: Lesson) -> bool:
    wrong = any(finding.severity == "error" for finding in lesson.findings)
    return "cpu" in lesson.front.accelerators and not kernels.missing(lesson.front.requires) and not wrong


def _examined(proven: LessonProof, modes: Modes) -> LessonProof:
    """Add how tests are examined; one that the solution fails then is a problem, if nothing else explains it."""
    failing: dict[str, list[Examined]] = {}
    for test in modes.tests if proven.status == "sound" else ():
        if test.trouble:
            failing.setdefault(test.trouble, []).append(test)
    problems = tuple(_failing(trouble, tests) for trouble, tests in failing.items())
    status: Status = "unsound" if problems else proven.status
    return replace(proven, status=status, modes=modes, problems=(*proven.problems, *problems))


def _failing(trouble: str, tests: Sequence[Examined]) -> Problem:
    others = f", and so do {len(tests) - 1} others" if len(tests) > 1 else ""
    return Problem(tests[0].place, tests[0].test, f"fails when it is graded{others}: {trouble}", FAILS)


def _prove(config: Config, task: _Task, request: Request, watch: Watch, cancelled: threading.Event) -> LessonProof:
    lesson, began = task.lesson, time.monotonic()
    blank = LessonProof(lesson.name, lesson.path, lesson.front.worksheets[0], "cancelled", "interrupted")
    if cancelled.is_set():
        return blank
    if "cpu" not in lesson.front.accelerators:
        return replace(
            blank, status="unavailable", reason="answers are tried on the CPU, and the note does not list it"
        )
    if lacking := kernels.missing(lesson.front.requires):
        return replace(blank, status="unavailable", reason=lacking[0], fix=lacking[1])
    if wrong := [f for f in lesson.findings if f.severity == "error"]:
        problems = tuple(Problem(f"{f.path}:{f.line}", "", f"{f.code} {f.message}", f.fix) for f in wrong)
        return replace(blank, status="unsound", reason="the note has mistakes", problems=problems)
    from coursemill.effects.provisioner import THREADS, environment  # jupyter_client takes a third of a second

    total = sum(len(trial.variants) for trial in task.trials)
    limits = Limits(request.patience, float(lesson.front.timeout or config.timeout))
    # One thread for numeric libraries: more would start with numpy, and forbid forks.
    order = prover.Order(task.parts, task.files, limits, environment("cpu", {**os.environ, THREADS: "1"}))
    found = prover.prove(order, lambda so_far: watch.step(lesson, len(so_far.tried), total), cancelled)
    if not (found.ended or found.stopped):
        return blank
    return _judged(blank, task, found, time.monotonic() - began)


def _judged(blank: LessonProof, task: _Task, found: prover.Found, seconds: float) -> LessonProof:
    """Sum up a lesson: exercises behind a cell that failed have not been tried."""
    path = task.lesson.path
    stop = f"{path}:{found.stopped[0] or 1}" if found.stopped else ""
    proofs = []
    for trial in task.trials:
        tried = [found.tried[key] for i in range(len(trial.variants)) if (key := (trial.id, i)) in found.tried]
        trouble = f"the lesson stops before it, at {stop}" if not tried else ""
        proofs.append(proof(path, trial, tried, trouble))
    problems = (Problem(stop, "", f"the lesson's own code fails: {found.stopped[1]}"),) if found.stopped else ()
    status: Status = "unsound" if problems or not all(p.sound for p in proofs) else "sound"
    took = round(seconds, 3)
    return replace(blank, status=status, reason="", proofs=tuple(proofs), problems=problems, seconds=took)


def _all(
    tasks: Sequence[_Task], jobs: int, work: Callable[[_Task, threading.Event], LessonProof], watch: Watch
) -> tuple[list[LessonProof], bool]:
    """Work on tasks side by side, each in a thread that waits for its process; in the tasks' order."""
    cancelled, interrupted = threading.Event(), False
    with ThreadPoolExecutor(jobs) as pool:
        futures: list[Future[LessonProof]] = [pool.submit(work, task, cancelled) for task in tasks]
        waiting = set(futures)
        while waiting:
            try:
                ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in ended:
                    watch.end(future.result())
            except KeyboardInterrupt:
                interrupted = True
                cancelled.set()
            except BaseException:
                cancelled.set()
                raise
    return [future.result() for future in futures], interrupted
