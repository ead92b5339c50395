"""Run lessons on kernels: plan what there is to do, leave out what has passed already, execute the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from coursemill.config import Config
from coursemill.course.plan import Plan, Request, plans
from coursemill.effects import kept, kernels, store, workers
from coursemill.effects.sandbox import view
from coursemill.pure import outcome, report
from coursemill.pure.outcome import Report, Run

if TYPE_CHECKING:  # jupyter_client takes a third of a second, which a run of nothing new spares
    from coursemill.effects.runs import Executed

REPORTS = "reports"
ONE_LESSON = 2 * 2**30
"""Bytes of memory that a lesson may well need: TensorFlow 0.7 GB, Spark's JVM and Python 1 GB."""


class Watch(Protocol):
    """Is told what happens while lessons run."""

    def begin(self, total: int) -> None: ...

    def step(self, run: Run, done: int, total: int) -> None: ...

    def end(self, run: Run) -> None: ...


class Silence:
    """Watches nothing."""

    def begin(self, total: int) -> None:
        """So many runs there will be."""

    def step(self, run: Run, done: int, total: int) -> None:
        """Code cell `done` of `total` starts."""

    def end(self, run: Run) -> None:
        """The run has its outcome."""


def run(config: Config, request: Request, watch: Watch | None = None) -> Report:
    """Run the lessons that `request` names on its kernels, and return what became of each.

    The worked notebooks are made from the notes here, so they are never stale. Ctrl-C ends the run early: its
    report says which lessons were cancelled. Raises CoursemillError for a lesson that there is not and for a
    file that cannot be written, ConfigError for a parameter that there is not, Unavailable where there is no sandbox
    and one is asked for.
    """
    watch = watch or Silence()
    began, started = time.monotonic(), datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    if request.sandbox:
        view.require()
    names = dict.fromkeys((*request.kernels, *request.required))
    probed = tuple(kernels.probe(name, config.path(config.build, "cache")) for name in names)
    planned = plans(config, request, probed)
    watch.begin(len(planned))
    done: dict[str, Run] = {}
    interrupted = False
    try:
        with closing(_outcomes(config, planned, request.jobs or _side_by_side(), watch)) as outcomes:
            for ended in outcomes:
                done[ended.slot] = ended
                watch.end(ended)
    except KeyboardInterrupt:
        interrupted = True
    runs = tuple(done.get(p.run.slot) or _cancelled(p) for p in planned)
    return Report(runs, probed, time.monotonic() - began, started, request.required, interrupted)


def write_page(config: Config, result: Report, file: Path | None = None) -> Path:
    """Write the HTML page, by default to `build/reports/run.html`; return where."""
    file = file or config.path(config.build, REPORTS, "run.html")
    start = file.resolve().parent

    def link(path: str) -> str:
        relative = os.path.relpath(config.path(path).resolve(), start)
        return PurePosixPath(relative).as_posix()

    store.write(start, file.name, report.html(result, link).encode())
    return file


def write_junit(result: Report, file: Path) -> None:
    """Write the report as JUnit XML."""
    store.write(file.resolve().parent, file.name, report.junit(result).encode())


def _outcomes(config: Config, planned: Sequence[Plan], jobs: int, watch: Watch) -> Generator[Run]:
    """The runs as they end: first what is decided without executing anything."""
    yield from (p.run for p in planned if not p.due)
    due = {p.run.slot: p for p in _longest_first(config, planned)}
    if not due:
        return
    from coursemill.effects import runs

    steps = runs.execute(
        [
            runs.Job(
                name=name,
                notebook=p.notebook,
                kernel=outcome.spec(p.run.kernel),
                root=config.root,
                output=p.run.notebook,
                timeout=p.timeout,
                files=p.files,
                parameters=p.run.parameters or {},
                sandbox=p.sandbox,
            )
            for name, p in due.items()
        ],
        jobs,
        lambda job, done, total: watch.step(due[job.name].run, done, total),
    )
    with closing(steps):
        for job, executed in steps:
            ended = _judged(due[job.name].run, executed)
            if not config.path(job.output).exists():  # its worker was lost
                ended = replace(ended, notebook="")
            if ended.status == "passed":
                kept.keep(config.root, job.output, due[job.name].key, ended)
            yield ended


def _judged(planned: Run, executed: Executed) -> Run:
    judgement = executed.judgement
    # What has no line of its own, such as a kernel that does not start, is said of the note.
    failures = (f if f.place else replace(f, place=f"{planned.note}:1") for f in judgement.failures)
    return replace(
        planned,
        status=judgement.status,
        reason=judgement.reason,
        seconds=round(executed.seconds, 3),
        code=judgement.code,
        cells=judgement.cells,
        statements=judgement.statements,
        imports=judgement.imports,
        failures=tuple(failures),
        record=replace(executed.record, machine=planned.record.machine),
    )


def _cancelled(plan: Plan) -> Run:
    return replace(plan.run, status="cancelled", reason="interrupted", notebook="")


def _longest_first(config: Config, planned: Sequence[Plan]) -> list[Plan]:
    """What is due, so that the last ones are short: by the time of the last pass, unknown ones first."""
    took = {p.run.slot: kept.seconds(config.root, p.run.notebook) for p in planned if p.due}
    due = [p for p in planned if p.due]
    return sorted(due, key=lambda p: -(took[p.run.slot] or float("inf")))


def _side_by_side() -> int:
    """As many lessons as cores, as long as memory lasts."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(workers.cores(), memory // ONE_LESSON))
