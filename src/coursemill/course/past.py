"""What a build remembers of the last one, in `build/manifest.json`; without it everything is built again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from typing import Any

from coursemill.config import Config
from coursemill.effects import store
from coursemill.effects.store import Stamp
from coursemill.model import Finding
from coursemill.pure.asked import Question
from coursemill.pure.requirements import Import

FORMAT = 1
FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class NoteState:
    """What became of one note."""

    digest: str
    known: str = ""
    """Digest of what the rules knew of the other notes when they made `findings`."""
    findings: tuple[Finding, ...] = ()
    imports: tuple[Import, ...] = ()
    local: tuple[str, ...] = ()
    """Modules that the lesson writes itself."""
    tasks: tuple[str, ...] = ()
    diagrams: tuple[str, ...] = ()
    """Names of its diagrams' pictures."""
    questions: tuple[Question, ...] = ()
    answers: str = ""
    drawn: str = ""
    """Digest of the pictures that were there."""
    worksheets: tuple[str, ...] = ()
    """Those that its notebooks were built for; none when it is no lesson, or could not be built."""


@dataclass(frozen=True, slots=True)
class Past:
    """The state of the course after the last build."""

    made_by: str = ""
    """Digest of the program, its libraries and the settings."""
    environment: str = ""
    inputs: Mapping[str, Stamp] = field(default_factory=dict)
    outputs: Mapping[str, Stamp] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    """Path of an output → the note or the file of the vault that it was made of."""
    strangers: Mapping[str, Stamp] = field(default_factory=dict)
    """Notebooks in the three folders that the build did not write."""
    notes: Mapping[str, NoteState] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    """What the last build reported that belongs to no readable note."""

    @classmethod
    def recall(cls, config: Config) -> Past:
        """Read the last build's state; an empty one when there is none."""
        found = store.recall(config.path(config.build, FILE))
        try:
            return cls._parsed(found) if found.pop("format", None) == FORMAT else cls()
        except (TypeError, ValueError, KeyError, AttributeError):
            return cls()

    def remember(self, config: Config) -> None:
        """Write the state for the next build; raises CoursemillError."""
        packed: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("inputs", "outputs", "strangers"):
            packed[name] = {path: astuple(stamp) for path, stamp in packed[name].items()}
        packed["notes"] = {path: _packed(note) for path, note in self.notes.items()}
        packed["findings"] = [astuple(finding) for finding in self.findings]
        store.remember(config.root, f"{config.build}/{FILE}", {"format": FORMAT, **packed})

    @classmethod
    def _parsed(cls, found: dict[str, Any]) -> Past:
        return cls(
            made_by=str(found["made_by"]),
            environment=str(found["environment"]),
            inputs={path: Stamp(*row) for path, row in found["inputs"].items()},
            outputs={path: Stamp(*row) for path, row in found["outputs"].items()},
            owners=dict(found["owners"]),
            strangers={path: Stamp(*row) for path, row in found["strangers"].items()},
            notes={path: _unpacked(row) for path, row in found["notes"].items()},
            findings=tuple(Finding(*row) for row in found["findings"]),
        )


def _packed(note: NoteState) -> dict[str, Any]:
    """The fields that say something."""
    row = {f.name: getattr(note, f.name) for f in fields(note)}
    row["findings"] = [astuple(finding) for finding in note.findings]
    row["imports"] = [astuple(one) for one in note.imports]
    return {name: value for name, value in row.items() if value}


def _unpacked(row: dict[str, Any]) -> NoteState:
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    found["findings"] = tuple(Finding(*one) for one in found.get("findings", ()))
    found["imports"] = tuple(Import(*one) for one in found.get("imports", ()))
    found["questions"] = tuple(tuple(one) for one in found.get("questions", ()))
    return NoteState(**found)
