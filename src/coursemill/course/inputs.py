"""What a build depends on, and how to see that none of it has changed."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from importlib import metadata
from pathlib import Path

import coursemill
from coursemill.config import Config
from coursemill.course.past import Past
from coursemill.effects import release, store
from coursemill.effects.store import Stamp
from coursemill.effects.vault import Entry, Listing

YOUNG = 2_000_000_000
"""Nanoseconds: a file so young may change again without its time telling (some file systems count in 2 s)."""
SHAPE = "."
"""Stands for what is in the vault beside notes and files."""
LIBRARIES = ("markdown-it-py", "nbconvert", "nbformat", "nbgrader")
"""What notebooks are read and written by."""


def made_by(config: Config) -> str:
    """Return a digest of the program and of the settings, which together say what becomes of a note."""
    package = Path(coursemill.__file__).parent
    found = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        if file.relative_to(package).parts[0] != "faces":
            found.update(file.read_bytes())
    settings = [(f.name, getattr(config, f.name)) for f in fields(config) if f.name != "root"]
    versions = [metadata.version(name) for name in LIBRARIES]
    found.update(repr((settings, versions, platform.python_version_tuple()[:2])).encode())
    file = config.path(release.SETTINGS)
    found.update(file.read_bytes() if file.is_file() else b"")
    return found.hexdigest()


def stamps(config: Config, entries: Iterable[Entry], known: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """Path → how the file is now; those that look as they did are not read again."""
    return {entry.path: _stamp(config, entry, known.get(entry.path)) for entry in entries}


def shape(listing: Listing) -> Stamp:
    """Stand in for the templates and folders, whose names count."""
    text = repr((listing.templates, listing.folders, listing.findings))
    return Stamp(0, 0, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def aged(found: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """Forget the times of files that are too young to trust them."""
    old = time.time_ns() - YOUNG
    return {path: stamp if stamp.mtime < old else replace(stamp, mtime=0) for path, stamp in found.items()}


def unchanged(config: Config, listing: Listing, past: Past) -> dict[str, Stamp] | None:
    """Return how the vault's files are now, when they are what the last build saw; None when they are not."""
    entries = (*listing.notes, *listing.files)
    if past.inputs.get(SHAPE) != shape(listing) or {*(e.path for e in entries), SHAPE} != past.inputs.keys():
        return None
    found = stamps(config, entries, past.inputs)
    same = all(stamp.digest == past.inputs[path].digest for path, stamp in found.items())
    return {SHAPE: shape(listing), **aged(found)} if same else None


def _stamp(config: Config, entry: Entry, known: Stamp | None) -> Stamp:
    if known and (known.size, known.mtime) == (entry.size, entry.mtime):
        return known
    try:
        return Stamp(entry.size, entry.mtime, store.digest(config.path(entry.path)))
    except OSError:
        return Stamp(entry.size, entry.mtime, "")
