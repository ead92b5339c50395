"""A course as check, build, run and prove see it: every note read and understood, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import PurePosixPath

from coursemill.config import Config
from coursemill.effects import vault as disk
from coursemill.errors import UsageError
from coursemill.model import Finding, Lesson
from coursemill.pure import naming, parse
from coursemill.pure.vault import VaultMap


@dataclass(frozen=True)
class Course:
    """The course at `config.root`; nothing in it changes when the files do."""

    config: Config
    notes: tuple[Lesson, ...]
    """Every note that can be read, by path; one without a worksheet can be linked to and is not built."""
    listing: disk.Listing
    findings: tuple[Finding, ...] = ()
    """What reading and parsing found; `coursemill.pure.rules` look further."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Path of a note → SHA-256 of its bytes."""

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """The notes that are built."""
        return tuple(note for note in self.notes if note.front.worksheets)

    @cached_property
    def vault(self) -> VaultMap:
        """What links resolve to."""
        return VaultMap.of(self.notes, self.others)

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Paths of what links may name beside readable notes: unreadable ones, templates, files."""
        entries = (*self.listing.notes, *self.listing.files)
        return (*(e.path for e in entries), *self.listing.templates)

    @cached_property
    def worksheets(self) -> frozenset[str]:
        """The worksheets that there are, by settings or by a folder of shared files; none: any name will do."""
        shared = PurePosixPath(self.config.notes, self.config.shared)
        folders = map(PurePosixPath, self.listing.folders)
        return frozenset((*self.config.worksheets, *(f.name for f in folders if f.parent == shared)))

    def select(self, names: Sequence[str]) -> tuple[Lesson, ...]:
        """Return the lessons that `names` mean: a note's name, path or folder, a glob of these, or a worksheet's name;
        all when there are none.

        Raises CoursemillError for a name that means nothing.
        """
        if not names:
            return self.lessons
        unknown = [name for name in names if not any(_means(name, lesson) for lesson in self.lessons)]
        if unknown:
            raise UsageError(f"there is no lesson or worksheet `{unknown[0]}`", fix=self._hint(unknown[0]))
        return tuple(lesson for lesson in self.lessons if any(_means(name, lesson) for name in names))

    def files(self, lesson: Lesson, worksheet: str) -> tuple[tuple[str, str], ...]:
        """Return what a lesson finds beside it: its own folder of files, and what the worksheet's lessons share.

        Pairs of the path in the lesson's directory and the one below the root.
        """
        own = PurePosixPath(lesson.path).parent / f"{lesson.name}{disk.FILES}"
        shared = PurePosixPath(self.config.notes, self.config.shared, worksheet)
        return tuple(
            (str(PurePosixPath(entry.path).relative_to(start)), entry.path)
            for folder, start in ((own, own.parent), (shared, shared))
            for entry in self.listing.below(str(folder))
        )

    def _hint(self, name: str) -> str:
        if any(naming.means(name, note.path) for note in self.notes):
            return "the note has no `worksheet:` in its front matter"
        known = {n for lesson in self.lessons for n in (lesson.name, *lesson.front.worksheets)}
        near = get_close_matches(name, sorted(known), n=3)
        return f"did you mean {' or '.join(near)}?" if near else "name a note, its path or its worksheet"


Parse = Callable[[str, str], Lesson]


def load(config: Config, *, understand: Parse = parse.lesson) -> Course:
    """Read and parse the whole vault; what is wrong with a note is a finding, and the others are there.

    `understand` is the parser, or one that remembers. Raises CoursemillError when there is no vault.
    """
    vault = disk.read(config)
    notes = tuple(understand(note.path, note.text) for note in vault.notes)
    return Course(
        config=config,
        notes=notes,
        listing=vault.listing,
        findings=tuple(sorted((*vault.findings, *_of(notes)))),
        digests={note.path: note.digest for note in vault.notes},
    )


def _of(notes: Iterable[Lesson]) -> Iterable[Finding]:
    return (finding for note in notes for finding in note.findings)


def _means(name: str, lesson: Lesson) -> bool:
    return name in lesson.front.worksheets or naming.means(name, lesson.path)
