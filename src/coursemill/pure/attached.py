"""Files from anywhere in the vault that a note shows: which they are, and where the build puts them.

Obsidian finds a picture wherever it lies, most often in a folder of attachments. What a lesson names and what is
neither its own (`<Note>.files/`) nor shared by its worksheet is copied into `<Note>.files/` beside its notebook, at
its path in the vault.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from coursemill.model import Lesson
from coursemill.pure.vault import VaultMap

NOTE, FILES, SHARED = ".md", ".files", "_worksheets"
DEPTH = 3
"""How deep notes that embed each other are followed."""


def of_lesson(lesson: Lesson, worksheet: str, vault: VaultMap) -> dict[str, str]:
    """Return what the build has to bring: path in the worksheet's folder → path in the vault."""
    found: dict[str, str] = {}
    for note in _shown(lesson, vault, DEPTH):
        by_name = (named(link.target, note.path, vault) for link in note.links if not link.key)
        by_path = (linked(file.target, note.path, worksheet, vault) for file in note.files if file.inline)
        found |= {beside(path, lesson.path): path for path in (*by_name, *by_path) if path}
    return found


def beside(path: str, note: str) -> str:
    """Where the build puts the vault's file `path` for the lesson `note`, seen from its notebook."""
    return f"{posixpath.basename(note).removesuffix(NOTE)}{FILES}/{path.partition('/')[2] or path}"


def named(target: str, note: str, vault: VaultMap) -> str:
    """The file that a wikilink in `note` means, when it has to be brought; else nothing."""
    found = vault.resolve(target, note)[:1]
    return found[0] if found and not found[0].endswith(NOTE) and not _comes_along(found[0], vault) else ""


def linked(target: str, note: str, worksheet: str, vault: VaultMap) -> str:
    """The same of a Markdown link, which is a path seen from the note: as it lies it may do for the notebook, too."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(note), target))
    if path.endswith(NOTE) or path not in vault.resolve(f"./{target}", note):
        return ""
    inside = posixpath.normpath(target)
    shared = f"{SHARED}/{worksheet}/{inside}"
    if any(one.endswith(f"/{shared}") for one in vault.resolve(shared, note)):
        return ""
    return "" if inside.partition("/")[0].endswith(FILES) and worksheet in _worksheets(path, vault) else path


def _shown(lesson: Lesson, vault: VaultMap, depth: int) -> Iterator[Lesson]:
    """The lesson, and the notes that it embeds."""
    yield lesson
    for link in lesson.links if depth else ():
        for path in vault.resolve(link.target, lesson.path)[:1] if link.embed else ():
            if (note := vault.lesson(path)) and note is not lesson:
                yield from _shown(note, vault, depth - 1)


def _comes_along(path: str, vault: VaultMap) -> bool:
    """Whether the build copies a file anyway, as a lesson's own or a worksheet's."""
    return SHARED in path.split("/")[:-2] or bool(_worksheets(path, vault))


def _worksheets(path: str, vault: VaultMap) -> tuple[str, ...]:
    """The worksheets of the lesson that owns the file."""
    folder, found, _ = path.partition(f"{FILES}/")
    owner = vault.lesson(f"{folder}{NOTE}") if found else None
    return owner.front.worksheets if owner else ()
