"""`coursemill feedback`: write what students get back."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import click

from coursemill.course import feedback as course_feedback
from coursemill.course.feedback import Request, Result, Returned
from coursemill.faces import cli, terminal


@click.command("feedback")
@click.argument("worksheet")
@click.option("--student", "students", multiple=True, metavar="ID", help="Only this student's; may be repeated.")
@click.option("--rubrics", is_flag=True, help="Show model answers and rubrics of questions that are graded, too.")
@click.option("--force", is_flag=True, help="Write pages also where they stand as they are.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@click.pass_context
def command(
    ctx: click.Context, worksheet: str, students: tuple[str, ...], rubrics: bool, force: bool, as_json: bool
) -> None:
    """Write a page for each student of WORKSHEET: their answers, how each test ended, points, hints, comments.

    The pages are in feedback/<student>/<worksheet>/: index.html for the whole worksheet, and one for each notebook,
    which `nbgrader release_feedback` hands out. Each is one file that runs nothing and loads nothing. What hidden
    tests try is not in it, nor are solutions; model answers and rubrics are with --rubrics.

    Grade first: pages are made of the last results. What a person has yet to grade is named as such.

    \b
    coursemill feedback WS_First
    coursemill feedback WS_First --student anna --student ben
    nbgrader release_feedback WS_First

    Exit codes: 0 all pages stand, 1 some could not be made.
    """
    config = cli.course(ctx)
    with _Watch() as watch:
        result = course_feedback.feedback(config, Request(worksheet, students, force, rubrics), watch)
    if as_json:
        terminal.show_json(data(result))
    else:
        _show(result)
    sys.exit(cli.PROBLEMS if result.problems else cli.OK)


def data(result: Result) -> dict[str, Any]:
    """Everything about it, as JSON's values."""
    return {"worksheet": result.worksheet, "students": [asdict(one) for one in result.students]}


class _Watch:
    """Live progress, and a line for each page that could not be made."""

    def __enter__(self) -> _Watch:
        self.stack = ExitStack()
        return self

    def __exit__(self, *reason: object) -> None:
        self.stack.close()

    def begin(self, total: int) -> None:
        self.display = self.stack.enter_context(terminal.progress("pages", total))

    def end(self, returned: Returned) -> None:
        line = f"failed {returned.student}: {returned.reason}" if returned.status == "failed" else ""
        self.display.finish(returned.student, line)


def _show(result: Result) -> None:
    if not result.students:
        terminal.show(f"Nobody has handed in anything for {result.worksheet}.")
        return
    columns = ("student", "page", terminal.Column("points", right=True), terminal.Column("of", right=True), "pending")
    terminal.show(terminal.table(columns, map(_row, result.students)))
    counts = {word: sum(one.status == word for one in result.students) for word in ("written", "unchanged", "failed")}
    said = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    folder = next((one.path.split("/")[0] for one in result.students if one.path), "")
    terminal.show(f"{said}{f': see {folder}/' if folder else ''}")
    if waiting := sum(one.pending > 0 for one in result.students):
        who = "1 student waits" if waiting == 1 else f"{waiting} students wait"
        terminal.show(f"{who} for points that a person gives: grade them in formgrader, then run this again.")


def _row(one: Returned) -> tuple[object, ...]:
    if one.status == "failed":
        return (one.student, "failed", "", "", "")
    return (one.student, one.status, round(one.score, 2), one.points, round(one.pending, 2) if one.pending else "")
