"""`coursemill prove`: show that every exercise is sound."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import click

from coursemill.course import prove as course_prove
from coursemill.course.modes import Modes
from coursemill.course.prove import LessonProof, Proven, Request
from coursemill.faces import cli, terminal
from coursemill.model import Lesson
from coursemill.pure.grading import modes as modes_of
from coursemill.pure.grading.modes import Examined
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

    How each test is examined when it is graded is decided on the solution, in the sandbox, and kept:

    \b
    isolated       the test runs in a process of its own, which an answer cannot reach: hard to fool
    in-candidate   the test needs the answer's live objects: it must withstand the cheats by itself, and runs
                   among twins that expect something else and must fail. It is said why, and what to do.

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
            "exercises": [_exercise(proof, one.modes) for proof in one.proofs],
            "undecided": one.modes.undecided if one.modes else "nobody asked",
            "problems": [asdict(problem) for problem in one.problems],
        }
        for one in result.lessons
    ]
    isolated, tests = _isolated(result)
    return {
        "sound": not result.problems and not result.interrupted,
        "seconds": round(result.seconds, 3),
        "isolated": isolated,
        "tests": tests,
        "lessons": lessons,
    }


def _exercise(proof: Proof, modes: Modes | None) -> dict[str, Any]:
    """A proof, with how its tests are examined; `isolated` and `in_candidate` are null where that is undecided."""
    tests = _tests(proof, modes)
    isolated, total = modes_of.counted(tests)
    known = len(tests) == proof.tests
    return {
        **to_data(proof),
        "isolated": isolated if known else None,
        "in_candidate": total - isolated if known else None,
        "modes": [asdict(test) for test in tests],
    }


def _tests(proof: Proof, modes: Modes | None) -> list[Examined]:
    """How the tests of an exercise are examined."""
    own = {outcome.test for tried in proof.tried for outcome in tried.outcomes}
    return [test for test in modes.tests if test.test in own] if modes else []


def _isolated(result: Proven) -> tuple[int, int]:
    """How many tests are isolated, of those of which it is decided."""
    return modes_of.counted(test for lesson in result.lessons if lesson.modes for test in lesson.modes.tests)


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
        for line in _advice(lesson):
            terminal.show(line)
    terminal.show(f"\n{_summary(result)}")


def _advice(lesson: LessonProof) -> Iterator[str]:
    """Help for authors: why a test is not isolated, and how it would be; why nothing is known of any."""
    if lesson.modes is None:
        return
    if lesson.modes.undecided:
        fix = f" ({lesson.modes.fix})" if lesson.modes.fix else ""
        yield f"how the tests are examined is not decided: {lesson.modes.undecided}{fix}"
    for test in lesson.modes.tests:
        if test.mode == "in-candidate":
            yield f"{test.place}: {test.test} is in-candidate{_twins(test)}: {test.why} ({test.fix})"


def _twins(test: Examined) -> str:
    return "" if test.twins else ", without twins"


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
    rows = (_row(proof, lesson.modes) for proof in lesson.proofs)
    return terminal.table(columns, rows, title=f"{lesson.lesson} ({lesson.seconds:.1f} s)")


def _row(proof: Proof, modes: Modes | None) -> tuple[object, ...]:
    cells = (_counted(proof, "solution"), _counted(proof, "stub"), _counted(proof, "wrong", "choice"))
    return (proof.id, proof.tests, proof.points, *cells, _counted(proof, "cheat"), _mode(proof, modes))


def _mode(proof: Proof, modes: Modes | None) -> str:
    isolated, tests = modes_of.counted(_tests(proof, modes))
    if not tests:
        return "undecided" if modes and proof.tried else ""
    live = tests - isolated
    return "isolated" if not live else "in-candidate" if not isolated else f"in-candidate {live}/{tests}"


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
    isolated, tests = _isolated(result)
    modes = f", {isolated} of {tests} tests isolated" if tests else ""
    tried = f"{exercises} exercises and quizzes, {answers} answers tried in {result.seconds:.1f} s{modes}"
    found = len(result.problems)
    if not found:
        return f"{tried}: all sound" if answers else tried
    return f"{tried}: {found} {'problem' if found == 1 else 'problems'}"
