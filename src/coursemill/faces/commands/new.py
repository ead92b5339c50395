"""`coursemill new`: write a small note that uses every piece of the syntax."""

from __future__ import annotations

import posixpath
from datetime import date
from pathlib import Path

import click

from coursemill.config import Config
from coursemill.course import new
from coursemill.faces import cli, terminal


@click.command("new")
@click.argument("note")
@click.option("--worksheet", default="", metavar="NAME", help="The lesson's worksheet.  [default: the only one]")
@click.option("--title", default="", help="The lesson's title.  [default: the note's name]")
@click.pass_context
def command(ctx: click.Context, note: str, worksheet: str, title: str) -> None:
    """Write a small note that uses every piece of the syntax.

    NOTE is a path inside the vault, or from here when you are in the vault; `.md` may be left out. The note is a
    whole lesson that explains itself: it builds, runs and proves as it is. Change it into yours.

    \b
    coursemill new First_lesson
    coursemill new 160_Python_Libraries/Pandas/Joins --worksheet WS_Pandas_1 --title "Joining tables"

    No file is ever overwritten.
    """
    config = cli.course(ctx)
    path = new.new(config, _from_here(config, note), worksheet=worksheet, title=title, today=date.today())
    name = Path(path).stem
    terminal.show(f"{path} is written. Look at it in your editor, then:")
    terminal.show(
        f'  coursemill check "{name}"\n  coursemill build\n  coursemill run "{name}"\n  coursemill prove "{name}"'
    )


def _from_here(config: Config, note: str) -> str:
    """What was typed in a folder of the vault counts from there."""
    vault, here = config.path(config.notes).resolve(), Path.cwd()
    if here == vault or not here.is_relative_to(vault) or note.startswith("/"):
        return note
    return posixpath.normpath(posixpath.join(here.relative_to(vault).as_posix(), note))
