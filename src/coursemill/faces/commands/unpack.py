"""`coursemill unpack`: write the notes of a chat transcript into a vault."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from coursemill.course import unpack
from coursemill.course.unpack import Placed, Result
from coursemill.errors import CoursemillError
from coursemill.faces import cli, terminal
from coursemill.pure.transcript import Range

WOULD = {"written": "would be written", "overwritten": "would be overwritten"}
FRAME = {"fence", "name", "blank"}


@click.command("unpack")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--into", type=click.Path(path_type=Path), required=True, metavar="VAULT", help="The folder for the notes."
)
@click.option("--force", is_flag=True, help="Write over files that stand there.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(file: str, into: Path, force: bool, dry_run: bool, as_json: bool) -> None:
    """Write the notes of a chat transcript into a vault.

    FILE is a chat that was saved as text (`-`: what is piped in). Its notes stand in fences of three or more
    backticks or tildes, each with a line such as `Filename: folder/Note.md` above its fence or in it. They are written
    byte for byte as they stand there, at their paths in VAULT, which can be any folder and is made if it is missing.

    \b
    coursemill unpack chat.txt --into notes --dry-run    look first
    coursemill unpack chat.txt --into notes              write the notes

    Every line of FILE is accounted for: as a note's, a fence, a name, chat, blank, or unknown. Nothing that stands in
    the vault is overwritten without --force, and nothing is written outside of it.

    --json prints one object: `file`, `into`, `dry_run`, `lines` (a number), `totals` (kind to number of lines),
    `ranges` (objects with `kind`, `start`, `end`: lines from 1), `remarks` (`line`, `message`), and `notes`: objects
    with `path`, `outcome` (written, overwritten, unchanged, twice or refused), `why`, `start`, `end`, `named` (the
    name's line), `closed`, `shifted`, `bytes` and `sha256`.

    Exit codes: 0 all notes are there now, 1 one was refused, or none found.
    """
    where = "the input" if file == "-" else file
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CoursemillError(f"it cannot be read: {error.strerror or error}", where=where) from error
    result = unpack.unpack(data, into, where=where, force=force, dry_run=dry_run)
    if as_json:
        terminal.show_json({"file": where, "into": str(into), "dry_run": dry_run, **_as_json(result)})
    else:
        _show(result, where, into, dry_run)
    sys.exit(cli.PROBLEMS if result.refused else cli.OK)


def _as_json(result: Result) -> dict[str, object]:
    found = result.found
    return {
        "lines": found.lines,
        "totals": found.totals(),
        "ranges": [asdict(one) for one in found.ranges],
        "remarks": [asdict(one) for one in found.remarks],
        "notes": [
            {
                "path": one.note.path,
                "outcome": one.outcome,
                "why": one.why,
                **{name: getattr(one.note, name) for name in ("start", "end", "named", "closed", "shifted")},
                "bytes": len(one.note.data),
                "sha256": one.digest,
            }
            for one in result.notes
        ],
    }


def _show(result: Result, where: str, into: Path, dry_run: bool) -> None:
    columns = ("lines", terminal.Column("count", right=True), "what", "note")
    rows = list(_rows(result, dry_run))
    total = ("", f"{result.found.lines:,}", "all lines", "")
    terminal.show(terminal.table(columns, rows, title=f"Every line of {where}", total=total))
    terminal.show(f"{result.found.lines:,} lines: {_totals(result)}")
    for remark in result.found.remarks:
        terminal.show(f"{where}:{remark.line}: {remark.message}")
    for one in result.refused:
        terminal.show(f"{where}:{one.note.named}: refused `{one.note.path}`: {one.why}")
    terminal.show(_summary(result, into, dry_run))


def _rows(result: Result, dry_run: bool) -> Iterator[tuple[str, str, str, str]]:
    """A row a note, and one for all that stands between two of them and is of one sort."""
    notes = {one.note.start: one for one in result.notes if one.note.end >= one.note.start}
    empty = [one for one in result.notes if one.note.end < one.note.start]
    for kinds, start, end in _grouped(result.found.ranges):
        placed = notes.get(start) if kinds == ["note"] else None
        yield _row(start, end, " and ".join(kinds), placed, dry_run)
        for one in [one for one in empty if start <= one.note.start <= end + 1]:
            empty.remove(one)
            yield ("", "0", f"note, {_outcome(one, dry_run)}", one.note.path)


def _row(start: int, end: int, what: str, placed: Placed | None, dry_run: bool) -> tuple[str, str, str, str]:
    lines = f"{start}-{end}" if end > start else str(start)
    said = f"note, {_outcome(placed, dry_run)}" if placed else what
    return lines, f"{end - start + 1:,}", said, placed.note.path if placed else ""


def _grouped(ranges: tuple[Range, ...]) -> Iterator[tuple[list[str], int, int]]:
    """Ranges, with blank lines put to what stands beside them, and names to fences."""
    kinds: list[str] = []
    start = end = 0
    for one in ranges:
        same = kinds and (one.kind == "blank" or kinds == ["blank"] or (one.kind in FRAME and set(kinds) <= FRAME))
        if same and one.kind != "note" and kinds != ["note"]:
            kinds = [k for k in [*kinds, one.kind] if k != "blank" or {*kinds, one.kind} == {"blank"}]
            kinds = list(dict.fromkeys(kinds))
        else:
            if kinds:
                yield kinds, start, end
            kinds, start = [one.kind], one.start
        end = one.end
    if kinds:
        yield kinds, start, end


def _outcome(placed: Placed, dry_run: bool) -> str:
    return WOULD.get(placed.outcome, placed.outcome) if dry_run else placed.outcome


def _totals(result: Result) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in result.found.totals().items())


def _summary(result: Result, into: Path, dry_run: bool) -> str:
    counts: dict[str, int] = {}
    for one in result.notes:
        counts[_outcome(one, dry_run)] = counts.get(_outcome(one, dry_run), 0) + 1
    said = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items())
    notes = f"{len(result.notes):,} note{'' if len(result.notes) == 1 else 's'}"
    return f"{notes} for {into}: {said}"
