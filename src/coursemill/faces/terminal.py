"""What the commands show: tables that fit, live progress, findings, JSON.

Rich is imported for tables and terminals alone: lines in a file or a pipe don't wait for it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import click

from coursemill.model import Finding
from coursemill.pure import codes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table as Table  # the commands' too
    from rich.text import Text

Piece = tuple[str, str]
"""A text and how it looks, in Rich's words."""
FindingsFormat = Literal["text", "json", "github"]
PLAIN_WIDTH = 120
"""Columns when the output is no terminal (a file, a CI log) and COLUMNS does not say."""
STYLES = {
    "passed": "green",
    "ok": "green",
    "available": "green",
    "failed": "bold red",
    "error": "bold red",
    "died": "bold red",
    "timeout": "bold red",
    "empty": "yellow",
    "warning": "yellow",
    "unavailable": "yellow",
    "cancelled": "yellow",
    "not offered": "dim",
}
"""Words that stand for a state, wherever they stand first in a table's cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; `right` for numbers, `keep` for what may not be broken over two lines.

    One that is `spare` is left out where the terminal is too narrow for the whole table; of several, the one with the
    highest number first.
    """

    header: str
    right: bool = False
    keep: bool = False
    spare: int = 0


class Display(Protocol):
    """Live progress: one bar a running thing, and a line that stays for each that has ended."""

    def update(self, key: str, done: int, total: int, note: str = "") -> None: ...

    def finish(self, key: str, line: str = "") -> None: ...


def console(*, stderr: bool = False) -> Console:
    """Return a console for stdout or stderr: as wide as the terminal, no guesses at markup or colours."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)


def is_plain(*, stderr: bool = False) -> bool:
    """Whether the output is no terminal, and nobody asks for colours all the same."""
    stream = sys.stderr if stderr else sys.stdout
    return not stream.isatty() and not os.environ.get("FORCE_COLOR") and "TTY_COMPATIBLE" not in os.environ


def table(
    columns: Sequence[Column | str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    total: Sequence[object] = (),
) -> Table:
    """Lay out `rows`, with `total` as the last line; words for states are coloured, long cells fold."""
    from rich.measure import Measurement

    given = [column if isinstance(column, Column) else Column(column) for column in columns]
    lines = [list(row) for row in (*rows, *([total] if total else []))]
    screen = console()
    wide = screen.options.update(max_width=10_000)
    while True:
        made = _laid_out(given, lines, bool(total), title)
        spared = max(given, key=lambda column: column.spare)
        names = _laid_out(given, lines[: len(lines) - bool(total)], False, "")  # the last line's words may fold
        if not spared.spare or Measurement.get(screen, wide, names).maximum <= screen.width:
            return made
        place = given.index(spared)
        given = given[:place] + given[place + 1 :]
        lines = [row[:place] + row[place + 1 :] for row in lines]


def _laid_out(columns: Sequence[Column], rows: Sequence[Sequence[object]], total: bool, title: str) -> Table:
    from rich import box
    from rich.table import Table

    from coursemill.faces.folding import Folding

    def cells(row: Sequence[object]) -> Iterator[Text]:
        found = zip(columns, map(_cell, row), strict=True)
        return (text if column.keep or column.right else Folding.of(text) for column, text in found)

    made = Table(title=title or None, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    made.padding = (0, 1, 0, 0)
    for column in columns:
        keep = column.keep or column.right
        made.add_column(
            column.header, justify="right" if column.right else "left", no_wrap=keep, overflow="fold", min_width=4
        )
    for row in rows[: len(rows) - total]:
        made.add_row(*cells(row))
    if total:
        made.add_section()
        made.add_row(*cells(rows[-1]), style="bold")
    return made


def show(what: Table | str, *, stderr: bool = False) -> None:
    """Print a table or a text; a text's lines are never broken, so that `path:line` stays clickable."""
    if isinstance(what, str):
        _show_pieces([(what, "")], stderr=stderr)
    else:
        console(stderr=stderr).print(what)


