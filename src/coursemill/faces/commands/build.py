"""`coursemill build`: write the notebooks, and nbgrader's student editions."""

from __future__ import annotations

import sys
import time
from collections.abc import Sized
from contextlib import ExitStack
from dataclasses import asdict

import click

from coursemill.course import build
from coursemill.course.build import Built
from coursemill.faces import cli, terminal
from coursemill.pure import codes

OURS = {codes.DIAGRAM.code, codes.NOT_INSTALLED.code}
"""Warnings that `coursemill check` does not know."""
PATIENCE = 2.0
"""Seconds after which a progress bar is shown."""


@click.command("build")
@click.argument("lessons", nargs=-1, metavar="[LESSON]...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 when a file is not what its note says.")
@click.option("--jobs", type=click.IntRange(1), default=None, help="Processes.  [default: as many as pay]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.pass_context
def command(ctx: click.Context, lessons: tuple[str, ...], check: bool, jobs: int | None, as_json: bool) -> None:
    """Write the notebooks, and nbgrader's student editions.

    LESSON is a name, a path, a folder, a worksheet, or a glob of names or paths; all lessons when there is none.
    Each becomes <worksheet>/<Note>.ipynb in three folders: notebooks/ (worked, runs from top to bottom), source/
    (for the instructor) and release/ (for students, made by nbgrader's generate_assignment). Only what changed
    is built again. What was built of notes that are gone is removed; files that the build did not write stay.
    A note with errors keeps the notebooks that it has; the others are built.

    \b
    coursemill build                    everything
    coursemill build My_Lesson WS_1     a lesson, and all lessons of a worksheet
    coursemill build --check            in CI: are the committed notebooks those of the notes?

    --json prints one object: `built` and `kept` (with errors) list notes, `written` and `removed` list files,
    `unchanged` is a number, `stale` (with --check) lists objects with `path`, `state` (missing, stale or orphaned)
    and `note`; `findings` are as in `coursemill check --json`.

    Exit codes: 0 everything is built, 1 a note has errors or, with --check, a file is not as it should be.
    """
    config = cli.course(ctx)
    with Bar() as bar:
        result = build.build(config, cli.from_here(config, lessons), check=check, jobs=jobs or 0, on_progress=bar)
    if as_json:
        terminal.show_json(asdict(result))
    else:
        show(result)
    sys.exit(cli.OK if result.ok else cli.PROBLEMS)


class Bar:
    """A progress bar for what takes longer than a moment."""

    def __enter__(self) -> Bar:
        self.begun = time.monotonic()
        self.stack = ExitStack()
        self.display: terminal.Display | None = None
        return self

    def __exit__(self, *reason: object) -> None:
        self.stack.close()

    def __call__(self, done: int, total: int, name: str) -> None:
        if self.display:
            self.display.finish(name)
        elif time.monotonic() - self.begun > PATIENCE:
            self.display = self.stack.enter_context(terminal.progress("notebooks", total))
            for _ in range(done):
                self.display.finish(name)


def show(result: Built) -> None:
    """Print what a person has to know: errors, what the build warns of, stale files, and how much was done."""
    told = [f for f in result.findings if f.severity == "error" or f.code in OURS]
    terminal.show_findings(told)
    for one in result.stale:
        terminal.show(f"{one.path} is {one.state}" + (f" ({one.note})" if one.note else ""))
    if result.stale:
        are = "is" if len(result.stale) == 1 else "are"
        advice = "run `coursemill build` and commit what it writes"
        terminal.show(f"{_count(result.stale, 'file')} {are} not what the notes say: {advice}")
    terminal.show(summary(result, len(result.findings) - len(told)))


def summary(result: Built, untold: int = 0) -> str:
    """One line: how much was done, and how long it took; `untold` warnings are left to `coursemill check`."""
    was = "it was" if len(result.kept) == 1 else "they were"
    parts = [f"built {len(result.built)}", f"unchanged {result.unchanged}"]
    parts += [f"removed {_count(result.removed, 'file')}"] if result.removed else []
    parts += [f"kept {len(result.kept)} with errors as {was}"] if result.kept else []
    parts += [f"{_count(range(untold), 'warning')} (see `coursemill check`)"] if untold else []
    return f"{', '.join(parts)}: {result.seconds:.1f} s"


def _count(things: Sized, what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"
