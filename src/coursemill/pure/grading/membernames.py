"""Names inside of archives, written by anyone: the sane path that each means, or why there is none."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from coursemill.pure import naming

LONGEST_NAME, LONGEST_PATH, DEEPEST = 255, 1024, 32
"""Bytes of a name and of a path, as file systems allow them; folders in folders."""
JUNK_FOLDERS = frozenset({"__macosx", "__pycache__", "node_modules", "$recycle.bin", "system volume information"})
JUNK_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
_DRIVE = re.compile(r"[A-Za-z]:")
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what follows: `cod\u202eipynb.exe` is shown as `codexe.bpyni`."""
_NOT_IN_IDS = re.compile(r"[^\w.@-]+")
_LONGEST_ID = 100
"""Bytes: nbgrader's gradebook keeps 128 characters of a student's id."""


def parts(written: str) -> tuple[str, ...]:
    """Return the folders and the name that a member's path means; raises ValueError with why it is none.

    A backslash parts folders, as some programs on Windows write it. Accents are composed, what is invisible (joiners,
    soft hyphens) is left out, and `_` stands for what Windows does not allow: paths that look the same are the same.
    """
    if problem := _cannot_be(written):
        raise ValueError(problem)
    path = written.replace("\\", "/")
    visible = "".join(c for c in unicodedata.normalize("NFC", path) if unicodedata.category(c) != "Cf")
    if not visible.isprintable():
        raise ValueError("its name has characters that cannot be shown")
    found = tuple(_sane(part.strip()) for part in visible.split("/") if part.strip() not in ("", "."))
    if not found or not all(found):
        raise ValueError("it has no name")
    if len(found) > DEEPEST:
        raise ValueError(f"it lies more than {DEEPEST} folders deep")
    if len("/".join(found).encode()) > LONGEST_PATH:
        raise ValueError(f"its path is longer than {LONGEST_PATH} bytes")
    if any(len(part.encode()) > LONGEST_NAME for part in found):
        raise ValueError(f"its name is longer than {LONGEST_NAME} bytes")
    return found


def is_junk(path: tuple[str, ...]) -> bool:
    """Whether it is what systems and programs leave everywhere: hidden files, checkpoints, caches."""
    folders, name = path[:-1], path[-1].lower()
    if any(part.startswith(".") or part.lower() in JUNK_FOLDERS for part in folders):
        return True
    return name.startswith((".", "~$")) or name in JUNK_FILES


def shown(text: str) -> str:
    """Return a name as one line that a person can read, whatever is in it."""
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return safe if len(safe) <= 200 else f"{safe[:150]}…{safe[-40:]}"


def student_id(text: str) -> str:
    """Make of a person's name an id that is a folder's name everywhere; empty when nothing is left of it."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).lower())
    kept = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    found = _NOT_IN_IDS.sub("-", kept).strip("-._ ")
    while len(found.encode()) > _LONGEST_ID:
        found = found[:-1].rstrip("-._ ")
    return f"{found}-" if naming.RESERVED.fullmatch(found) else found


def cannot_be_id(text: str) -> str:
    """Say why a student cannot have the id `text`, which becomes a folder's name; empty when they can."""
    if not text or text.startswith((".", "-", "~")) or text != text.strip():
        return "it is empty, or begins or ends with what no folder's name should"
    if found := re.search(r"[/\\*?\[\]:|<>\"]", text):
        return f"it has a `{found[0]}`"
    if not text.isprintable() or text != unicodedata.normalize("NFC", text):
        return "it has characters that cannot be shown, or accents that are not composed"
    if text.endswith(".") or naming.RESERVED.fullmatch(text):
        return "Windows has no folder of that name"
    return "it is too long" if len(text.encode()) > _LONGEST_ID else ""


def squeezed(text: str) -> str:
    """Return what is left of a name in any system: its letters and digits, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.replace("%20", " ")).casefold()
    return "".join(c for c in plain if c.isalnum())


def suffix(name: str) -> str:
    """Return the suffix in lower case, `.tar.gz` as a whole."""
    found = [s.lower() for s in PurePosixPath(name).suffixes[-2:]]
    return "".join(found) if len(found) == 2 and found[0] == ".tar" else (found or [""])[-1]


def stem(name: str) -> str:
    """Return the name without what `suffix` returns."""
    return name[: len(name) - len(suffix(name))]


def _cannot_be(written: str) -> str:
    if "\0" in written:
        return "its name has a NUL"
    if len(written) > 4 * LONGEST_PATH:
        return f"its path is longer than {LONGEST_PATH} bytes"
    if any("\udc80" <= c <= "\udfff" for c in written):
        return "its name is not UTF-8"
    if written.startswith(("/", "\\")):
        return "its path is absolute"
    if _DRIVE.match(written):
        return "its path has a drive letter"
    if ".." in re.split(r"[/\\]", written):
        return "its path leaves the folder with `..`"
    return "its name turns the direction of writing" if _STEERING.search(written) else ""


def _sane(part: str) -> str:
    """What a part is called where it must have a name that every file system takes."""
    name = naming.NOT_ON_WINDOWS.sub("_", part).rstrip(". ")
    return f"_{name}" if naming.RESERVED.fullmatch(name) or name == "~" else name