def show_json(data: object) -> None:
    """Print `data` as JSON, dataclasses as objects."""
    click.echo(json.dumps(data, indent=2, default=_plain))  # ASCII, and may be many megabytes, which rich takes apart


def show_findings(findings: Iterable[Finding], form: FindingsFormat = "text") -> None:
    """Print findings, sorted by place: as lines, as a JSON list, or as GitHub's annotations."""
    ordered = sorted(findings)
    if form == "json":
        show_json(ordered)
    for finding in ordered if form != "json" else ():
        if form == "github":
            show(annotation(finding))
        else:
            _show_pieces(_finding(finding))


def annotation(finding: Finding) -> str:
    """GitHub's workflow command for a finding.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    values = {
        "file": finding.path,
        "line": str(finding.line),
        "col": str(finding.col),
        "title": f"{finding.code} {codes.REGISTRY[finding.code].name}",
    }
    properties = ",".join(f"{k}={_escaped(v, ':,')}" for k, v in values.items())
    advice = f" ({finding.fix})" if finding.fix else ""
    return f"::{finding.severity} {properties}::{_escaped(finding.message + advice)}"


@contextmanager
def progress(label: str, total: int) -> Iterator[Display]:
    """Show on stderr how `total` things get done: bars in a terminal, else only the lines of `finish`."""
    out = None if is_plain(stderr=True) else console(stderr=True)
    if out is None or not out.is_terminal:
        yield _Lines()
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeElapsedColumn(), console=out, transient=True) as bars:
        yield _Bars(bars, bars.add_task(label, total=total, note=f"0/{total}"), total)


def clean(text: str) -> str:
    """Replace control characters, which come from notes and programs and could steer a terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else "�" for c in text)


class _Lines:
    """Progress where nothing can be redrawn."""

    def update(self, key: str, done: int, total: int, note: str = "") -> None:
        pass

    def finish(self, key: str, line: str = "") -> None:
        if line:
            _show_pieces(_first_word_styled(line), stderr=True)


class _Bars:
    """Progress in a terminal: the whole first, below it what runs now."""

    def __init__(self, bars: Progress, whole: TaskID, total: int) -> None:
        self.bars, self.whole, self.total = bars, whole, total
        self.ended = 0
        self.tasks: dict[str, TaskID] = {}

    def update(self, key: str, done: int, total: int, note: str = "") -> None:
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(f"  {clean(key)}", total=total, note=note)
        self.bars.update(self.tasks[key], completed=done, total=total, note=note or f"{done}/{total}")

    def finish(self, key: str, line: str = "") -> None:
        if key in self.tasks:
            self.bars.remove_task(self.tasks.pop(key))
        if line:
            self.bars.console.print(_text(_first_word_styled(line)), soft_wrap=True)
        self.ended += 1
        self.bars.update(self.whole, completed=self.ended, note=f"{self.ended}/{self.total}")


def _finding(finding: Finding) -> list[Piece]:
    advice = f" ({finding.fix})" if finding.fix else ""
    return [
        (f"{finding.path}:{finding.line}:{finding.col}", "bold"),
        (": ", ""),
        (finding.code, STYLES[finding.severity]),
        (f" {finding.message}", ""),
        (advice, "dim"),
    ]


def _cell(value: object) -> Text:
    if isinstance(value, float):
        return _text([(f"{value:.2f}".rstrip("0").rstrip("."), "")])
    return _text(_first_word_styled("" if value is None else str(value)))


def _first_word_styled(text: str) -> list[Piece]:
    for word, style in STYLES.items():
        if text == word or text.startswith((f"{word} ", f"{word}:")):
            return [(word, style), (text[len(word) :], "")]
    return [(text, "")]


def _show_pieces(pieces: Iterable[Piece], *, stderr: bool = False) -> None:
    if is_plain(stderr=stderr):
        click.echo(clean("".join(text for text, _ in pieces)), err=stderr)
    else:
        console(stderr=stderr).print(_text(pieces), soft_wrap=True)


def _text(pieces: Iterable[Piece]) -> Text:
    from rich.text import Text

    return Text.assemble(*((clean(text), style) for text, style in pieces))


def _escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
