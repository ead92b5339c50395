"""`coursemill report`: what a class's results show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from coursemill.course import classreport
from coursemill.errors import CoursemillError
from coursemill.faces import cli, terminal
from coursemill.pure.grading import classpage
from coursemill.pure.grading.classpage import KIND_WORDS, ClassReport
from coursemill.pure.grading.lms import Format
from coursemill.pure.grading.statistics import ExerciseFigures

FILE = click.Path(dir_okay=False, path_type=Path)
FORMATS = ("canvas", "moodle", "nbgrader")


@click.command("report")
@click.argument("worksheet")
@click.option("--html", type=FILE, help="Where to write the page.  [default: build/reports/class-WORKSHEET.html]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the tables.")
@click.option(
    "--csv", "exported", nargs=2, type=(click.Choice(FORMATS), FILE), metavar="FORMAT FILE", help="Write the grades."
)
@click.option("--roster", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What the LMS exported.")
@click.option("--anonymous", is_flag=True, help="Number the students, in an order that says nothing.")
@click.pass_context
def command(
    ctx: click.Context,
    worksheet: str,
    html: Path | None,
    as_json: bool,
    exported: tuple[Format, Path] | None,
    roster: Path | None,
    anonymous: bool,
) -> None:
    """Show what the results of WORKSHEET say about the class, the exercises and the tests.

    The page is one file that loads nothing: distribution, difficulty and discrimination of each exercise, common wrong
    answers, how tests ended, and what an instructor should look at. It is made of the last results: grade first. What
    each number means is in docs/report.md.

    \b
    coursemill report WS_First
    coursemill report WS_First --csv canvas grades.csv --roster export-from-canvas.csv
    coursemill report WS_First --csv moodle grades.csv --roster grading-worksheet.csv
    coursemill report WS_First --anonymous --html for-the-team.html

    FORMAT is canvas, moodle or nbgrader (the columns of `nbgrader export`). With --roster the rows and ids are those of
    the LMS; a student with answers that a person has yet to grade is left empty there.

    Exit codes: 0 all good, 1 nothing is graded, or students are not in the roster.
    """
    if anonymous and exported:
        raise click.UsageError("grades for an LMS need names: leave --anonymous out")
    if roster and not exported:
        raise click.UsageError("--roster goes with --csv")
    config = cli.course(ctx)
    made = classreport.report(config, worksheet, anonymous=anonymous)
    page = classreport.write_page(config, made, html)
    if as_json:
        terminal.show_json(classpage.data(made))
    else:
        show(made, page)
    if exported:
        found = classreport.export(config, made, exported[0], roster)
        classreport.write_export(found, exported[1])
        for note in found.notes:
            terminal.show(f"{exported[0]}: {note}", stderr=True)
        terminal.show(f"Grades: {exported[1]}", stderr=as_json)
        if found.unmatched:
            who = classpage.some(found.unmatched)
            raise CoursemillError(f"not in the list of students, and in no grades: {who}", where=str(roster))


def show(made: ClassReport, page: Path) -> None:
    """Print the report in short, and where its page is."""
    found = made.statistics
    terminal.show(_exercises(made))
    if found.spread:
        middle = f"median {_points(found.spread.median)}, mean {_points(found.spread.mean)}"
        terminal.show(f"{found.handed} handed in: {middle} of {_points(found.points)} points")
    if found.absent:
        terminal.show(f"{len(found.absent)} handed nothing in: {classpage.some(found.absent)}")
    if made.ungraded:
        terminal.show(f"warning {len(made.ungraded)} are not graded yet: {classpage.some(made.ungraded)}")
    terminal.show(f"Reliability: {classpage.decimal(found.reliability.alpha)}. {classpage.reading(found.reliability)}")
    kinds = Counter(flag.kind for flag in made.flags)
    if kinds:
        terminal.show("To look at: " + ", ".join(f"{number} {KIND_WORDS[kind]}" for kind, number in kinds.items()))
    terminal.show(f"Report: {page}")


def _exercises(made: ClassReport) -> terminal.Table:
    several = len({one.exercise.notebook for one in made.statistics.exercises}) > 1
    columns = (
        *((terminal.Column("notebook", spare=3),) if several else ()),
        terminal.Column("exercise", keep=True),
        terminal.Column("points", right=True),
        terminal.Column("difficulty", right=True),
        terminal.Column("r", right=True),
        terminal.Column("upper−lower", right=True, spare=2),
        terminal.Column("unanswered", right=True, spare=1),
        "remarks",
    )
    rows = [_row(one, several=several) for one in made.statistics.exercises]
    return terminal.table(columns, rows, title=f"{made.worksheet}: the class")


def _row(one: ExerciseFigures, *, several: bool) -> tuple[object, ...]:
    figures = one.figures
    return (
        *((one.exercise.notebook,) if several else ()),
        one.exercise.id,
        _points(figures.points),
        classpage.share(figures.difficulty),
        classpage.decimal(figures.correlation),
        classpage.decimal(figures.index),
        one.unanswered or "",
        "; ".join(filter(None, (_waiting(one.pending), classpage.remarks(one)))),
    )


def _waiting(answers: int) -> str:
    return f"{answers} wait for a person" if answers > 1 else "1 waits for a person" if answers else ""


def _points(value: float) -> str:
    return classpage.points(value)
