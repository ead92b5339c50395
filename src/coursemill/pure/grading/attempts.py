"""What is taken of what somebody handed in: the notebooks under their names, and the files beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from coursemill.pure import naming
from coursemill.pure.grading import sheets
from coursemill.pure.grading.sheets import NOTEBOOK, Sheet

TIMESTAMP = "timestamp.txt"
_NUMBER = re.compile(r"(?:\((\d{1,3})\)|[-_](\d{1,3}))$")
_PLAIN = ("", ".json", ".txt")
"""Suffixes that a notebook may have got by accident."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody handed in."""

    inner: tuple[str, ...]
    """Its path in what they handed in."""
    origin: str
    """`archive!member`, for people."""
    size: int
    digest: str
    path: Path
    """Where its bytes are."""
    when: datetime | None = None
    order: int = 0
    notebook: str = ""
    """Which notebook it is, as far as its name said it beside a student's."""


@dataclass(frozen=True, slots=True)
class Left:
    """A file that is left out."""

    file: File
    reason: str
    harmless: bool = False
    """Nothing that was asked for is missing without it."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A submission."""

    notebooks: dict[str, File] = field(default_factory=dict)
    others: dict[str, File] = field(default_factory=dict)
    """Files beside the notebooks, by path with `/`."""
    left: tuple[Left, ...] = ()

    def missing(self, sheet: Sheet) -> tuple[str, ...]:
        return tuple(name for name in sheet.notebooks if name not in self.notebooks)

    def files(self) -> dict[str, File]:
        """Everything, by its path in the submission."""
        return {**{f"{name}{NOTEBOOK}": file for name, file in self.notebooks.items()}, **self.others}


def compose(files: Sequence[File], sheet: Sheet, content: Callable[[File], bytes], *, stamped: bool) -> Composed:
    """Find the worksheet's notebooks among the files, and what lies beside them.

    `stamped`: the export is nbgrader's own, whose timestamp.txt counts; others a student has written.
    """
    found: dict[str, list[File]] = {}
    rest = []
    for file in files:
        if name := _notebook(file, sheet, content):
            found.setdefault(name, []).append(file)
        else:
            rest.append(file)
    chosen = {name: max(same, key=lambda file: _rank(file, name)) for name, same in found.items()}
    left = [
        Left(file, f"it is `{name}`, too: a later one, or one with its name, is taken", harmless=True)
        for name, same in found.items()
        for file in same
        if file is not chosen[name]
    ]
    base = _base([file.inner[:-1] for file in chosen.values()])
    others: dict[str, File] = {}
    shelf = _Shelf(f"{name}{NOTEBOOK}" for name in chosen)
    complete = len(chosen) == len(sheet.notebooks)
    for file in rest:
        path = "/".join(file.inner[len(base) :])
        if reason := _unwanted(file, base, stamped):
            left.append(Left(file, reason, harmless=complete or not sheets.is_notebook(file.inner[-1])))
        elif reason := shelf.clash(path):
            left.append(Left(file, reason))
        else:
            others[path] = file
            shelf.add(path)
    return Composed(chosen, others, tuple(left))


def _notebook(file: File, sheet: Sheet, content: Callable[[File], bytes]) -> str:
    """Which notebook a file is: by what its name says, else by the cells in it."""
    name = file.inner[-1]
    if sheets.is_notebook(name):
        by_name = sheets.by_name(file.notebook or name, sheet) or sheets.by_name(name, sheet)
        return by_name or sheets.by_cells(content(file), sheet) or sheets.split(name, sheet)[1]
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return sheets.by_cells(content(file), sheet) if suffix in _PLAIN else ""


def _rank(file: File, name: str) -> tuple[int, datetime, int, bool, int]:
    """Of several files that are one notebook, the latest counts; else the one with its name, not far down."""
    stem = sheets.stem_of(file.inner[-1])
    found = None if stem == name else _NUMBER.search(stem)
    number = int(found[1] or found[2]) if found else 0
    return file.order, file.when or _LONG_AGO, number, stem == name, -len(file.inner)


def _base(folders: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The folder that all of them are in."""
    base: tuple[str, ...] | None = None
    for folder in folders:
        same = folder if base is None else tuple(_same(base, folder))
        base = same
    return base or ()


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> Iterator[str]:
    for a, b in zip(one, other, strict=False):
        if a != b:
            return
        yield a


def _unwanted(file: File, base: tuple[str, ...], stamped: bool) -> str:
    if sheets.is_notebook(file.inner[-1]):
        return "it is none of the worksheet's notebooks, by its name and by its cells"
    if file.inner[: len(base)] != base:
        return "it does not lie beside the notebooks"
    if file.inner[len(base) :] == (TIMESTAMP,) and not stamped:
        return "only nbgrader says when something was handed in"
    return ""


class _Shelf:
    """Which paths there are, on a system that knows no case."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()
        for path in paths:
            self.add(path)

    def add(self, path: str) -> None:
        mine = naming.folded(path)
        self.files.add(mine)
        self.folders.update(_above(mine))

    def clash(self, path: str) -> str:
        """Why a file cannot have the path beside the others; empty when it can."""
        mine = naming.folded(path)
        if mine in self.files:
            return "on some systems its name is the same as another file's"
        if mine in self.folders or self.files & set(_above(mine)):
            return "its name is a folder's, too"
        return ""


def _above(path: str) -> Iterator[str]:
    """The folders that a path lies in."""
    return (path[:n] for n, character in enumerate(path) if character == "/")
