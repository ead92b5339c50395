"""`coursemill collect`: bring what students handed in elsewhere to `submitted/`."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import click

from coursemill.course import collect
from coursemill.course.collect import Left, Request, Result, Taken
from coursemill.faces import cli, terminal
from coursemill.pure.grading.quotas import MB, Quotas

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ANY = click.Path(exists=True, path_type=Path)
PATIENCE = 2.0
"""Seconds until progress is shown."""
WOULD = {"taken": "would be taken", "replaced": "would be replaced"}
SHOWN = 8
"""Lines of what was not taken of one student's folder, so that nobody's hides another's."""


@click.command("collect")
@click.argument("sources", nargs=-1, required=True, type=ANY, metavar="ARCHIVE|DIR…")
@click.option("--worksheet", required=True, metavar="WS", help="The worksheet that was handed in.")
@click.option("--students", type=FILE, metavar="CSV", help="A class list, whose first line names the columns.")
@click.option("--pattern", default="", metavar="REGEX", help="How files are named, with (?P<student_id>…).")
@click.option("--force", is_flag=True, help="Replace submissions that stand there, whichever is later.")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken.")
@click.option("--mtime", is_flag=True, help="Let a file's time in the archive be when it was handed in.")
@click.option("--max-file", type=click.IntRange(1), metavar="MB", help="The largest file.  [default: 64]")
@click.option("--max-student", type=click.IntRange(1), metavar="MB", help="A student's files together.  [default: 256]")
@click.option("--max-total", type=click.IntRange(1), metavar="MB", help="All that is read.  [default: 8192]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@click.pass_context
def command(
    ctx: click.Context,
    sources: tuple[Path, ...],
    worksheet: str,
    students: Path | None,
    pattern: str,
    force: bool,
    dry_run: bool,
    mtime: bool,
    max_file: int | None,
    max_student: int | None,
    max_total: int | None,
    as_json: bool,
) -> None:
    """Bring what students handed in elsewhere to submitted/<student>/<worksheet>/.

    Each ARCHIVE is a zip or a tar (also .gz, .bz2, .xz) or a notebook, each DIR a folder of them: exports of Moodle,
    Canvas, Gradescope and nbgrader's exchange, a folder or an archive for each student, or files such as
    `jane_nb.ipynb`. What a file is, its content says. Nothing in an archive can write anywhere else, links are not
    followed, and bombs are refused.

    \b
    coursemill collect moodle.zip --worksheet WS1 --students grades.csv
    coursemill collect submissions.zip late.zip --worksheet WS1 --dry-run
    coursemill collect ~/exchange/course/inbound --worksheet WS1
    coursemill collect all.tar.gz --worksheet WS1 --pattern '(?P<student_id>\\w+)-(?P<file_id>\\w+)'

    Students are known by the gradebook and by --students: Moodle's grading worksheet or list of participants,
    Canvas's gradebook, or columns such as id, first_name, last_name, email. Others are taken, too, under a name that
    is made of theirs, and marked. Notebooks that were renamed are known by their cells. Of several attempts the
    latest is taken; a submission that stands there is kept, unless the new one is later, or with --force.

    The pattern is tried on a file's path in the archive, then on its name; it may have the groups of
    `nbgrader zip_collect`: student_id, file_id, first_name, last_name, email, timestamp.

    --json prints `worksheet`, `taken` (objects with `student`, `known`, `name`, `status`: taken, replaced, unchanged
    or kept, `notebooks`, `missing`, `others`, `size`, `when`, `reason`), `refused` and `left` (`where`, `reason`,
    `student`), `skipped` and `dry_run`.

    Exit codes: 0 all was taken, 1 something was refused that looked like a submission, or kept, 2 wrong usage.
    """
    config = cli.course(ctx)
    given = {"file": max_file, "student": max_student, "total": max_total}
    quotas = replace(Quotas(), **{name: number * MB for name, number in given.items() if number})
    request = Request(worksheet, sources, students, pattern, force, dry_run, mtime, quotas)
    with _Watch() as watch:
        result = collect.collect(config, request, watch)
    if as_json:
        terminal.show_json({**asdict(result), "dry_run": dry_run, "complete": result.complete})
    else:
        _show(result, dry_run)
    sys.exit(cli.OK if result.complete else cli.PROBLEMS)


class _Watch:
    """Progress, if it takes long."""

    def __enter__(self) -> _Watch:
        self.begun, self.sources = time.monotonic(), 0
        self.display: terminal.Display | None = None
        self.context: AbstractContextManager[terminal.Display] | None = None
        return self

    def __exit__(self, *reason: object) -> None:
        if self.context:
            self.context.__exit__(None, None, None)

    def begin(self, sources: int) -> None:
        self.sources = sources

    def step(self, source: str, done: int, total: int) -> None:
        if self.display is None and time.monotonic() - self.begun > PATIENCE:
            self.context = terminal.progress("archives", self.sources)
            self.display = self.context.__enter__()
        if self.display:
            self.display.update(source, done, total)

    def end(self, source: str) -> None:
        if self.display:
            self.display.finish(source)


def _show(result: Result, dry_run: bool) -> None:
    if result.taken:
        terminal.show(_table(result, dry_run))
    _lines("error", result.refused)
    _lines("left out", result.left)
    terminal.show(_summary(result, dry_run))


def _lines(word: str, pile: tuple[Left, ...]) -> None:
    groups: defaultdict[str, list[Left]] = defaultdict(list)
    for one in pile:
        groups[one.where.partition("/")[0]].append(one)
    for place, group in groups.items():
        for one in group[:SHOWN]:
            terminal.show(f"{word}: {one.where}: {one.reason}" + (f" ({one.student})" if one.student else ""))
        if len(group) > SHOWN:
            terminal.show(f"{word}: {place}: {len(group) - SHOWN:,} more, which --json names")


def _table(result: Result, dry_run: bool) -> terminal.Table:
    columns = (
        "student",
        terminal.Column("named", spare=2),
        "notebook",
        "from",
        terminal.Column("kB", right=True, spare=1),
        terminal.Column("handed in (UTC)", keep=True, spare=3),
        "what",
    )
    rows = [row for one in result.taken for row in _rows(one, result.listed, dry_run)]
    return terminal.table(columns, rows)


def _rows(one: Taken, listed: bool, dry_run: bool) -> list[tuple[str, str, str, str, str, str, str]]:
    """A row a notebook; the student's name stands in the first."""
    mark = "" if one.known or not listed else " (unknown)"
    more = [f"without {', '.join(one.missing)}"] if one.missing else []
    more += [f"and {one.others} file{'' if one.others == 1 else 's'} beside"] if one.others else []
    what = "; ".join([WOULD.get(one.status, one.status) if dry_run else one.status, *more, *filter(None, [one.reason])])
    first = True
    rows = []
    for got in one.notebooks:
        student = (f"{one.student}{mark}", "" if one.name == one.student else one.name) if first else ("", "")
        size = f"{got.size / 1000:,.1f}"
        rows.append(
            (*student, got.notebook, got.origin, size, _moment(one.when) if first else "", what if first else "")
        )
        first = False
    return rows


def _moment(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when else ""


def _summary(result: Result, dry_run: bool) -> str:
    counts: dict[str, int] = {}
    for one in result.taken:
        said = WOULD.get(one.status, one.status) if dry_run else one.status
        counts[said] = counts.get(said, 0) + 1
    counts |= {"refused": len(result.refused), "left out": len(result.left), "skipped": result.skipped}
    said = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    unknown = sum(not one.known for one in result.taken)
    students = f"{result.worksheet}: {len(result.taken):,} student{'' if len(result.taken) == 1 else 's'}"
    known = f"; {unknown:,} of them are in no list: see `unknown`" if unknown and result.listed else ""
    return f"{students}: {said}{known}" if said else f"{result.worksheet}: nothing was found"
