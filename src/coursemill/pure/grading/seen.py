"""What a person saw who graded a notebook by hand: when it is the same, nobody is asked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ALL = ""
"""Stands for everything in a notebook that is the student's."""
Said = tuple[str, str, str]
"""Type, source and attachments of a cell."""


def same(before: Mapping[str, Any], now: Mapping[str, Any], answer: str = ALL) -> bool:
    """Whether an answer, by its grade_id, is in both notebooks of `autograded/` the same.

    `before` may be one that stock nbgrader has written, `now` is ours: it says which cells are the instructor's. A
    notebook that is not there is the same as none.
    """
    if not _cells(before) or not _cells(now):
        return False
    prose = {_said(cell) for cell in _cells(now) if not _is_theirs(cell, frozenset())}
    one, other = (_answers(notebook, answer, frozenset(prose)) for notebook in (before, now))
    return bool(answer == ALL or other) and one == other


def _answers(notebook: Mapping[str, Any], answer: str, prose: frozenset[Said]) -> list[Said]:
    theirs = (cell for cell in _cells(notebook) if _is_theirs(cell, prose))
    return [_said(cell) for cell in theirs if answer in (ALL, _labels(cell).get("grade_id"))]


def _cells(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    cells = notebook.get("cells")
    return [cell for cell in cells if isinstance(cell, Mapping)] if isinstance(cells, list) else []


def _is_theirs(cell: Mapping[str, Any], prose: frozenset[Said]) -> bool:
    """Whether a student wrote the cell; `prose` are cells of the instructor's."""
    labels, ours = _labels(cell), _metadata(cell).get("coursemill")
    if labels:
        unlocked = labels.get("task") and not labels.get("locked")
        return bool(labels.get("solution") or unlocked)
    if isinstance(ours, Mapping):
        return bool(ours.get("added"))
    return _said(cell) not in prose


def _metadata(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    found = cell.get("metadata")
    return found if isinstance(found, Mapping) else {}


def _labels(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """nbgrader's metadata."""
    found = _metadata(cell).get("nbgrader")
    return found if isinstance(found, Mapping) else {}


def _said(cell: Mapping[str, Any]) -> Said:
    return str(cell.get("cell_type")), "".join(_text(cell.get("source"))), repr(cell.get("attachments") or {})


def _text(source: Any) -> Iterator[str]:
    if isinstance(source, str):
        yield source
    elif isinstance(source, list):
        yield from map(str, source)
