"""Lists as tables: Markdown's own where that can hold them, else HTML with Markdown in its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from coursemill.pure import callouts
from coursemill.pure.anyblock.tree import Item, cells

HEAD = re.compile(r"<[ \t]+")
"""Begins the first item when it is the table's head."""
_VALUE = re.compile(r"[^\w]*\d|$")
"""What a head hardly says: a number, or nothing."""
_STEP = "&emsp;"
"""Per level of a tree in a table's first column."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell: one line of Markdown for Jupyter, or blocks of it."""

    text: str = ""
    rows: int = 1
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table's rows; a cell that goes over several stands in the first of them. `head` are how many of them."""

    rows: tuple[tuple[Cell, ...], ...]
    head: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What makes Jupyter's Markdown of an author's, of one line and of blocks."""

    inline: Callable[[str], str]
    blocks: Callable[[str], str]

    def cell(self, item: Item, text: str, rows: int = 1) -> Cell:
        """The cell with `text` and with what else stands in `item`."""
        line = self.line(text)
        if not item.body:
            return Cell(line, rows)
        return Cell("\n\n".join(part for part in (line, self.blocks(item.body)) if part), rows, blocks=True)

    def line(self, text: str) -> str:
        """`text` on one line."""
        return self.inline(" ".join(text.split("\n"))).strip()


def branching(items: Sequence[Item], shown: Shown) -> Table:
    """Levels are columns: an item stands beside those below it, over all of their rows; bars part more columns."""
    items, head = _headed(items)
    rows = tuple(row for item in items for row in _branch(item, shown))
    return Table(rows, sum(item.leaves for item in items[:head]))


def grid(items: Sequence[Item], shown: Shown) -> Table:
    """An item is a row, the items below it are the row's cells, with all that stands in them."""
    items, head = _headed(items)
    rows = []
    for item in items:
        row = _parted(item, shown)
        for child in item.children:
            row += _parted(replace(child, body=child.rest), shown)
        rows.append(tuple(row))
    return Table(tuple(rows), head)


def indented(items: Sequence[Item], shown: Shown) -> Table:
    """An item is a row, whatever its level, by which it is indented; bars part the cells."""
    items, head = _headed(items)
    return Table(tuple(_indented(items, shown, 0)), head)


def timeline(items: Sequence[Item], shown: Shown) -> Table:
    """An item is a row of two cells: its first line up to a bar, and all else; only a marked one is a head."""
    items, head = _headed(items) if HEAD.match(items[0].text) else (items, 0)
    rows = []
    for item in items:
        first, *more = cells(item.text.partition("\n")[0])
        more += [item.text.partition("\n")[2]]
        text = " ".join(part for part in more if part)
        rows.append((Cell(shown.line(first)), shown.cell(replace(item, body=item.rest), text)))
    return Table(tuple(rows), head)


def markdown(table: Table, *, transposed: bool = False) -> str:
    """The table, as Markdown when it has a head, lines in its cells, and no cell that goes over several rows."""
    if transposed and (turned := _turned(table)):
        table = turned
    every = [cell for row in table.rows for cell in row]
    if table.head == 1 and not any(cell.rows > 1 or cell.blocks or "|" in _unlinked(cell.text) for cell in every):
        width = max(len(row) for row in table.rows)
        filled = [[cell.text for cell in row] + [""] * (width - len(row)) for row in table.rows]
        lines = ["| " + " | ".join(row) + " |" for row in filled]
        return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])
    return _html(table)


def _headed(items: Sequence[Item]) -> tuple[Sequence[Item], int]:
    """The items, and how many of them are the head: the first, when it is marked, or one row of words above others."""
    first = items[0]
    if HEAD.match(first.text):
        return [replace(first, text=HEAD.sub("", first.text)), *items[1:]], 1
    words = _words(first)
    values = [word for word in (words if first.children else words[:1]) if _VALUE.match(word)]
    fits = not first.children or all(_width(item) <= len(words) for item in items)
    return items, int(len(words) > 1 and not values and fits and len(items) > 1)


def _words(item: Item) -> list[str]:
    """What stands in the cells of an item and of those below it; nothing, when they are more than one row of text."""
    if item.leaves > 1 or item.body:
        return []
    below = _words(item.children[0]) if item.children else []
    return [*cells(item.text), *below] if below or not item.children else []


def _width(item: Item) -> int:
    return len(cells(item.text)) + max((_width(child) for child in item.children), default=0)


def _branch(item: Item, shown: Shown) -> list[tuple[Cell, ...]]:
    """The rows of an item: its own cells, and beside them the rows of those below it."""
    own = _parted(item, shown, item.leaves)
    rows = [row for child in item.children for row in _branch(child, shown)]
    return [(*own, *rows[0]), *rows[1:]] if rows else [tuple(own)]


def _parted(item: Item, shown: Shown, rows: int = 1) -> list[Cell]:
    """An item's own cells; what stands in it beside its text is in the last."""
    *before, last = cells(item.text)
    return [*(Cell(shown.line(text), rows) for text in before), shown.cell(item, last, rows)]


def _indented(items: Sequence[Item], shown: Shown, level: int) -> Iterator[tuple[Cell, ...]]:
    for item in items:
        first, *others = _parted(item, shown)
        yield (replace(first, text=_STEP * level + first.text), *others)
        yield from _indented(item.children, shown, level + 1)


def _turned(table: Table) -> Table | None:
    """The table with rows for columns; None when cells go over several rows, or hold blocks."""
    if any(cell.rows > 1 or cell.blocks for row in table.rows for cell in row):
        return None
    columns = list(zip_longest(*table.rows, fillvalue=Cell()))
    return Table(tuple(columns))


def _unlinked(text: str) -> str:
    """`text` without bars that are escaped already."""
    return text.replace("\\|", "")


def _html(table: Table) -> str:
    """The table as HTML; blank lines let Markdown in where a cell holds blocks."""
    head, body = table.rows[: table.head], table.rows[table.head :]
    lines = ["<table>"]
    for tag, sign, rows in (("thead", "th", head), ("tbody", "td", body)):
        if rows:
            lines += [f"<{tag}>", *(line for row in rows for line in _row(row, sign)), f"</{tag}>"]
    return "\n".join([*lines, "</table>"])


def _row(row: Sequence[Cell], sign: str) -> Iterator[str]:
    yield "<tr>"
    for cell in row:
        span = f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
        if cell.blocks or len(cell.text) > callouts.LONGEST:
            yield from (f'<{sign}{span} style="text-align: left">', "", cell.text, "", f"</{sign}>")
        else:
            yield f'<{sign}{span} style="text-align: left">{callouts.as_html(cell.text)}</{sign}>'
    yield "</tr>"
