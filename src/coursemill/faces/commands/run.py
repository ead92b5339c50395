"""`coursemill run`: execute lessons and show what happened."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

import click

from coursemill.course import run as course_run
from coursemill.course.plan import Request
from coursemill.faces import cli, terminal
from coursemill.model import ACCELERATORS, Accelerator
from coursemill.pure import report
from coursemill.pure.outcome import Report, Run

SPARE = {"imports": 5, "worksheet": 4, "points": 3, "exercises": 2, "shown": 1}
"""Columns that a narrow terminal does without; those with high numbers go first."""
INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""
FILE = click.Path(dir_okay=False, path_type=Path)
KERNEL = click.Choice(ACCELERATORS)


@click.command("run")
@click.argument("lessons", nargs=-1)
@click.option("--kernel", "kernels", type=KERNEL, multiple=True, default=("cpu",), show_default=True, help="Run on it.")
@click.option("--jobs", type=click.IntRange(1), help="Lessons side by side.  [default: as cores and memory allow]")
@click.option("--fresh", is_flag=True, help="Run also what passed before and has not changed since.")
@click.option("--sandbox", is_flag=True, help="Run them as students' code is run: kept in, with limits.")
@click.option("--no-preload", is_flag=True, help="With --sandbox: start every kernel cold, which is slower.")
@click.option("-p", "--parameter", "parameters", nargs=2, multiple=True, metavar="NAME VALUE", help="Set a parameter.")
@click.option("--require", type=KERNEL, multiple=True, help="Run on it; exit with 3 when it is not available.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@click.option("--junit", type=FILE, help="Write JUnit XML.")
@click.option("--html", type=FILE, help="Where to write the HTML page.  [default: build/reports/run.html]")
@click.pass_context
def command(
    ctx: click.Context,
    lessons: tuple[str, ...],
    kernels: tuple[Accelerator, ...],
    jobs: int | None,
    fresh: bool,
    sandbox: bool,
    no_preload: bool,
    parameters: tuple[tuple[str, str], ...],
    require: tuple[Accelerator, ...],
    as_json: bool,
    junit: Path | None,
    html: Path | None,
) -> None:
    """Execute the lessons headless and show what happened.

    LESSONS are names or paths of notes, or worksheets; all lessons when there are none. Each runs in a process
    and a directory of its own, its worked notebook made from the note as it stands. Executed notebooks are kept
    in build/runs/. What passed before is not run again while its notebook, files, parameters, kernel and
    environment are the same. A pass counts only with its statements: a lesson whose code is comments, or imports
    alone, is `empty` and fails the run; `shown` are the Python blocks that are not run.

    \b
    coursemill run --kernel gpu Note      one lesson on a GPU
    coursemill run -p epochs 1            every lesson that has this parameter
    coursemill run --sandbox              where students' code will be run, too

    Exit codes: 0 all that can run here passed, 1 something failed, 3 a required kernel is not available,
    130 interrupted.
    """
    config = cli.course(ctx)
    request = Request(
        cli.from_here(config, lessons), kernels, jobs or 0, fresh, parameters, require, sandbox, not no_preload
    )
    with _Watch() as watch:
        result = course_run.run(config, request, watch)
    page = course_run.write_page(config, result, html)
    if junit:
        course_run.write_junit(result, junit)
    if as_json:
        terminal.show_json(report.data(result))
    else:
        _show(result, page)
    sys.exit(exit_code(result))


def exit_code(result: Report) -> int:
    """What the shell is told; problems of the course come before what the machine lacks."""
    if result.interrupted:
        return INTERRUPTED
    if result.problems:
        return cli.PROBLEMS
    return cli.UNAVAILABLE if result.lacking else cli.OK


class _Watch:
    """Live progress: a bar for each lesson that runs, a line for each that ended."""

    def __enter__(self) -> _Watch:
        self.display: terminal.Display | None = None
        self.context: AbstractContextManager[terminal.Display] | None = None
        return self

    def __exit__(self, *reason: object) -> None:
        if self.context:
            self.context.__exit__(None, None, None)

    def begin(self, total: int) -> None:
        self.context = terminal.progress("lessons", total)
        self.display = self.context.__enter__()

    def step(self, run: Run, done: int, total: int) -> None:
        if self.display:
            self.display.update(_name(run), done - 1, total, f"cell {done} of {total}")

    def end(self, run: Run) -> None:
        if self.display:
            told = "" if run.cached or run.status == "not offered" else _line(run)
            self.display.finish(_name(run), told)


def _line(run: Run) -> str:
    took = f" {run.seconds:.1f} s" if run.seconds else ""
    why = f": {run.reason}" if run.reason else ""
    return f"{run.label} {_name(run)}{took}{why}"


def _name(run: Run) -> str:
    return f"{run.lesson} on {run.kernel}"


def _show(result: Report, page: Path) -> None:
    if not result.runs:
        terminal.show("There are no lessons: a lesson is a note with `worksheet:` in its front matter.")
        return
    terminal.show(_table(result))
    for run in result.runs:
        if run.problem:
            terminal.show(f"\n{run.label} {_name(run)}" + ("" if run.failures else f": {run.reason}"))
            for failure in run.failures:
                terminal.show(report.explain(failure))
    lacking = {(r.reason, r.fix): r.kernel for r in result.runs if r.status == "unavailable"}
    for (reason, fix), kernel in lacking.items():
        terminal.show(f"unavailable: {reason} ({fix})" if fix else f"unavailable on {kernel}: {reason}")
    terminal.show(f"Report: {page}")


def _table(result: Report) -> terminal.Table:
    several = len({run.worksheet for run in result.runs}) > 1
    totals = result.totals
    some = [name for name in ("imports", "shown") if totals[name]]
    figures = ("seconds", "statements", *some, "exercises", "points")
    right = [terminal.Column(name, right=True, spare=SPARE.get(name, 0)) for name in figures]
    first = (terminal.Column("worksheet", spare=SPARE["worksheet"]),) if several else ()
    columns: tuple[terminal.Column | str, ...] = (
        *first,
        "lesson",
        terminal.Column("kernel", keep=True),
        terminal.Column("status", keep=True),
        *right,
    )
    rows = []
    for run in sorted(result.runs, key=lambda r: (r.worksheet, r.lesson)):
        ran = run.seconds or run.statements
        took = (f"{run.seconds:.1f}", run.statements) if ran else ("", "")
        others = [getattr(run, name) or "" for name in some]
        names = (run.worksheet, run.lesson) if several else (run.lesson,)
        rows.append((*names, run.kernel, run.label, *took, *others, run.exercises, run.points))
    lessons = {run.note: run for run in result.runs}.values()
    counts = ", ".join(f"{number} {status}" for status, number in result.counts().items())
    total = (
        *([""] if several else []),
        f"{len(lessons)} lesson{'' if len(lessons) == 1 else 's'}: {counts}",
        "",
        "",
        f"{result.seconds:.1f}",
        totals["statements"],
        *(totals[name] for name in some),
        sum(run.exercises for run in lessons),
        sum(run.points for run in lessons),
    )
    return terminal.table(columns, rows, total=total)
