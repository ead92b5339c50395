"""The `coursemill` command: a verb's module is imported when the verb is used, so that help is instant."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from coursemill import __version__, config
from coursemill.errors import ConfigError, CoursemillError, Unavailable, UsageError

OK, PROBLEMS, USAGE, UNAVAILABLE = 0, 1, 2, 3

VERBS = {
    "new": "Write a small note that uses every part of the syntax.",
    "unpack": "Write the notes of a chat transcript into a vault.",
    "triage": "Say what the blocks of raw notes are, and propose what makes lessons of them.",
    "check": "Look for mistakes in the notes, without executing them.",
    "links": "Show which notes link to which, and which are missing.",
    "build": "Write the notebooks, and nbgrader's student editions.",
    "watch": "Rebuild what changes while you write.",
    "run": "Execute the lessons headless and show what happened.",
    "prove": "Show that each exercise is sound: solution, stub, wrong answers, cheats.",
    "collect": "Bring what students handed in elsewhere to submitted/.",
    "grade": "Grade what a class handed in, into nbgrader's gradebook.",
    "feedback": "Write what students get back: a page each.",
    "report": "Show what a class's results say about students, exercises and tests.",
    "demo": "Make up a class for a worksheet, grade it, and show the report.",
    "kernels": "Show which kernels this machine has, and why not the others.",
    "doctor": "Show what protects this machine from students' code.",
}


class Verbs(click.Group):
    """A click group whose commands are `coursemill.faces.commands.<verb>.command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"coursemill.faces.commands.{cmd_name}")
        if not gc.isenabled():
            gc.freeze()  # what was imported stays: it need never be looked through
            gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="coursemill")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The course's folder.  [default: the nearest one at or above here]",
)
@click.pass_context
def cli(ctx: click.Context, root: Path | None) -> None:
    """Turn a vault of Markdown notes into an auto-graded Jupyter course.

    \b
    coursemill check                 look for mistakes
    coursemill build                 write notebooks/, source/ and release/
    coursemill run --jobs 2          execute every lesson
    coursemill prove                 show that every exercise is sound

    Exit codes: 0 all good, 1 the course has problems, 2 wrong usage or settings,
    3 something that was required is not available on this machine.
    """
    ctx.obj = root


def course(ctx: click.Context) -> config.Config:
    """The settings of the course that the command was called in; raises ConfigError."""
    root: Path | None = ctx.find_root().obj
    return config.load(root.resolve() if root else config.find_root(Path.cwd()))


def from_here(course: config.Config, names: Sequence[str]) -> tuple[str, ...]:
    """Names of notes as a person typed them: what is a path from here becomes one from the course's root."""
    return tuple(_from_root(course.root, name) for name in names)


def main() -> None:
    """Run the command line; errors that a person can act on are one line on stderr."""
    gc.disable()  # until everything is imported
    _in_utf8()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show a name still gets the rest
    try:
        cli.main(prog_name="coursemill")
    except Unavailable as error:
        sys.exit(_say(error, UNAVAILABLE))
    except (ConfigError, UsageError) as error:
        sys.exit(_say(error, USAGE))
    except CoursemillError as error:
        sys.exit(_say(error, PROBLEMS))
    finally:
        gc.freeze()  # else Python looks through everything once more at its end, for half a second after nbgrader


def _in_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale says otherwise: names must mean the same everywhere."""
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "coursemill", *sys.argv[1:]])


def _from_root(root: Path, name: str) -> str:
    path = Path.cwd() / name
    try:
        return path.resolve().relative_to(root).as_posix() if name and path.exists() else name
    except (OSError, ValueError):  # a name that is too long, NUL bytes; a path outside of the course
        return name


def _say(error: CoursemillError, code: int) -> int:
    click.echo(f"coursemill: {error}", err=True)
    return code
