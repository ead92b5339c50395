"""A submission as it is graded: the instructor's notebook with what students may change in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.verdict import Note


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell at its place."""

    id: str
    type: str
    source: str
    """The student's where they may write, else the instructor's, hidden tests and all."""
    item: Item | None = None
    """None: the student added the cell."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """As they were handed in: data of the student's making."""
    attachments: Mapping[str, Any] = field(default_factory=dict)
    """Of an answer in prose."""


@dataclass(frozen=True, slots=True)
class Merged:
    """All cells in order, and what was put right."""

    cells: tuple[Placed, ...]
    notes: tuple[Note, ...] = ()
    unanswered: tuple[str, ...] = ()
    """Ids of answers that are as they were released."""
