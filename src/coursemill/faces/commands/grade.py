"""`coursemill grade`: a class's submissions into the gradebook."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import click

from coursemill.course import grade as course_grade
from coursemill.course.grade import Graded, Request
from coursemill.effects.grading.journal import Slot, Trouble
from coursemill.faces import cli, terminal
from coursemill.pure.grading import account
from coursemill.pure.grading.account import Regrade
from coursemill.pure.grading.plan import Plan
from coursemill.pure.grading.standing import Standing
from coursemill.pure.grading.standing import to_data as standing_data
from coursemill.pure.grading.verdict import STATUSES, Verdict

INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""
BEAT = 10.0
"""Seconds between lines that say how far it is, where nothing can be redrawn."""
SHOWN = 40
"""Regrades that are shown; all of them are in --json."""
SAID = 80
"""Characters of a trouble in the table."""


@click.command("grade")
@click.argument("worksheet")
@click.option("--student", "students", multiple=True, metavar="ID", help="Only this student; may be given repeatedly.")
@click.option("--jobs", type=click.IntRange(1), help="Notebooks side by side.  [default: one a core]")
@click.option("--scheduler", metavar="URL", default="", help="Let Dask's workers do it: tcp://host:8786.")
@click.option("--fresh", is_flag=True, help="Run also what has a result that still holds.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="What a cell may take.  [default: ten times what the solution takes, at least 30]",
)
@click.option(
    "--trust-submissions",
    "trust",
    is_flag=True,
    envvar="COURSEMILL_TRUST_SUBMISSIONS",
    help="Run students' code without a sandbox, with your rights.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@click.pass_context
def command(
    ctx: click.Context,
    worksheet: str,
    students: tuple[str, ...],
    jobs: int | None,
    scheduler: str,
    fresh: bool,
    timeout: float | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Grade what students handed in for WORKSHEET.

    Reads submitted/ and writes nbgrader's gradebook and autograded/, so that Formgrader, `nbgrader export` and
    feedback show the same. It works in every nbgrader course. What a person graded is kept; what waits for a person
    is shown as pending. What was graded before and has not changed since is not run again; when a test was mended or
    points changed, it says whose grade is another now, and why. Stopped at any moment, it goes on where it was.

    \b
    coursemill grade WS1                     everybody
    coursemill grade WS1 --student ada       one student
    coursemill grade WS1 --jobs 8 --json     with eight processes, for a program
    coursemill grade WS1 --scheduler tcp://head:8786

    Exit codes: 0 all were graded, whatever their points; 1 some could not be graded to their end (their kernel died,
    they cannot be read), or a test fails on the instructor's own solution, or something cannot be written; 2 wrong
    usage or settings; 3 no sandbox, or no scheduler; 130 interrupted.
    """
    config = cli.course(ctx)
    request = Request(worksheet, students, jobs or 0, scheduler, fresh, timeout or 0.0, trust)
    with _Watch() as watch:
        result = course_grade.grade(config, request, watch)
    if as_json:
        terminal.show_json(data(result))
    else:
        _show(result)
    sys.exit(INTERRUPTED if result.interrupted else cli.OK if result.ok else cli.PROBLEMS)


def data(result: Graded) -> dict[str, Any]:
    """Everything that was found out, as JSON's values."""
    return {
        "worksheet": result.worksheet,
        "ok": result.ok and not result.interrupted,
        "interrupted": result.interrupted,
        "seconds": round(result.seconds, 3),
        "notebooks": result.notebooks,
        "ran": result.ran,
        "students": [
            {
                **standing_data(one),
                "score": one.score,
                "points": one.points,
                "pending": one.pending,
                "outcomes": dict(one.outcomes()),
            }
            for one in result.standings
        ],
        "verdicts": [
            {"student": one.student, "notebook": sheet.notebook, "score": sheet.score}
            | {name: getattr(sheet, name) for name in ("seconds", "own", "memory", "trouble")}
            for one in result.standings
            for sheet in one.sheets
        ],
        "nothing_handed_in": list(result.idle),
        "refused": dict(result.refused),
        "regrades": [account.to_data(one) for one in result.regrades],
        "solution_fails": [asdict(one) for one in result.troubles],
        "not_graded_to_the_end": list(result.unfinished),
        "lost": dict(result.lost),
    }


