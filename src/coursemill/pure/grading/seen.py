"""What a person saw who graded a notebook by hand: when it is the same, nobody is asked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

ALL = ""
"""Stands for everything in a notebook that is the student's."""


def digests(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Digests of a notebook in `autograded/`: of each answer by its grade_id, and of all that the student wrote.

    Nothing at all for what is no notebook.
    """
    cells = notebook.get("cells")
    theirs = [one for one in map(_theirs, cells) if one] if isinstance(cells, list) else None
    if theirs is None:
        return {}
    found = {name: _digest(said) for name, said in theirs if name}
    return {**found, ALL: _digest([said for _, said in theirs])}


def _theirs(cell: Any) -> tuple[str, list[Any]] | None:
    """Grade id and content of a cell that the student wrote; None for the instructor's."""
    if not isinstance(cell, Mapping):
        return None
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    grading, ours = metadata.get("nbgrader"), metadata.get("coursemill")
    if isinstance(ours, Mapping) and ours.get("about"):
        return None
    name = ""
    if isinstance(grading, Mapping) and grading:
        unlocked = grading.get("task") and not grading.get("locked")
        if not (grading.get("solution") or unlocked):
            return None
        name = str(grading.get("grade_id", ""))
    return name, [cell.get("cell_type"), "".join(_text(cell.get("source"))), cell.get("attachments") or {}]


def _text(source: Any) -> Iterator[str]:
    if isinstance(source, str):
        yield source
    elif isinstance(source, list):
        yield from map(str, source)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
