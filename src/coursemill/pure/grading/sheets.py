"""Which notebook of a worksheet a file is, whatever browsers, systems and students have made of its name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from coursemill.pure import naming
from coursemill.pure.grading import membernames

NOTEBOOK = ".ipynb"
_RENAMED = (".ipynb.json", ".ipynb.txt", ".ipynb.html")
"""What browsers make of the suffix when they save a notebook."""
_DECORATION = re.compile(
    r"(?:[ _-]*\(\d{1,3}\)|[ _-]*-?copy\d{0,3}|[ _-]*copy[ _]?\(?\d{0,3}\)?|[-_ ]\d{1,3}|[-_ ]v\d{1,3}"
    r"|[-_ ]*(?:final|finished|done|solution|submission|version|fixed|new))$",
    re.IGNORECASE,
)
_IDS = re.compile(rb'"grade_id"\s{0,16}:\s{0,16}"([A-Za-z0-9_\-]{1,200})"')


_ROUNDS, _CUTS = 4, 24
"""How many decorations are taken away, and at how many places a name is parted."""
_COMMON = (naming.folded, membernames.squeezed)
"""What names have in common that are meant to be the same, the strictest first."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its notebooks, each with the grade_ids in it."""

    name: str
    notebooks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    index: Mapping[tuple[int, str], tuple[str, ...]] = field(init=False, repr=False)
    """Notebooks by what their names have in common with others."""

    def __post_init__(self) -> None:
        found: defaultdict[tuple[int, str], tuple[str, ...]] = defaultdict(tuple)
        for name in self.notebooks:
            for how, common in enumerate(_COMMON):
                found[how, common(name)] += (name,)
        object.__setattr__(self, "index", dict(found))


def by_name(name: str, sheet: Sheet) -> str:
    """Return the notebook that a file of that name is; empty when the name does not say it."""
    stem = stem_of(name)
    if stem in sheet.notebooks:
        return stem
    for how, common in enumerate(_COMMON):
        tried = stem
        for _ in range(_ROUNDS):
            found = sheet.index.get((how, common(tried)), ()) if common(tried) else ()
            if len(found) == 1:
                return found[0]
            tried = _DECORATION.sub("", tried)
    return ""


def by_cells(content: bytes, sheet: Sheet) -> str:
    """Return the notebook that has the most of the file's grade_ids; empty when none has, or several."""
    asked = frozenset().union(*sheet.notebooks.values())
    ids = {id for found in _IDS.finditer(content) if (id := found[1].decode()) in asked}
    counts = {name: len(ids & known) for name, known in sheet.notebooks.items()}
    most = max(counts.values(), default=0)
    found = [name for name, count in counts.items() if count == most]
    return found[0] if most and len(found) == 1 else ""


def is_notebook(name: str) -> bool:
    """Whether a file is meant to be a notebook, by its name."""
    return name.lower().endswith((NOTEBOOK, *_RENAMED))


def stem_of(name: str) -> str:
    """Return a notebook's name without what makes it one."""
    for suffix in (NOTEBOOK, *_RENAMED):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)].strip()
    return membernames.stem(name).strip()


def split(name: str, sheet: Sheet) -> tuple[str, str]:
    """Return the student's part and the notebook of a name such as `jane_nb (2).ipynb` or `WS1-jane.zip`.

    The worksheet's name stands for its notebook, if it has only one. Both are empty when no name is in it.
    """
    stem = stem_of(name)
    parts = [(found.start(), found.end()) for found in re.finditer(r"[ _+.-]+", stem)]
    cuts = [(stem[:start], stem[end:]) for start, end in parts[:_CUTS]]  # the shortest part in front goes first
    for student, rest in [*cuts, *((behind, front) for front, behind in reversed(cuts))]:
        if notebook := by_name(rest + NOTEBOOK, sheet):
            return student, notebook
        if is_worksheet(rest, sheet):
            return student, next(iter(sheet.notebooks)) if len(sheet.notebooks) == 1 else ""
    return "", ""


def is_worksheet(name: str, sheet: Sheet) -> bool:
    """Whether a folder's name is the worksheet's."""
    return membernames.squeezed(name) == membernames.squeezed(sheet.name) != ""
