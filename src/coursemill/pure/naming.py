"""What a person means who types a note's name."""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase

LONGEST = 255 - len(".ipynb")
"""Bytes of a name, so that the notebook's fits into a folder's entry."""
NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]')
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Names of Windows's devices, whatever their suffix."""
NOT_IN_LINKS = re.compile(r"[#^\[\]|]|%%")
"""What cannot stand in a wikilink, as Obsidian says in its page on internal links."""


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


def folded(name: str) -> str:
    """Return what names have in common that are one on some systems: case, and how accents are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def cannot_be(stem: str) -> str:
    """Say why a notebook cannot have the name `stem`; empty when it can."""
    if not stem.isprintable():  # also what the file system holds and UTF-8 cannot say
        return "the name has characters that cannot be shown"
    if len(stem.encode("utf-8", "surrogateescape")) > LONGEST:
        return f"the name is longer than {LONGEST} bytes"
    if stem != stem.strip():
        return "the name starts or ends with a space, which nbgrader takes away"
    if "\\" in stem:
        return "the name has a backslash, which parts folders on other systems"
    return ""


def should_not_be(stem: str) -> str:
    """Say why a name that a notebook can have is a bad one all the same; empty when it is not."""
    if found := NOT_ON_WINDOWS.search(stem):
        return f"the name has a `{found[0]}`, which Windows does not allow"
    if RESERVED.fullmatch(stem):
        return f"`{stem}` is the name of a device on Windows"
    if found := NOT_IN_LINKS.search(stem):
        return f"the name has a `{found[0]}`, which no wikilink can hold"
    return ""