class _Watch(course_grade.Watch):
    """Live progress: how many are done, how many have failing tests, how fast, how long it will take."""

    def __enter__(self) -> _Watch:
        self.stack = ExitStack()
        self.done, self.failing, self.total, self.said = 0, 0, 0, 0.0
        return self

    def __exit__(self, *reason: object) -> None:
        self.stack.close()

    def waiting(self) -> None:
        terminal.show("Another grader works on this course: waiting for it.", stderr=True)

    def begin(self, worksheet: str, total: int, known: int) -> None:
        self.total, self.began = total - known, time.monotonic()
        if self.total:
            self.display = self.stack.enter_context(terminal.progress(worksheet, self.total))
            as_before = f", {known} as before" if known else ""
            self._line(f"{self.total} to run{as_before}; first the instructor's own solution")

    def rehearsed(self, notebook: str, plan: Plan) -> None:
        if faulty := sum(bool(look.trouble) for look in plan.looks.values()):
            self._line(f"failed: the instructor's own solution of {notebook} does not pass {_counted(faulty, 'test')}")

    def end(self, slot: Slot, verdict: Verdict) -> None:
        self.done += 1
        self.failing += any(outcome.status != "passed" for outcome in verdict.outcomes)
        ended = Counter(o.status for o in verdict.outcomes)
        told = [name for name in ("died", "limit", "unreadable") if ended[name]]
        where = f"{slot.student}/{slot.notebook}"
        self.display.finish(where, f"{told[0]} {where}: {verdict.trouble}" if told else "")
        self.display.update("", self.done, self.total, self._so_far())
        if time.monotonic() - self.said > BEAT:
            self._line(f"{self.done} of {self.total} done, {self._so_far()}")

    def write(self) -> None:
        if self.total:
            self.display.update("", self.done, self.total, "writing the gradebook")

    def _so_far(self) -> str:
        took = time.monotonic() - self.began
        rate = self.done / took if took else 0.0
        left = (self.total - self.done) / rate if rate else 0.0
        return f"{self.failing} with failing tests, {rate:.1f}/s, {_minutes(left)} left"

    def _line(self, text: str) -> None:
        self.said = time.monotonic()
        if terminal.is_plain(stderr=True):
            terminal.show(text, stderr=True)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _show(result: Graded) -> None:
    if result.standings:
        terminal.show(_table(result))
    for reason, tests in _by_reason(result).items():
        names = f"`{tests[0].test}`" + (f" and {_counted(len(tests) - 1, 'other test')}" if len(tests) > 1 else "")
        terminal.show(f"{tests[0].place}: the instructor's own solution does not pass {names}: {reason}")
    for where, why in (*result.lost.items(), *result.refused.items()):
        terminal.show(f"error: {where}: {why}")
    if result.regrades:
        terminal.show(_regrades(result.regrades))
    if result.idle:
        names = ", ".join(result.idle[:SHOWN])
        more = f" and {len(result.idle) - SHOWN} more" if len(result.idle) > SHOWN else ""
        terminal.show(f"Nothing handed in: {names}{more}")
    terminal.show(_summary(result))


def _by_reason(result: Graded) -> dict[str, list[Trouble]]:
    found: dict[str, list[Trouble]] = {}
    for one in result.troubles:
        found.setdefault(one.reason, []).append(one)
    return found


def _table(result: Graded) -> terminal.Table:
    columns: tuple[terminal.Column | str, ...] = (
        terminal.Column("student"),
        terminal.Column("score", right=True),
        terminal.Column("points", right=True),
        terminal.Column("pending", right=True),
        "tests",
        "notes",
    )
    rows = [(s.student, s.score, s.points, s.pending or "", _tests(s), _notes(s)) for s in result.standings]
    return terminal.table(columns, rows, title=result.worksheet)


def _tests(standing: Standing) -> str:
    """Outcomes other than passed."""
    ended = standing.outcomes()
    if not ended:
        return ""
    told = ", ".join(f"{ended[name]} {name}" for name in STATUSES if name != "passed" and ended[name])
    return told or "all passed"


def _notes(standing: Standing) -> str:
    return ", ".join(_remarks(standing))


def _remarks(standing: Standing) -> Iterator[str]:
    if put_right := sum(len(sheet.notes) for sheet in standing.sheets):
        yield f"{put_right} put right"
    if penalty := sum(sheet.penalty for sheet in standing.sheets):
        yield f"late: -{penalty:g}"
    if manual := sum(mark.manual for _, mark in standing.marks()):
        yield f"{manual} by hand"
    for trouble in dict.fromkeys(sheet.trouble for sheet in standing.sheets if sheet.trouble):
        yield trouble if len(trouble) <= SAID else f"{trouble[:SAID]}…"


def _regrades(regrades: tuple[Regrade, ...]) -> terminal.Table:
    columns: tuple[terminal.Column | str, ...] = (
        "regraded",
        terminal.Column("before", right=True),
        terminal.Column("now", right=True),
        "why",
        terminal.Column("where", spare=1),
    )
    rows = [
        (
            one.student,
            f"{one.before:g}/{one.points_before:g}",
            f"{one.after:g}/{one.points_after:g}",
            ", ".join(one.why),
            ", ".join(dict.fromkeys(f"{c.notebook}/{c.cell}".rstrip("/") for c in one.changes)),
        )
        for one in regrades[:SHOWN]
    ]
    more = [(f"and {len(regrades) - SHOWN} more: --json", "", "", "", "")] if len(regrades) > SHOWN else []
    return terminal.table(columns, [*rows, *more])


def _summary(result: Graded) -> str:
    if result.interrupted:
        return f"Interrupted: {result.ran} results are kept; grade again, and the others are run."
    if not result.notebooks:
        return f"Nothing was handed in for {result.worksheet}."
    students = len(result.standings)
    pending = sum(1 for one in result.standings if one.pending)
    said = [_counted(students, "student"), f"{_counted(result.notebooks, 'notebook')}, {result.ran} run"]
    if pending:
        said.append(f"{pending} wait for a person")
    if result.unfinished:
        said.append(f"{len(result.unfinished)} not graded to the end")
    if result.regrades:
        said.append(f"{len(result.regrades)} regraded")
    return f"{'; '.join(said)}; {result.seconds:.1f} s"
