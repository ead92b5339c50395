"""An instructor's notebook, as grading sees it: which cell is what, and whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["prose", "given", "answer", "written", "test", "task"]
"""`given`: code that is the instructor's; `answer`: code that students write; `written`: an answer, in Markdown or
code, that a person grades; `task`: nbgrader's task cell, graded by a person; `prose`: the rest."""


@dataclass(frozen=True, slots=True)
class Item:
    """A cell of the instructor's notebook."""

    id: str
    """nbgrader's grade_id, else the notebook format's id, else `cell-7`."""
    role: Role
    type: Literal["code", "markdown", "raw"]
    source: str
    """The instructor's: with solution, and with hidden tests."""
    released: str
    """What students got."""
    points: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    """`notes/X.md:120-131`, or `source/WS/X.ipynb, cell 7`."""
    lines: tuple[int, ...] = ()
    """For each line of the source the note's line, where that is known."""
    hidden: frozenset[int] = frozenset()
    """Numbers (from 1) of the source's lines that students never see."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A notebook of a worksheet."""

    worksheet: str
    name: str
    items: tuple[Item, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    kernel: str = "python3"
    """The kernelspec that it names."""
    language: str = "python"

    @property
    def tests(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.role == "test")
