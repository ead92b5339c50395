"""What a run has to do: a plan for each lesson and kernel, many of them decided before anything is executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from coursemill.config import Config
from coursemill.course.load import Course
from coursemill.effects import diagrams, kept, kernels, store
from coursemill.effects import vault as disk
from coursemill.model import Accelerator, Lesson
from coursemill.pure import editions
from coursemill.pure import parameters as params
from coursemill.pure.diagrams import diagram_sources
from coursemill.pure.outcome import Failure, Kernel, Run

RUNS = "runs"
Surroundings = Callable[[Kernel, tuple[str, ...]], kept.Environment]


@dataclass(frozen=True, slots=True)
class Request:
    """What to run, and how."""

    names: tuple[str, ...] = ()
    kernels: tuple[Accelerator, ...] = ("cpu",)
    jobs: int = 0
    """Lessons side by side; 0: as many as cores and memory allow."""
    fresh: bool = False
    parameters: tuple[tuple[str, str], ...] = ()
    required: tuple[Accelerator, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A lesson on a kernel: decided already (`run.status`), or `key` and the rest say what to execute."""

    run: Run
    key: str = ""
    notebook: str = ""
    files: tuple[tuple[str, Path], ...] = ()
    timeout: float = 0.0

    @property
    def due(self) -> bool:
        return bool(self.key)


def plans(course: Course, request: Request, probed: Sequence[Kernel]) -> list[Plan]:
    """One plan a lesson and kernel; a lesson of several worksheets is run once, unless their shared files differ."""
    worked = [w for lesson in course.select(request.names) for w in _worked(course, lesson)]
    if request.parameters:
        params.refuse_unknown(request.parameters, {w.lesson.name: w.parameters for w in worked})
    environment = cache(kept.Environment.of)
    return [_plan(course.config, one, kernel, request, environment) for kernel in probed for one in worked]


@dataclass(frozen=True, slots=True)
class _Worked:
    """A lesson's worked notebook, as it stands in a worksheet."""

    lesson: Lesson
    worksheet: str
    notebook: Mapping[str, Any]
    files: tuple[tuple[str, Path], ...]
    digest: str
    """Of the files."""
    parameters: tuple[params.Parameter, ...]


def _worked(course: Course, lesson: Lesson) -> Iterator[_Worked]:
    """Build the lesson's notebook for each set of shared files that its worksheets have."""
    shared = PurePosixPath(course.config.notes, course.config.shared)
    own = PurePosixPath(lesson.path).parent / f"{lesson.name}{disk.FILES}"
    files = {
        w: _files(course, own, own.parent) + _files(course, shared / w, shared / w) for w in lesson.front.worksheets
    }
    seen = set()
    for worksheet in lesson.front.worksheets:
        digest = kept.digest(files[worksheet])
        if digest in seen:
            continue
        seen.add(digest)
        notebook = editions.worked(lesson, _context(course, lesson, worksheet))
        tagged = (c["source"] for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ()))
        found = tuple(p for source in tagged for p in params.declared(source))
        yield _Worked(lesson, worksheet, notebook, files[worksheet], digest, found)


def _context(course: Course, lesson: Lesson, worksheet: str) -> editions.Context:
    """What the build makes the notebook with: the pictures that are drawn, and the numbers that tests have."""
    source = course.config.path(course.config.source, worksheet, f"{lesson.name}.ipynb")
    pictures = diagrams.drawn(diagram_sources(lesson), course.config)
    return editions.Context(course.vault, worksheet, pictures, editions.numbers(store.recall(source)))


def _files(course: Course, folder: PurePosixPath, start: PurePosixPath) -> tuple[tuple[str, Path], ...]:
    """The files below a folder of the vault, named from `start` on."""
    below = course.listing.below(str(folder))
    return tuple((str(PurePosixPath(e.path).relative_to(start)), course.config.path(e.path)) for e in below)


def _plan(config: Config, worked: _Worked, kernel: Kernel, request: Request, environment: Surroundings) -> Plan:
    lesson = worked.lesson
    blank = _blank(worked, kernel)
    if kernel.name not in lesson.front.accelerators:
        return Plan(replace(blank, status="not offered", reason=f"the note does not list {kernel.name}"))
    if not kernel.available:
        return Plan(replace(blank, status="unavailable", reason=kernel.reason, fix=kernel.fix))
    if lacking := kernels.missing(lesson.front.requires):
        return Plan(replace(blank, status="unavailable", reason=lacking[0], fix=lacking[1]))
    if wrong := [f for f in lesson.findings if f.severity == "error"]:
        failures = tuple(Failure("error", f"{f.path}:{f.line}", "", f"{f.code} {f.message}") for f in wrong)
        return Plan(replace(blank, status="failed", reason="the note has mistakes", failures=failures))
    code = sum(c["cell_type"] == "code" for c in worked.notebook["cells"])
    if not code:
        return Plan(replace(blank, status="empty", reason="it has no code"))
    values = params.chosen(worked.parameters, kernel.name, request.parameters)
    output = f"{config.build}/{RUNS}/{kernel.name}/{worked.worksheet}/{lesson.name}.ipynb"
    blank = replace(blank, parameters=values, notebook=output)
    notebook = editions.dumps(dict(worked.notebook))
    timeout = float(lesson.front.timeout or config.timeout)
    key = kept.key(environment(kernel, lesson.front.requires), notebook, worked.digest, values, timeout)
    if not request.fresh and (found := kept.find(config.root, output, key)):
        return Plan(replace(blank, **_result(found), cached=True))
    return Plan(blank, key, notebook, worked.files, timeout)


def _blank(worked: _Worked, kernel: Kernel) -> Run:
    """What is known of a run before it starts."""
    lesson = worked.lesson
    return Run(
        lesson=lesson.name,
        note=lesson.path,
        worksheet=worked.worksheet,
        kernel=kernel.name,
        status="cancelled",
        exercises=len(lesson.tasks),
        points=lesson.points,
    )


def _result(found: Run) -> dict[str, Any]:
    """What a kept run says that is not known before it starts."""
    names = ("status", "reason", "seconds", "code", "cells", "statements")
    return {name: getattr(found, name) for name in names}
