"""Whose each file of an export is: by the layouts of Moodle, Canvas, Gradescope and nbgrader, else by folders.

Who somebody is, the export says in its outermost names alone: what lies below them, a student has named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from coursemill.pure.grading import gradescope, moments, sheets
from coursemill.pure.grading.gradescope import Submission
from coursemill.pure.grading.sheets import Sheet

Layout = Literal["moodle", "canvas", "gradescope", "exchange", "submitted", "folders", "files", "pattern"]
Path = tuple[str, ...]

_MOODLE = re.compile(r"(?P<name>.+?)(?:_(?P<lms>\d+))?_assignsubmission_(?P<kind>[a-z]+?)(?:_(?P<file>.*))?")
_CANVAS = re.compile(
    r"(?:(?P<name>\w+?)_)??(?:LATE_)?(?P<lms>\d+|anon_[A-Za-z0-9]+)"
    r"(?:_(?P<number>\d+)_(?P<file>.+)|_(?P<kind>text|link)\.html)"
)
_EXCHANGE = re.compile(r"(?P<key>.+)\+(?P<sheet>[^+]+)\+(?P<when>\d{4}-\d\d-\d\d[^+]*)(?:\+[^+]*)?")
_UNNAMED = "the export does not say whose it is: name its folder or archive after the student, or give --pattern"
_OTHER = "it is of another worksheet"
_NO_FILE = "it is text that was typed in, and no file"


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody, as an export names them."""

    layout: Layout
    name: str = ""
    """As a person is called."""
    key: str = ""
    """Login, number, address, or what their folder is called."""
    lms: str = ""
    """The number that the learning management system has for them."""

    @property
    def shown(self) -> str:
        return self.name or self.key or self.lms


@dataclass(frozen=True, slots=True)
class Placed:
    """What a file of an export is; without owners nobody's, and `reason` says why."""

    owners: tuple[Owner, ...] = ()
    inner: Path = ()
    """Its path inside of what the student handed in."""
    when: datetime | None = None
    """When it was handed in, as the export says."""
    order: int = 0
    """Of two files that are the same notebook, the later one has the higher number."""
    notebook: str = ""
    """Which notebook it is, where the name says it beside the student's."""
    reason: str = ""
    harmless: bool = False
    """It is no submission, so that nothing is missed."""


@dataclass(frozen=True, slots=True)
class Clues:
    """What helps to read an export."""

    sheet: Sheet
    source: str = ""
    """The archive's or the folder's name."""
    is_known: Callable[[str], bool] = field(default=lambda _: False)
    """Whether somebody in the class has that id."""
    pattern: re.Pattern[str] | None = None
    submissions: Mapping[str, Submission] = field(default_factory=dict)
    """What Gradescope says of its folders."""


def place(paths: Sequence[Path], clues: Clues) -> list[Placed]:
    """Say of each file whose it is."""
    if clues.pattern:
        return [_by_pattern(path, clues.pattern) for path in paths]
    root = _root(paths)
    for depth in range(len(root) + 1):
        if depth and clues.is_known(root[depth - 1]):
            break
        names = {(path[depth], len(path) > depth + 1) for path in paths if len(path) > depth}
        names = {(name, folder) for name, folder in names if name != gradescope.FILE}
        for recognise in (_gradescope, _exchange, _moodle, _canvas):
            hits = sum(recognise(name, folder, clues) is not None for name, folder in names)
            if hits and 2 * hits >= len(names):
                return [_specific(path, depth, recognise, clues) for path in paths]
    return _generic(paths, len(root), clues)


def metadata(paths: Sequence[Path]) -> int | None:
    """Return which file is Gradescope's own: beside its folders, not in one; None when there is none."""
    root = _root(paths)
    above = next((n for n, part in enumerate(root) if gradescope.FOLDER.fullmatch(part)), len(root))
    at = [n for n, path in enumerate(paths) if path[-1] == gradescope.FILE and path[:-1] == root[: len(path) - 1]]
    return min((n for n in at if len(paths[n]) - 1 <= above), key=lambda n: len(paths[n]), default=None)


def _root(paths: Sequence[Path]) -> Path:
    """The folders that all files lie in."""
    if not paths:
        return ()
    first, last = min(path[:-1] for path in paths), max(path[:-1] for path in paths)
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


Recogniser = Callable[[str, bool, Clues], Placed | None]


def _specific(path: Path, depth: int, recognise: Recogniser, clues: Clues) -> Placed:
    if len(path) <= depth:
        return Placed(reason=_UNNAMED)
    if path[depth:] == (gradescope.FILE,):
        return Placed(reason="it is Gradescope's own", harmless=True)
    folder = len(path) > depth + 1
    found = recognise(path[depth], folder, clues)
    if found is None:
        return Placed(reason=_UNNAMED, harmless=not sheets.is_notebook(path[-1]))
    inner = path[depth + 1 :] if folder else found.inner or path[depth:]
    return Placed(found.owners, inner, found.when, found.order, found.notebook, found.reason, found.harmless)


def _moodle(name: str, folder: bool, clues: Clues) -> Placed | None:
    """`Jane Doe_1234567_assignsubmission_file_/nb.ipynb`, and without folders the file's name behind that."""
    found = _MOODLE.fullmatch(name)
    if not found or (folder and found["file"]) or not (folder or found["file"]):
        return None
    if found["kind"] != "file":
        return Placed(reason=_NO_FILE, harmless=True)
    owner = Owner("moodle", name=found["name"], lms=found["lms"] or "")
    return Placed((owner,), (found["file"],) if found["file"] else ())


