"""What a rule is: a decorated function from a lesson, and what is known of its course, to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from coursemill.model import Finding, Lesson, Span
from coursemill.pure import naming
from coursemill.pure.guesses import Guesses
from coursemill.pure.near import Names
from coursemill.pure.vault import VaultMap


@dataclass(frozen=True, slots=True)
class Known:
    """What rules may know beside the lesson: the rest of its course."""

    vault: VaultMap
    worksheets: frozenset[str] = frozenset()
    """The worksheets that there are; none: any name will do."""
    files: frozenset[str] = frozenset()
    """What the vault holds beside notes: paths from the course's root of files, and of the folders they lie in."""
    shared: str = "notes/_worksheets"
    ids: Mapping[str, Span] = field(default_factory=dict)
    """Id of a task → the first place in the course where it stands."""
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(Worksheet, note name as systems compare it) → the first note of that name."""
    notes: Guesses = field(default_factory=lambda: Guesses(VaultMap({})))
    """Which notes links may have meant."""
    file_paths: Mapping[str, str] = field(default_factory=dict)
    """Name of a file → the first path where it is."""
    file_names: Names = field(default_factory=Names)
    versions: Mapping[str, str] = field(default_factory=dict)
    """Distribution → its installed version, of the libraries whose history is known."""

    @classmethod
    def of(
        cls,
        vault: VaultMap,
        worksheets: Iterable[str] = (),
        files: Iterable[str] = (),
        shared: str = "notes/_worksheets",
        versions: Mapping[str, str] | None = None,
    ) -> Known:
        """Gather what the rules want to know; the first of several is the one with the smallest path."""
        files = frozenset(files)
        ids: dict[str, Span] = {}
        names: dict[tuple[str, str], str] = {}
        for path, lesson in sorted(vault.lessons.items()):
            for worksheet in lesson.front.worksheets:
                names.setdefault((worksheet, naming.folded(lesson.name)), path)
            for task in lesson.tasks if lesson.front.worksheets else ():
                ids.setdefault(task.id, task.span)
            for ask, span in lesson.asks() if lesson.front.worksheets else ():
                if ask.own:
                    ids.setdefault(ask.id, span)
        paths = {PurePosixPath(path).name: path for path in sorted(files, reverse=True)}
        return cls(
            vault=vault,
            worksheets=frozenset(worksheets),
            files=files,
            shared=shared,
            ids=ids,
            names=names,
            notes=Guesses(vault),
            file_paths=paths,
            file_names=Names(frozenset(paths)),
            versions=versions or {},
        )


Rule = Callable[[Lesson, Known], Iterator[Finding]]
RULES: list[tuple[Rule, bool]] = []


def rule(*, lessons_only: bool = True) -> Callable[[Rule], Rule]:
    """Make a function a rule; `lessons_only`: it is not for notes without a worksheet."""

    def add(function: Rule) -> Rule:
        RULES.append((function, lessons_only))
        return function

    return add
