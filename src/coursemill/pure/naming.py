"""What a person means who types a note's name."""

from __future__ import annotations

from fnmatch import fnmatchcase


def means(name: str, path: str) -> bool:
    """Whether `name` means the note at `path`: by name, by path or the end of it, by folder, or as a glob of these.

    `.md` may be left out.
    """
    wanted = name.removeprefix("./").removesuffix(".md").strip("/")
    note = "/" + path.removesuffix(".md")
    if not wanted:
        return False
    if note.endswith(f"/{wanted}") or f"/{wanted}/" in note:
        return True
    return any(mark in wanted for mark in "*?[") and fnmatchcase(note, f"*/{wanted}")