def _canvas(name: str, folder: bool, clues: Clues) -> Placed | None:
    """`doejane_LATE_12345_67890_nb-1.ipynb`; the second number grows with every file that is handed in."""
    found = None if folder else _CANVAS.fullmatch(name)
    if not found:
        return None
    if found["kind"]:
        return Placed(reason=_NO_FILE, harmless=True)
    owner = Owner("canvas", name=found["name"] or "", lms=found["lms"])
    return Placed((owner,), (found["file"],), order=int(found["number"][:18]))


def _gradescope(name: str, folder: bool, clues: Clues) -> Placed | None:
    """`submission_123456/nb.ipynb`, with a file beside it that says whose that is."""
    if not folder or not gradescope.FOLDER.fullmatch(name) or not clues.submissions:
        return None
    found = clues.submissions.get(name, Submission())
    keys = [(one.name, one.sid or one.email or one.name) for one in found.submitters]
    people = tuple(Owner("gradescope", name, key, lms=key) for name, key in keys if key)
    reason = "" if people else f"{gradescope.FILE} does not say whose it is"
    return Placed(people, when=found.when, reason=reason)


def _exchange(name: str, folder: bool, clues: Clues) -> Placed | None:
    """`jane+WS1+2024-01-31 12:00:00.000000 UTC+random/nb.ipynb`, as in nbgrader's `inbound/`."""
    found = _EXCHANGE.fullmatch(name) if folder else None
    if not found:
        return None
    if found["sheet"] != clues.sheet.name:
        return Placed(reason=_OTHER, harmless=True)
    return Placed((Owner("exchange", key=found["key"]),), when=moments.parse(found["when"]))


def _by_pattern(path: Path, pattern: re.Pattern[str]) -> Placed:
    """What the instructor's pattern finds in the path or in the name alone."""
    found = pattern.match("/".join(path)) or pattern.match(path[-1])
    values = {key: value for key, value in found.groupdict().items() if value} if found else {}
    key = values.get("student_id") or values.get("student", "")
    name = " ".join(values[part] for part in ("first_name", "last_name") if part in values)
    key = key or values.get("email", "")
    if not key and not name:
        return Placed(reason="--pattern does not match", harmless=not sheets.is_notebook(path[-1]))
    file = values.get("file_id", "").rpartition("/")[2]
    return Placed(
        (Owner("pattern", name=name, key=key),),
        path[-1:],
        moments.parse(values.get("timestamp", "")),
        notebook=sheets.stem_of(file) if file else "",
    )


def _generic(paths: Sequence[Path], level: int, clues: Clues) -> list[Placed]:
    """Without a layout that names students in its own way: a folder, a file or an archive each."""
    root = paths[0][:level] if paths else ()
    if alone := _alone(paths, root, clues):
        owner, depth = alone
        return [Placed((owner,), path[depth:]) for path in paths]
    folders = {path[level] for path in paths if len(path) > level + 1}
    stepped = {path[level] for path in paths if len(path) > level + 2 and path[level + 1] == clues.sheet.name}
    return [_below(path, level, 2 * len(stepped) >= len(folders) > 0 and bool(stepped), clues) for path in paths]


def _alone(paths: Sequence[Path], root: Path, clues: Clues) -> tuple[Owner, int] | None:
    """The only student, and how deep their own files begin, where all files are one student's."""
    for depth, part in enumerate(root, 1):
        if clues.is_known(part):
            inner = depth + 1 if root[depth : depth + 1] == (clues.sheet.name,) else depth
            return Owner("submitted" if inner > depth else "folders", key=part), inner
    here, source = len(root), clues.source
    student = sheets.split(source, clues.sheet)[0] or source
    if clues.is_known(student):
        return Owner("folders", key=student), here
    with_notebooks = {path[here] for path in paths if len(path) > here + 1 and sheets.is_notebook(path[-1])}
    direct = [path[-1] for path in paths if len(path) == here + 1 and sheets.is_notebook(path[-1])]
    unsigned = (
        len(direct) == 1
        and not sheets.split(direct[0], clues.sheet)[0]
        and not clues.is_known(sheets.stem_of(direct[0]))
    )
    if not (unsigned or any(sheets.by_name(name, clues.sheet) for name in direct)):
        return None
    if not root and len(with_notebooks) > 1:  # below a folder with a name, that name says whose all of it is
        return None
    if clues.sheet.name in root[1:]:
        at = root.index(clues.sheet.name, 1)
        return Owner("submitted", key=root[at - 1]), at + 1
    if root and not sheets.is_worksheet(root[-1], clues.sheet):
        return Owner("folders", key=root[-1]), here
    nobody = not student or sheets.is_worksheet(student, clues.sheet)
    return None if nobody else (Owner("folders", key=student), here)


def _below(path: Path, level: int, stepped: bool, clues: Clues) -> Placed:
    """A file of a folder with a folder, a file or an archive for each student."""
    if len(path) == level + 1:
        return _flat(path[-1], clues)
    if not stepped:
        return Placed((Owner("folders", key=path[level]),), path[level + 1 :])
    if len(path) == level + 2 or path[level + 1] != clues.sheet.name:
        return Placed(reason=_OTHER, harmless=True)
    return Placed((Owner("submitted", key=path[level]),), path[level + 2 :])


def _flat(name: str, clues: Clues) -> Placed:
    """`jane_nb.ipynb`, `nb-jane.ipynb`, or an archive that has a student's name."""
    student, notebook = sheets.split(name, clues.sheet)
    if not student and not sheets.by_name(name, clues.sheet):
        student = sheets.stem_of(name)
    if not student or sheets.is_worksheet(student, clues.sheet):
        return Placed(reason=_UNNAMED, harmless=not sheets.is_notebook(name))
    return Placed((Owner("files", key=student),), (name,), notebook=notebook if sheets.is_notebook(name) else "")
