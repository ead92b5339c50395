"""Rules for what a note links to: other notes, their headings, pictures and data."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from coursemill.model import FileLink, Finding, Lesson, Link
from coursemill.pure import codes, near
from coursemill.pure.near import Names
from coursemill.pure.rules.rule import Known, rule
from coursemill.pure.vault import means_file

NOTE, FILES = ".md", ".files"


@rule(lessons_only=False)
def wikilinks(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A wikilink means one note, and a heading that the note has."""
    headings: dict[str, _Headings] = {}
    for link in lesson.links:
        found = known.vault.resolve(link.target, lesson.path)
        if not found and link.key == "worksheet":
            continue  # Obsidian makes a link of any name in brackets
        if not found:
            yield _unresolved(lesson, link, known)
        elif len(found) > 1:
            message = f"`{link.target}` may be {' or '.join(found[:3])}"
            yield codes.LINK_AMBIGUOUS.at(lesson.path, link.line, message, col=link.col)
        elif (other := known.vault.lesson(found[0])) and link.heading:
            if other.path not in headings:
                headings[other.path] = _Headings.of(other)
            yield from _heading(lesson, link, headings[other.path])


@rule(lessons_only=False)
def files(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """What prose shows or links to by a path is there."""
    for link in lesson.files:
        if link.target.endswith(NOTE):
            yield from _note(lesson, link, known)
        elif _path(lesson, link) not in known.files and not _is_shared(lesson, link, known):
            yield _missing(lesson, link, known)


@rule()
def files_come_along(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """The build copies folders of files, and files that are named as Markdown does; what HTML names stays behind."""
    for file in lesson.files:
        path = _path(lesson, file)
        if file.target.endswith(NOTE) or path not in known.files or _is_shared(lesson, file, known):
            continue
        if file.inline and path in known.vault.resolve(f"./{file.target}", lesson.path):
            continue
        beside = posixpath.normpath(file.target).partition("/")[0].endswith(FILES)
        if not beside or not set(lesson.front.worksheets) <= _copied_to(path, known):
            yield _left_behind(lesson, file)


@dataclass(frozen=True, slots=True)
class _Headings:
    """The headings of a note, as links may name them."""

    path: str
    folded: frozenset[str]
    names: Names

    @classmethod
    def of(cls, lesson: Lesson) -> _Headings:
        texts = frozenset(heading.text for heading in lesson.headings)
        return cls(lesson.path, frozenset(map(_folded, texts)), Names(texts))


def _unresolved(lesson: Lesson, link: Link, known: Known) -> Finding:
    if means_file(link.target, embed=link.embed):
        message = f"there is no file `{link.target}`"
        fix = near.advice(posixpath.basename(link.target), known.file_names)
        return codes.FILE_MISSING.at(lesson.path, link.line, message, col=link.col, fix=fix)
    fix = known.notes.advice(link.target, lesson.path)
    message = f"no note is called `{link.target}`"
    return codes.LINK_UNRESOLVED.at(lesson.path, link.line, message, col=link.col, fix=fix)


def _heading(lesson: Lesson, link: Link, headings: _Headings) -> Iterator[Finding]:
    """`#A#B` is heading B below A; `#^id` is a block, which no heading names."""
    for wanted in link.heading.split("#"):
        if wanted and not wanted.startswith("^") and _folded(wanted) not in headings.folded:
            fix = near.advice(wanted, headings.names)
            message = f"{headings.path} has no heading `{wanted}`"
            yield codes.LINK_HEADING.at(lesson.path, link.line, message, col=link.col, fix=fix)
            return


def _note(lesson: Lesson, link: FileLink, known: Known) -> Iterator[Finding]:
    if not known.vault.resolve(link.target, lesson.path):
        fix = known.notes.advice(link.target, lesson.path)
        message = f"there is no note `{link.target}`"
        yield codes.LINK_UNRESOLVED.at(lesson.path, link.line, message, col=link.col, fix=fix)


def _path(lesson: Lesson, link: FileLink) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(lesson.path), link.target))


def _is_shared(lesson: Lesson, link: FileLink, known: Known) -> bool:
    """The shared files of a worksheet stand beside its notebooks."""
    inside = posixpath.normpath(link.target)
    return any(f"{known.shared}/{worksheet}/{inside}" in known.files for worksheet in lesson.front.worksheets)


def _copied_to(path: str, known: Known) -> set[str]:
    """The worksheets beside whose notebooks the build puts the file; a wikilink finds it from any other."""
    if path.startswith(f"{known.shared}/"):
        return {path.removeprefix(f"{known.shared}/").partition("/")[0]}
    for at in re.finditer(rf"{re.escape(FILES)}(?=/|$)", path):
        if owner := known.vault.lesson(path[: at.start()] + NOTE):
            return set(owner.front.worksheets)
    return set()


def _left_behind(lesson: Lesson, link: FileLink) -> Finding:
    message = f"`{link.target}` is not copied beside the notebook"
    fix = f"move it to {lesson.name}{FILES}/"
    return codes.FILE_MISSING.at(lesson.path, link.line, message, col=link.col, fix=fix)


def _missing(lesson: Lesson, link: FileLink, known: Known) -> Finding:
    name = posixpath.basename(link.target)
    near_names = [name] if name in known.file_paths else known.file_names.near(name, 1)
    there = [posixpath.relpath(known.file_paths[one], posixpath.dirname(lesson.path)) for one in near_names]
    fix = f"did you mean `{there[0]}`?" if there else ""
    message = f"there is no file `{link.target}`"
    return codes.FILE_MISSING.at(lesson.path, link.line, message, col=link.col, fix=fix)


def _folded(heading: str) -> str:
    """Obsidian leaves `#`, `|`, `:` and the like out of a link to a heading, and case does not count."""
    return " ".join(re.findall(r"\w+", heading.casefold()))
