"""`coursemill demo`: a made-up class, graded, for those who want to see before they believe."""

from __future__ import annotations

import os
import shlex
import statistics
import sys
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from coursemill.course import demo as course_demo
from coursemill.course.demo import Demo, Request
from coursemill.effects.grading.journal import Slot
from coursemill.faces import cli, terminal
from coursemill.pure.grading.students import Student
from coursemill.pure.grading.verdict import Verdict

INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""
SHOWN = 6
"""Failures of a kind that are shown."""
NAMED = 2
"""Students who are named of several that did the same."""
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("demo")
@click.argument("worksheet")
@click.option("--students", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How many there are.")
@click.option("--seed", default=1, show_default=True, help="Another number makes another class.")
@click.option("--into", type=FOLDER, help="A new folder for it.  [default: build/demo/WORKSHEET]")
@click.option("--jobs", type=click.IntRange(1), help="Notebooks side by side.  [default: one a core]")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="What a cell may take.")
@click.option(
    "--open/--no-open", "opened", default=None, help="Open the report in a browser.  [default: if there is one]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the story.")
@click.pass_context
def command(
    ctx: click.Context,
    worksheet: str,
    students: int,
    seed: int,
    into: Path | None,
    jobs: int | None,
    timeout: float | None,
    opened: bool | None,
    as_json: bool,
) -> None:
    """Make up a class for WORKSHEET, grade it, and show the report.

    Made-up students of all abilities hand in: some know everything, some nothing; they give the wrong answers that the
    notes foresee, make small mistakes, copy from one another. A few attack the grader: they end Python, loop, flood,
    forge metadata, delete tests, answer with objects that equal everything, hand in broken notebooks or links. All of
    it is graded as a real class is, with feedback pages and a report, and then compared with what each deserves.

    It works in every nbgrader course, in a copy of it: your own submissions and gradebook are not touched. The same
    seed makes the same class.

    \b
    coursemill demo WS_First
    coursemill demo WS_First --students 200 --seed 7 --into /tmp/class --no-open

    Exit codes: 0 everybody got what they deserve, 1 somebody did not, 3 no sandbox, 130 interrupted.
    """
    config = cli.course(ctx)
    request = Request(worksheet, students, seed, into, jobs or 0, timeout or 0.0)
    try:
        with _Watch(quiet=as_json) as watch:
            made = course_demo.demo(config, request, watch)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if as_json:
        terminal.show_json(data(made))
    else:
        _show(made, worksheet)
    if opened or (opened is None and not as_json and _has_display()):
        webbrowser.open(made.page.resolve().as_uri())
    sys.exit(cli.OK if made.ok else cli.PROBLEMS)


def data(made: Demo) -> dict[str, Any]:
    """Everything about it, as JSON's values."""
    students = [
        {name: getattr(one, name) for name in ("id", "first", "last", "kind", "story", "twin")}
        | {"score": _total(made, one), "deserves": dict(one.deserves)}
        for one in made.students
    ]
    return {
        "ok": made.ok,
        "root": str(made.root),
        "report": str(made.page),
        "feedback": str(made.feedback),
        "points": made.points,
        "seconds": round(made.graded.seconds, 3),
        "students": students,
        "checks": [{**asdict(check), "ok": check.ok} for check in made.checks],
    }


class _Watch(course_demo.Watch):
    """Tells who hands in, and how grading goes."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def __enter__(self) -> _Watch:
        self.stack = ExitStack()
        self.display: terminal.Display | None = None
        return self

    def __exit__(self, *reason: object) -> None:
        self.stack.close()

    def made(self, root: Path, students: tuple[Student, ...]) -> None:
        self.known = {student.id: student for student in students}
        if not self.quiet:
            terminal.show(f"{len(students)} made-up students hand in, in {_near(root)}.", stderr=True)

    def begin(self, worksheet: str, total: int, known: int) -> None:
        if total - known:
            self.display = self.stack.enter_context(terminal.progress("notebooks", total - known))

    def end(self, slot: Slot, verdict: Verdict) -> None:
        student = self.known[slot.student]
        if self.display:
            line = f"{slot.student}, who {student.story}: {verdict.score:g} of {verdict.points:g}"
            self.display.finish(f"{slot.student}/{slot.notebook}", "" if self.quiet else line)

    def returned(self) -> None:
        self.stack.close()
        if not self.quiet:
            terminal.show("Now their feedback, and your report.", stderr=True)


def _show(made: Demo, worksheet: str) -> None:
    several = [one for one in made.students if one.kind in ("foreseen", "regular")]
    rows = [
        *_lines(made, [one for one in made.students if one.kind in ("solution", "untouched")]),
        *(row for kind in ("foreseen", "regular") for row in _summed(made, [s for s in several if s.kind == kind])),
        *_lines(made, [one for one in made.students if one.kind in ("copy", "attack")]),
    ]
    columns = (terminal.Column("who", keep=True), "what they did", terminal.Column("points", right=True))
    terminal.show(terminal.table(columns, rows, title=f"{worksheet}: {len(made.students)} made-up students"))
    for check in made.checks:
        terminal.show(f"{'ok' if check.ok else 'failed'} {check.what}")
        for failure in check.failures[:SHOWN]:
            terminal.show(f"   {failure}")
        if len(check.failures) > SHOWN:
            terminal.show(f"   and {len(check.failures) - SHOWN} more: --json has them all")
    troubles = made.graded.troubles
    for trouble in troubles[:SHOWN]:
        terminal.show(
            f"warning {trouble.place}: {trouble.test} fails on the instructor's own solution: {trouble.reason}"
        )
    if len(troubles) > SHOWN:
        terminal.show(f"   and {len(troubles) - SHOWN} more tests")
    found = made.report.statistics
    if found.spread:
        terminal.show(f"\nThe class has a median of {found.spread.median:g} of {found.points:g} points.")
    terminal.show(f"Report:   {_near(made.page)}")
    pages = sorted(made.feedback.glob(f"*/{worksheet}/index.html"))
    if pages:
        terminal.show(f"Feedback: {_near(pages[0])} and {len(pages) - 1} more")
    root = shlex.quote(str(_near(made.root)))
    terminal.show(f"Look around in it: coursemill --root {root} report {shlex.quote(worksheet)}")


def _lines(made: Demo, students: Sequence[Student]) -> Iterator[tuple[str, str, str]]:
    for one in students:
        yield f"{one.first} {one.last}", one.story, f"{_total(made, one):g} of {made.points:g}"


def _summed(made: Demo, students: Sequence[Student]) -> Iterator[tuple[str, str, str]]:
    """A line for several of a kind."""
    if not students:
        return
    totals = sorted(_total(made, one) for one in students)
    middle = f" (median {statistics.median(totals):g})" if len(totals) > 2 else ""
    span = f"{totals[0]:g}" if totals[0] == totals[-1] else f"{totals[0]:g} to {totals[-1]:g}"
    what = {
        "foreseen": "give wrong answers that the notes foresee, all else right",
        "regular": "know some of it: right answers, mistakes, gaps",
    }[students[0].kind]
    more = len(students) - NAMED
    names = ", ".join(one.first for one in students[:NAMED]) + (f" and {more} more" if more > 0 else "")
    yield names, f"{what}{middle}", span


def _total(made: Demo, student: Student) -> float:
    return sum(made.scores.get(student.id, {}).values())


def _near(path: Path) -> Path:
    """The path as one types it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _has_display() -> bool:
    """Whether a browser with windows can be opened by who looks at this terminal."""
    windows = sys.platform in ("darwin", "win32") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    return windows and sys.stdout.isatty() and "SSH_CONNECTION" not in os.environ
