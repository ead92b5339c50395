"""Which lessons have to be built: those that changed, and those that the vault would answer differently now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from coursemill.course.load import Course
from coursemill.course.past import NoteState, Past
from coursemill.course.produce import Order, notebook, seen
from coursemill.course.shelf import NOTEBOOK, Shelf
from coursemill.effects.store import Stamp
from coursemill.model import Exercise, Finding, Lesson
from coursemill.pure import codes, requirements, rules
from coursemill.pure.asked import answers
from coursemill.pure.diagrams import FOLDER, diagram_sources


@dataclass(slots=True)
class Due:
    """What is to be done, and what is known of each lesson before it is done."""

    orders: list[Order] = field(default_factory=list)
    states: dict[str, NoteState] = field(default_factory=dict)
    """Path of a lesson → its state; one that is ordered has no findings yet."""


@dataclass(frozen=True)
class Scope:
    """What a build looks at."""

    course: Course
    past: Past
    shelf: Shelf
    known: rules.Known
    chosen: frozenset[str]
    """Paths of the lessons that may be built."""
    same_program: bool
    """The last build was made by this program with these settings."""
    stamps: Mapping[str, Stamp]
    """Of the vault's files."""

    @cached_property
    def knowing(self) -> str:
        """Digest of what the rules can know of other notes."""
        notes = [
            (path, note.title, note.front.aliases, note.front.worksheets, [h.text for h in note.headings])
            for path, note in sorted(self.known.vault.lessons.items())
        ]
        ids = [(task, span.path) for task, span in sorted(self.known.ids.items())]
        linked = self._named()
        rest = (
            linked,
            sorted(self.known.worksheets),
            sorted(self.known.files),
            self.known.vault.others,
            self.known.shared,
            sorted(self.known.versions.items()),
        )
        return hashlib.sha256(repr((notes, ids, rest)).encode("utf-8", "surrogatepass")).hexdigest()

    def _named(self) -> list[tuple[str, str, str]]:
        """Blocks that links name and that are there, and what embedded notes say."""
        vault = self.known.vault
        found = set()
        for path, note in vault.lessons.items():
            for link in note.links:
                for named in vault.resolve(link.target, path)[:1] if link.embed or "^" in link.heading else ():
                    line = vault.block(named, link.heading.rpartition("^")[2])
                    found.add((named, link.heading if line else "", self.course.digests.get(named, "")))
        return sorted(found)

    def drawn(self, names: Iterable[str]) -> str:
        """Say which of these diagrams' pictures the vault holds, and what they show."""
        folder = f"{self.course.config.notes}/{FOLDER}"
        stamps = {name: self.stamps.get(f"{folder}/{name}") for name in names}
        return seen({name: stamp.digest for name, stamp in stamps.items() if stamp})

    @cached_property
    def memory(self) -> Mapping[str, frozenset[str]]:
        """Id of a task → the source notebooks of the last build that hold it."""
        found: dict[str, set[str]] = {}
        folder = self.course.config.source
        for path in self.shelf.files:
            if path.startswith(f"{folder}/") and path.endswith(NOTEBOOK):
                for task in self._tasks(path):
                    found.setdefault(task, set()).add(path)
        return {task: frozenset(paths) for task, paths in found.items()}

    def _tasks(self, path: str) -> Iterable[str]:
        known = self.past.notes.get(self.past.owners.get(path, ""))
        if known:
            return known.tasks
        try:
            cells = json.loads(self.course.config.path(path).read_bytes())["cells"]
            return {cell["metadata"].get("coursemill", {}).get("task", "") for cell in cells}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return ()


def due(scope: Scope) -> Due:
    """Compare every lesson with what the last build remembers of it."""
    found = Due()
    for lesson in scope.course.lessons:
        past = scope.past.notes.get(lesson.path)
        if lesson.path not in scope.chosen:
            found.states |= {lesson.path: past} if past else {}
            continue
        if past and not (scope.same_program and past.digest == scope.course.digests[lesson.path]):
            past = None
        if past and past.known != scope.knowing:
            drawing = tuple(f for f in past.findings if f.code == codes.DIAGRAM.code)
            looked = tuple(rules.check(lesson, scope.known))
            past = replace(past, known=scope.knowing, findings=looked + drawing)
        if past and (past.worksheets or blocked(past.findings)) and _stands(scope, lesson, past):
            found.states[lesson.path] = past
        else:
            found.states[lesson.path] = _state(scope, lesson)
            found.orders.append(_order(scope, lesson, past))
    return found


def blocked(findings: Iterable[Finding]) -> bool:
    """Whether a note with these findings is not built."""
    return any(finding.severity == "error" for finding in findings)


def _stands(scope: Scope, lesson: Lesson, past: NoteState) -> bool:
    """Whether the lesson's notebooks are as they were, and would be the same again."""
    if blocked(past.findings):
        return True
    config = scope.course.config
    folders = (config.notebooks, config.source, config.release)
    paths = (notebook(folder, worksheet, lesson.name) for folder in folders for worksheet in past.worksheets)
    drawn = scope.drawn(past.diagrams)
    return (
        all(scope.shelf.intact(path) for path in paths)
        and past.drawn == drawn
        and drawn.count(" ") == len(past.diagrams)  # a missing one may be drawn now
        and past.answers == answers(scope.known.vault, past.questions)
    )


def _state(scope: Scope, lesson: Lesson) -> NoteState:
    return NoteState(
        digest=scope.course.digests[lesson.path],
        known=scope.knowing,
        imports=tuple(requirements.of_lesson(lesson)),
        local=tuple(sorted(requirements.local_modules(lesson))),
        tasks=tuple(task.id for task in lesson.tasks),
        diagrams=tuple(sorted({diagram.name for diagram in diagram_sources(lesson)})),
    )


def _order(scope: Scope, lesson: Lesson, past: NoteState | None) -> Order:
    """Order the lesson; tests of tasks that its own last notebooks do not hold are looked for in the others."""
    findings = tuple(f for f in past.findings if f.code != codes.DIAGRAM.code) if past else None
    own = {notebook(scope.course.config.source, worksheet, lesson.name) for worksheet in lesson.front.worksheets}
    holding = [scope.memory.get(task.id, frozenset()) for task in lesson.tasks if isinstance(task, Exercise)]
    elsewhere = {path for paths in holding if not own <= paths for path in paths - own}
    return Order(lesson, findings, tuple(sorted(elsewhere)))
