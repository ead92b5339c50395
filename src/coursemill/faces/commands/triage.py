"""`coursemill triage`: what the blocks of raw notes are, and what makes lessons of them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import click

from coursemill import config as settings
from coursemill.config import Config
from coursemill.course import triage
from coursemill.course.triage import Looked, Result
from coursemill.errors import ConfigError, CoursemillError
from coursemill.faces import cli, terminal
from coursemill.faces.terminal import Column
from coursemill.model import Finding
from coursemill.pure import codes
from coursemill.pure.fences import PYTHON
from coursemill.pure.raw.triage import Row


@click.command("triage")
@click.argument("notes", nargs=-1, metavar="[NOTE]...")
@click.option("--write", is_flag=True, help="Write what is proposed into the notes.")
@click.option("--diff", "as_diff", is_flag=True, help="Print the proposals as a unified diff, and nothing else.")
@click.option("--blocks", is_flag=True, help="Show the blocks of each note, also of several.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.pass_context
def command(
    ctx: click.Context, notes: tuple[str, ...], write: bool, as_diff: bool, blocks: bool, as_json: bool
) -> None:
    """Say what the code blocks of raw notes are, and propose what makes lessons of them.

    NOTE is a file or a folder, wherever it is; in a course also a name, a worksheet, or a glob of names or paths, and
    all notes of the course when there is none. Nothing is executed.

    Proposed are: commented-out code made code again, where it parses; role="file" for blocks that begin with a path;
    role="output" claims from comments such as `# Output: 42`, and from fences of output; role="show" with the reason
    for code that cannot run; and ends for fences that lack one. Whole lines give way to others, all else keeps every
    byte. What an author has marked up by roles and tasks is left alone. A second triage proposes nothing.

    Counted are statements that a run executes; what is only shown, or written as a file, has none.

    \b
    coursemill triage raw.md                     its blocks, and what is wrong in them
    coursemill triage --diff | patch -p1         review, then apply what is proposed
    coursemill triage --write "TensorFlow_*"     write it at once

    The diff's paths count from the course's root for notes of a course, else from here, and else (a folder
    elsewhere) from that folder: that is where `patch -p1` or `git apply` is called. --write replaces each file as a
    whole and refuses one that has changed meanwhile.

    --json prints one object: `totals` (`notes`, `blocks`, `python`, `kinds`, statements `now` and `after`), `notes`
    (objects with `path`, `blocks`, `edits` and `diff`; a block has `start`, `end`, `language`, `kind`, `now`, `after`
    and `proposed`; an edit has `start`, `end` and the `lines` in their place), `findings` as `check --json` has them,
    and `written` and `refused`, for --write.

    Exit codes: 0 nothing to propose or to report, 1 proposals or findings, 2 wrong usage. With --write: 0 when all of
    it is written, whatever is left to report, 1 when a note was refused.
    """
    result = _looked(ctx, notes)
    refused = _write(result.notes) if write else {}
    if as_diff:
        click.echo(result.diff.encode("utf-8", "surrogateescape"), nl=False)
    elif as_json:
        terminal.show_json(_data(result, write, refused))
    else:
        _show(result, blocks, write, refused)
    if as_diff or as_json or write:
        for finding in result.unread:
            terminal.show(str(finding), stderr=True)
    for path, error in refused.items():
        terminal.show(f"{path} is not written: {error.what} ({error.fix})", stderr=True)
    wrong = refused or result.unread if write else result.proposed or result.findings
    sys.exit(cli.PROBLEMS if wrong else cli.OK)


def _looked(ctx: click.Context, names: Sequence[str]) -> Result:
    config = _course(ctx, needed=not names)
    try:
        files = triage.find(config, names, Path.cwd())
    except CoursemillError as error:
        raise click.UsageError(str(error), ctx) from error
    with terminal.progress("notes", len(files)) as display:
        return triage.look(files, display.finish)


def _course(ctx: click.Context, *, needed: bool) -> Config | None:
    """The course here; without one, notes are files."""
    if ctx.find_root().obj is None and not needed:
        try:
            settings.find_root(Path.cwd())
        except ConfigError:
            return None
    return cli.course(ctx)


def _write(notes: Iterable[Looked]) -> dict[str, CoursemillError]:
    """Write all that is proposed; return what was refused, by path."""
    refused = {}
    for looked in notes:
        try:
            if looked.note.edits:
                triage.write(looked)
        except CoursemillError as error:
            refused[looked.note.path] = error
    return refused


def _show(result: Result, blocks: bool, write: bool, refused: dict[str, CoursemillError]) -> None:
    for looked in result.notes if blocks or len(result.notes) == 1 else ():
        if looked.note.rows:
            terminal.show(_blocks(looked))
    if len(result.notes) > 1:
        terminal.show(_notes(result))
    rows = [row for looked in result.notes for row in looked.note.rows]
    kinds = ", ".join(f"{number} {kind}" for kind, number in Counter(row.kind for row in rows).most_common())
    python = sum(row.language in PYTHON for row in rows)
    told = f", {_count(python, 'of them Python', 'of them Python')}: {kinds}" if rows else ""
    terminal.show(f"{_count(len(rows), 'block')} in {_count(len(result.notes), 'note')}{told}")
    now, after = _statements(rows)
    terminal.show(f"Statements that are executed: {now} now, {after} {'after that' if write else 'as proposed'}")
    terminal.show_findings(result.findings)
    if result.findings:
        terminal.show(_count(len(result.findings), "finding"))
    changed = [looked.note for looked in result.notes if looked.note.edits]
    if write:
        terminal.show(f"{_count(len(changed) - len(refused), 'note')} written.")
    elif changed:
        terminal.show(f"Proposed for {_count(len(changed), 'note')}: --diff shows it, --write writes it.")
    else:
        terminal.show("Nothing is proposed.")


def _blocks(looked: Looked) -> terminal.Table:
    rows = [
        (f"{row.span.start}-{row.span.end}", row.language, row.kind, row.now, row.after, ", ".join(row.proposed))
        for row in looked.note.rows
    ]
    columns = [Column("lines", keep=True), Column("language", spare=1), Column("kind", keep=True)]
    counts = [Column("now", right=True), Column("after", right=True)]
    total = ("", "", "", *_statements(looked.note.rows), "")
    return terminal.table([*columns, *counts, "proposed"], rows, title=looked.note.path, total=total)


def _notes(result: Result) -> terminal.Table:
    rows = []
    for looked in result.notes:
        note = looked.note
        python = sum(row.language in PYTHON for row in note.rows)
        proposed = sum(bool(row.proposed) for row in note.rows)
        name = PurePosixPath(note.path).name.removesuffix(".md")
        rows.append((name, len(note.rows), python, *_statements(note.rows), proposed, len(note.findings)))
    numbers = ("blocks", "Python", "now", "after", "proposed", "findings")
    total = ("", *(sum(int(row[n]) for row in rows) for n in range(1, len(numbers) + 1)))
    columns = [Column(name, right=True, spare=name == "Python") for name in numbers]
    return terminal.table(["note", *columns], rows, total=total)


def _statements(rows: Iterable[Row]) -> tuple[int, int]:
    """Statements that are executed now, and afterwards."""
    rows = list(rows)
    return sum(row.now for row in rows), sum(row.after for row in rows)


def _data(result: Result, write: bool, refused: dict[str, CoursemillError]) -> dict[str, Any]:
    rows = [row for looked in result.notes for row in looked.note.rows]
    now, after = _statements(rows)
    changed = [looked.note.path for looked in result.notes if looked.note.edits]
    return {
        "totals": {
            "notes": len(result.notes),
            "blocks": len(rows),
            "python": sum(row.language in PYTHON for row in rows),
            "kinds": Counter(row.kind for row in rows),
            "now": now,
            "after": after,
        },
        "notes": [_note(looked) for looked in result.notes],
        "findings": [_finding(finding) for finding in result.findings],
        "written": [path for path in changed if path not in refused] if write else [],
        "refused": [{"path": path, "why": error.what} for path, error in refused.items()],
    }


def _note(looked: Looked) -> dict[str, Any]:
    blocks = [{"start": row.span.start, "end": row.span.end, **asdict(row)} for row in looked.note.rows]
    for block in blocks:
        del block["span"]
    edits = [asdict(edit) for edit in looked.note.edits]
    return {"path": looked.note.path, "blocks": blocks, "edits": edits, "diff": looked.note.diff}


def _finding(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "name": codes.REGISTRY[finding.code].name}


def _count(number: int, what: str, several: str = "") -> str:
    return f"{number:,} {what if number == 1 else several or f'{what}s'}"
