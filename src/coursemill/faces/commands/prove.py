"""`coursemill prove`: show that every exercise is sound."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import click

from coursemill.course import prove as course_prove
from coursemill.course.prove import LessonProof, Proven, Request
from coursemill.faces import cli, terminal
from coursemill.model import Lesson
from coursemill.pure.proof import Proof, to_data
from coursemill.pure.trials import Kind

INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""


@click.command("prove")
@click.argument("lessons", nargs=-1)
@click.option("--jobs", type=click.IntRange(1), help="Lessons side by side.  [default: one a core]")
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=Request().patience,
    show_default=True,
    help="Seconds that an answer may take; one may always take five times as long as the solution.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the tables.")
@click.pass_context
def command(ctx: click.Context, lessons: tuple[str, ...], jobs: int | None, patience: float, as_json: bool) -> None:
    """Show that every exercise is sound: what deserves points gets them, and nothing else does.

    LESSONS are names or paths of notes, or worksheets; all lessons when there are none. For each exercise the
    solution must pass every test, the untouched stub must fail every test (but for `given=true`), each wrong
    answer must get exactly its score, and cheats must get nothing: an object that equals everything, and
    functions that return such objects. Of a quiz every other choice is tried.

    \b
    isolated       the test works on data that crosses from answer to test by value: hard to fool
    in-candidate   the test needs the answer's live objects: it must withstand the cheats by itself

    Exit codes: 0 all is sound, 1 something is not, 130 interrupted.
    """
    config = cli.course(ctx)
    with _Watch() as watch:
        result = course_prove.prove(config, Request(cli.from_here(config, lessons), jobs or 0, patience), watch)
    if as_json:
        terminal.show_json(data(result))
    else:
        _show(result)
    sys.exit(INTERRUPTED if result.interrupted else cli.PROBLEMS if result.problems else cli.OK)


def data(result: Proven) -> dict[str, Any]:
    """Everything that was found out, as JSON's values."""
    lessons = [
        {
            **{
                name: getattr(one, name)
                for name in ("lesson", "note", "worksheet", "status", "reason", "fix", "seconds")
            },
            "exercises": [to_data(proof) for proof in one.proofs],
            "problems": [asdict(problem) for problem in one.problems],
        }
        for one in result.lessons
    ]
    return {
        "sound": not result.problems and not result.interrupted,
        "seconds": round(result.seconds, 3),
        "lessons": lessons,
    }


class _Watch(course_prove.Watch):
    """Live progress: a bar for each lesson, a line for each that ended."""

    def __enter__(self) -> _Watch:
        self.stack = ExitStack()
        return self

    def __exit__(self, *reason: object) -> None:
        self.stack.close()

    def begin(self, total: int) -> None:
        self.display = self.stack.enter_context(terminal.progress("lessons", total))

    def step(self, lesson: Lesson, done: int, total: int) -> None:
        self.display.update(lesson.path, done, total, f"{lesson.name}: answer {done} of {total}")

    def end(self, proven: LessonProof) -> None:
        why = f": {proven.reason}" if proven.reason else ""
        took = f" {proven.seconds:.1f} s" if proven.seconds else ""
        self.display.finish(proven.note, f"{proven.status} {proven.lesson}{took}{why}")


def _show(result: Proven) -> None:
    if not result.lessons:
        terminal.show("There is nothing to prove: no lesson here has exercises or quizzes.")
        return
    for lesson in result.lessons:
        terminal.show("")
        terminal.show(_table(lesson) if lesson.proofs else f"{lesson.status} {lesson.lesson}: {_why(lesson)}")
        for problem in (*lesson.problems, *(p for proof in lesson.proofs for p in proof.problems)):
            terminal.show(str(problem))
    terminal.show(f"\n{_summary(result)}")


def _table(lesson: LessonProof) -> terminal.Table:
    columns: tuple[terminal.Column | str, ...] = (
        terminal.Column("exercise", keep=True),
        terminal.Column("tests", right=True, spare=1),
        terminal.Column("points", right=True),
        terminal.Column("solution", keep=True),
        terminal.Column("stub", keep=True),
        "wrong answers",
        terminal.Column("cheats", keep=True),
        "mode",
    )
    return terminal.table(columns, map(_row, lesson.proofs), title=f"{lesson.lesson} ({lesson.seconds:.1f} s)")


def _row(proof: Proof) -> tuple[object, ...]:
    isolated, live = proof.modes
    mode = "isolated" if not live else "in-candidate" if not isolated else f"in-candidate {live}/{isolated + live}"
    cells = (_counted(proof, "solution"), _counted(proof, "stub"), _counted(proof, "wrong", "choice"))
    return (proof.id, proof.tests, proof.points, *cells, _counted(proof, "cheat"), mode if isolated + live else "")


def _counted(proof: Proof, *kinds: Kind) -> str:
    good, tried = proof.counted(*kinds)
    if not tried:
        return ""
    many = f" {good}/{tried}" if tried > 1 else ""
    return f"{'ok' if good == tried else 'failed'}{many}"


def _why(lesson: LessonProof) -> str:
    return f"{lesson.reason} ({lesson.fix})" if lesson.fix else lesson.reason


def _summary(result: Proven) -> str:
    exercises = sum(len(lesson.proofs) for lesson in result.lessons)
    answers = sum(lesson.variants for lesson in result.lessons)
    tried = f"{exercises} exercises and quizzes, {answers} answers tried in {result.seconds:.1f} s"
    found = len(result.problems)
    if not found:
        return f"{tried}: all sound" if answers else tried
    return f"{tried}: {found} {'problem' if found == 1 else 'problems'}"
