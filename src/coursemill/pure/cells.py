"""Notebook cells as plain values, before and after they get their ids.

Notebooks here are plain dicts in nbformat's shape: importing nbformat costs a second, which no build needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Literal

from coursemill.model import Claim, Span
from coursemill.pure import ids

Notebook = dict[str, Any]
"""A notebook in nbformat 4.5's shape, every source a string."""
Grading = Literal["", "answer", "test", "task", "locked", "written"]
"""`written`: an answer in prose, which nbgrader leaves to a person."""


@dataclass(frozen=True)
class Cell:
    """A cell before it has an id; `id` is what the author's ids ask for, empty: made of slug and content."""

    type: Literal["code", "markdown"]
    source: str
    span: Span
    id: str = ""
    slug: str = ""
    lines: tuple[int, ...] = ()
    """For each line of a code cell the note's line; 0: generated."""
    task: str = ""
    grading: Grading = ""
    points: float = 0.0
    tags: tuple[str, ...] = ()
    folded: bool = False
    claim: Claim | None = None
    own: bool = field(default=False)
    """`id` was written by the author as it stands, and not derived: it wins over a derived one."""


def code(text: str, first_line: int, span: Span, **about: Any) -> Cell:
    """A code cell of `text`, whose first line is line `first_line` of the note; `about` are Cell's fields."""
    lines = tuple(range(first_line, first_line + text.count("\n") + 1))
    return Cell("code", text, span, lines=lines, **about)


def generated(cell: Cell, above: Sequence[str] = (), below: Sequence[str] = ()) -> Cell:
    """`cell` with lines that stand in no note above and below its own."""
    source = "\n".join([*above, cell.source, *below])
    return replace(cell, source=source, lines=(*(0 for _ in above), *cell.lines, *(0 for _ in below)))


def writefile(path: str) -> str:
    """The magic that writes the rest of a cell to `path`; a blank in a path, or an apostrophe, asks for quotes."""
    return f'%%writefile "{path}"' if re.search(r"^-|[\s']", path) else f"%%writefile {path}"


def without_lines(cell: Cell, *marks: str) -> Cell:
    """`cell` without the lines in which one of `marks` stands."""
    kept = [
        (text, line)
        for text, line in zip(cell.source.split("\n"), cell.lines, strict=True)
        if not any(mark in text for mark in marks)
    ]
    return replace(cell, source="\n".join(text for text, _ in kept), lines=tuple(line for _, line in kept))


def notebook(cells: Iterable[Cell], path: str, *, graded: bool) -> Notebook:
    """Give the cells their ids and make a notebook of them; `graded`: with nbgrader's metadata."""
    cells = list(cells)
    names = _ids(cells)
    return {
        "cells": [_cell(cell, name, graded=graded) for cell, name in zip(cells, names, strict=True)],
        "metadata": {
            "coursemill": {"source": path},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def ranges(lines: Sequence[int]) -> str:
    """`(0, 121, 122, 124)` as `0,121-122,124`: runs of consecutive lines, in order."""
    runs = []
    for _, group in groupby(enumerate(lines), key=lambda pair: (pair[1] - pair[0], pair[1] == 0)):
        run = [line for _, line in group]
        runs.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}")
    return ",".join(runs)


def _ids(cells: Sequence[Cell]) -> list[str]:
    """What the author named comes first, then what derives from it, then the rest, each in order."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for index in sorted(range(len(cells)), key=lambda i: (not cells[i].own, not cells[i].id, i)):
        cell = cells[index]
        names[index] = ids.unique(cell.id or ids.derived(cell.slug, f"{cell.type}\n{cell.source}"), taken)
        taken.add(names[index])
    return [names[index] for index in range(len(cells))]


def _cell(cell: Cell, name: str, *, graded: bool) -> dict[str, Any]:
    ours: dict[str, Any] = {"source": str(cell.span)}
    metadata: dict[str, Any] = {"coursemill": ours}
    made: dict[str, Any] = {"cell_type": cell.type, "id": name, "metadata": metadata, "source": cell.source}
    if cell.type == "code":
        ours["lines"] = ranges(cell.lines)
        made |= {"execution_count": None, "outputs": []}
    if cell.task:
        ours["task"] = cell.task
    if cell.claim:
        ours["claim"] = {"source": str(cell.claim.span), "text": cell.claim.text}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if cell.folded:
        metadata["jupyter"] = {"source_hidden": True}
    if graded and cell.grading:
        metadata["nbgrader"] = _grading(cell, name)
    return made


def _grading(cell: Cell, name: str) -> dict[str, Any]:
    """nbgrader's cell metadata, version 3."""
    graded = {
        "grade": cell.grading in ("test", "written"),
        "grade_id": name,
        "locked": cell.grading not in ("answer", "written"),
        "schema_version": 3,
        "solution": cell.grading in ("answer", "written"),
        "task": cell.grading == "task",
    }
    if cell.grading in ("test", "task", "written"):
        graded["points"] = int(cell.points) if float(cell.points).is_integer() else cell.points
    return graded
