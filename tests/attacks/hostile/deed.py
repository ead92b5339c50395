"""What an attack is: a function that makes a deed, and a sentence that says what it tries."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hostile import sheet

PLACES = ("notebooks", "shells", "messages", "objects", "libraries", "looking", "files", "raising", "lending")
PLACES += ("walls", "twins", "leaks", "resources")
"""Modules with attacks, in the order of the docs."""


@dataclass(frozen=True)
class Deed:
    """What is handed in."""

    answers: Mapping[str, str] = field(default_factory=dict)
    """By cell."""
    top: str = ""
    """A cell before all others."""
    after: Mapping[str, str] = field(default_factory=dict)
    """Cells behind others."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    edit: Callable[[sheet.Notebook], object] | None = None
    """What is done to the notebook at last."""

    def notebook(self) -> bytes:
        """The notebook's file; `last` is answered."""
        made = sheet.handed_in({"last": sheet.ANSWERS["last"], **self.answers})
        cells = [sheet.added(self.top, "top")] if self.top else []
        for cell in made["cells"]:
            cells.append(cell)
            if cell["id"] in self.after:
                cells.append(sheet.added(self.after[cell["id"]], f"after-{cell['id']}"))
        made["cells"] = cells
        if self.edit:
            self.edit(made)
        return json.dumps(made).encode()


@dataclass(frozen=True)
class Attack:
    """A deed with its story."""

    make: Callable[[], Deed]
    stock: float = 0.0
    """The points that stock nbgrader gives for it; 0: it was not tried, or gets no more than it deserves."""
    gets: float = sheet.HONEST
    loses: bool = False
    """It may lose its own honest part, or all."""
    known: str = ""
    """Why it succeeds: a known limit."""
    timeout: float = 0.0
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.make.__name__

    @property
    def place(self) -> str:
        return self.make.__module__.rpartition(".")[2]

    @property
    def story(self) -> str:
        return (self.make.__doc__ or "").strip()


_ALL: dict[str, Attack] = {}


def attack(**about: Any) -> Callable[[Callable[[], Deed]], Callable[[], Deed]]:
    """Note an attack."""

    def note(make: Callable[[], Deed]) -> Callable[[], Deed]:
        made = Attack(make, **about)
        assert made.name not in _ALL, f"{made.name} is there twice"
        assert made.story, f"{made.name} has no story"
        _ALL[made.name] = made
        return make

    return note


def attacks() -> dict[str, Attack]:
    """All of them, by name."""
    for place in PLACES:
        importlib.import_module(f"hostile.{place}")
    return dict(sorted(_ALL.items(), key=lambda one: PLACES.index(one[1].place)))
