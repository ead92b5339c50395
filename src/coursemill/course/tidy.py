"""What stands in the three folders and no note asks for: ours goes, everybody else's stays."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping, Set
from pathlib import PurePosixPath

from coursemill.course import parcels
from coursemill.course.past import NoteState
from coursemill.course.shelf import NOTEBOOK, Shelf
from coursemill.effects import store
from coursemill.effects.store import Stamp
from coursemill.effects.vault import FILES, NOTE, Listing
from coursemill.pure.diagrams import FOLDER

PICTURE = re.compile(r"[0-9a-f]{16}\.svg")


def tidy(shelf: Shelf, kept: Set[str]) -> dict[str, Stamp]:
    """Remove what was built of notes and files that are gone, but for the notes in `kept`, which have errors.

    What was made of anything in a folder of that name is kept, too: the folder cannot be read. What the build did not
    write stays; of that, the notebooks are returned, so that the next build need not look into them. A build whose
    memory was lost knows its notebooks by their metadata, and other files by the three identical copies that only a
    build makes.
    """
    others = sorted(shelf.files.keys() - shelf.stamps.keys() - set(shelf.written))
    owners = {path: _owner(shelf, path) for path in others}  # all of them, before a copy goes
    for path, owner in owners.items():
        if owner and (note_of(owner) in kept or within(owner, kept)):
            shelf.keep(path)
        elif owner:
            shelf.remove(path, owner)
    return {path: mark(shelf, path) for path in others if not owners[path] and path.endswith(NOTEBOOK)}


def prune(shelf: Shelf, listing: Listing, states: Mapping[str, NoteState]) -> None:
    """Remove pictures of diagrams that no lesson shows any more."""
    shown = {name for state in states.values() for name in state.diagrams}
    for entry in listing.below(f"{shelf.config.notes}/{FOLDER}"):
        name = PurePosixPath(entry.path).name
        if PICTURE.fullmatch(name) and name not in shown:
            shelf.remove(entry.path, "")


def mark(shelf: Shelf, path: str) -> Stamp:
    """How somebody else's file looks, unread."""
    return Stamp(shelf.files[path].st_size, shelf.files[path].st_mtime_ns, "")


def within(path: str, places: Set[str]) -> bool:
    """Whether `path` is one of `places`, or in one of them."""
    return path in places or any(str(folder) in places for folder in PurePosixPath(path).parents)


def note_of(owner: str) -> str:
    """The note that a file in `<Note>.files/` belongs to; of anything else, itself."""
    before, found, _ = owner.partition(f"{FILES}/")
    return before + NOTE if found else owner


def _owner(shelf: Shelf, path: str) -> str:
    """What the build made the file of; empty when it did not."""
    owner = shelf.past.owners.get(path) or shelf.owner(path)
    if not owner and not shelf.past.outputs and _is_twin(shelf, path):
        return _sibling(shelf, path)
    return owner


def _is_twin(shelf: Shelf, path: str) -> bool:
    """Whether the file stands in all three folders alike, or is a requirements.txt that a build has written."""
    config = shelf.config
    folders = (config.notebooks, config.source, config.release)
    rest = _rest(shelf, path)
    alone = PurePosixPath(path).name == parcels.REQUIREMENTS
    paths = [path] if alone else [f"{folder}/{rest}" for folder in folders]
    if not all(one in shelf.files and stat.S_ISREG(shelf.files[one].st_mode) for one in paths):
        return False
    if alone:
        return config.path(path).read_bytes().startswith(parcels.HEAD.encode())
    return not path.endswith(NOTEBOOK) and len({store.digest(config.path(one)) for one in paths}) == 1


def _sibling(shelf: Shelf, path: str) -> str:
    """The file that the copy was made of: in the folder of the note whose notebook stands beside, or a shared one."""
    before, found, rest = path.partition(f"{FILES}/")
    beside = before + NOTEBOOK
    note = shelf.owner(beside) if found and beside in shelf.files else ""
    config = shelf.config
    shared = PurePosixPath(config.notes, config.shared, _rest(shelf, path))
    return f"{note.removesuffix(NOTE)}{FILES}/{rest}" if note else str(shared)


def _rest(shelf: Shelf, path: str) -> str:
    """The path in whichever of the three folders it is."""
    folders = (shelf.config.notebooks, shelf.config.source, shelf.config.release)
    return next(path.removeprefix(f"{folder}/") for folder in folders if path.startswith(f"{folder}/"))
