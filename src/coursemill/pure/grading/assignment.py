"""An instructor's notebook, as grading sees it: which cell is what, and whose."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from coursemill.errors import CoursemillError
from coursemill.pure.grading.released import Kind, Rules, released, unseen
from coursemill.pure.traces import unfolded

Role = Literal["prose", "given", "answer", "written", "test", "task"]
"""`given`: code that is the instructor's; `answer`: code that students write; `written`: an answer, in Markdown or
code, that a person grades; `task`: nbgrader's task cell, graded by a person; `prose`: the rest."""


@dataclass(frozen=True, slots=True)
class Item:
    """A cell of the instructor's notebook."""

    id: str
    """nbgrader's grade_id, else the notebook format's id, else `cell-7`."""
    role: Role
    type: Literal["code", "markdown", "raw"]
    source: str
    """The instructor's: with solution, and with hidden tests."""
    released: str
    """What students got."""
    points: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    """`notes/X.md:120-131`, or `source/WS/X.ipynb, cell 7`."""
    lines: tuple[int, ...] = ()
    """For each line of the source the note's line, where that is known."""
    hidden: frozenset[int] = frozenset()
    """Numbers (from 1) of the source's lines that students never see: hidden tests and mark schemes."""
    cell: str = ""
    """The notebook format's id of the cell; empty: it has none."""
    attachments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def editable(self) -> bool:
        """Whether what the student wrote into the cell counts."""
        unlocked = self.role == "task" and not self.metadata.get("nbgrader", {}).get("locked")
        return self.role in ("answer", "written") or unlocked


@dataclass(frozen=True, slots=True)
class Assignment:
    """A notebook of a worksheet."""

    worksheet: str
    name: str
    items: tuple[Item, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    kernel: str = "python3"
    """The kernelspec that it names."""
    language: str = "python"

    @property
    def tests(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.role == "test")

    @property
    def limits(self) -> dict[str, int]:
        """What its code may use in the sandbox, where the note that it was made of says so."""
        ours = self.metadata.get("coursemill")
        given = ours.get("limits") if isinstance(ours, Mapping) else None
        return {str(name): most for name, most in given.items() if isinstance(most, int)} if given else {}


def read(
    notebook: Mapping[str, Any],
    worksheet: str,
    name: str,
    rules: Rules | None = None,
    places: Sequence[str] = (),
    instantiated: Mapping[str, str] | None = None,
) -> Assignment:
    """Read an instructor's notebook, in nbformat 4's shape, with nbgrader's metadata of any version.

    `places` says for each cell where it stands, if not in `source/<worksheet>/<name>.ipynb`; `instantiated` has
    the sources of tests that nbgrader made of AUTOTEST comments, by grade_id. Raises CoursemillError, with the
    cell's place, for what nbgrader's `generate_assignment` would refuse.
    """
    rules = rules or Rules()
    spec = notebook.get("metadata", {}).get("kernelspec", {})
    language = spec.get("language", "python")
    if rules.solutions.enabled and language not in rules.stubs:
        raise CoursemillError(
            f"nbgrader knows no stub for the language `{language}`",
            where=f"source/{worksheet}/{name}.ipynb",
            fix="add it to c.ClearSolutions.code_stub in nbgrader_config.py",
        )
    about = _About(language, rules, instantiated or {})
    cells = [
        _Cell(cell, _place(cell, places[n - 1] if places else f"source/{worksheet}/{name}.ipynb, cell {n}"))
        for n, cell in enumerate(notebook.get("cells", ()), 1)
    ]
    return Assignment(
        worksheet,
        name,
        tuple(_items(cells, about)),
        metadata=notebook.get("metadata", {}),
        kernel=spec.get("name") or "python3",
        language=language,
    )


_NAME = re.compile(r"[a-zA-Z0-9_\-]+")
"""nbgrader's pattern for a grade_id."""
_KEYS = ("schema_version", "grade", "locked", "solution", "task", "grade_id", "points", "checksum", "cell_type")
_NEWEST = 3


@dataclass(frozen=True, slots=True)
class _About:
    language: str
    rules: Rules
    instantiated: Mapping[str, str]


class _Cell:
    """A cell of the notebook, with nbgrader's metadata in their newest version."""

    def __init__(self, cell: Mapping[str, Any], place: str) -> None:
        source = cell.get("source", "")
        self.cell, self.place = cell, place
        self.type = cell.get("cell_type", "raw")
        self.source = source if isinstance(source, str) else "".join(source)
        self.metadata = {key: value for key, value in cell.get("metadata", {}).items() if key != "nbgrader"}
        self.grading = _upgraded(cell.get("metadata", {}).get("nbgrader"), self.type, place)
        if self.grading:
            self.metadata["nbgrader"] = self.grading
        self.kind = Kind(self.type, *(bool(self.grading.get(key)) for key in ("solution", "grade", "task")))

    @property
    def labelled(self) -> bool:
        """Whether nbgrader keeps the cell in its gradebook."""
        return self.kind.solution or self.kind.grade or self.kind.task or bool(self.grading.get("locked"))

    @property
    def name(self) -> str:
        """Its grade_id; empty when it needs none. Raises CoursemillError for one that nbgrader refuses."""
        name = self.grading.get("grade_id", "")
        if not self.labelled:
            return ""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            fix = "give the cell an id of letters, digits, - and _"
            raise CoursemillError(f"nbgrader's id of the cell is {name!r}", where=self.place, fix=fix)
        return name

    @property
    def role(self) -> Role:
        """What the cell is for; raises CoursemillError for combinations that nbgrader refuses."""
        kind = self.kind
        wrong = ""
        if kind.task and self.type != "markdown":
            wrong = "a task cell must be Markdown"
        elif not kind.task and self.type != "code" and kind.grade != kind.solution:
            wrong = "a cell without code is an answer that a person grades, or is not graded"
        if wrong:
            raise CoursemillError(
                f"{wrong}: {self.name}", where=self.place, fix="change the cell's type or its grading"
            )
        if kind.task:
            return "task"
        if kind.solution:
            return "written" if kind.grade else "answer"
        return "test" if kind.grade else "given" if self.type == "code" else "prose"

    @property
    def points(self) -> float:
        if not (self.kind.grade or self.kind.task):
            return 0.0
        points = self.grading.get("points")
        if not isinstance(points, int | float) or not math.isfinite(points) or points < 0:
            fix = "give the cell a number of points, 0 or more"
            raise CoursemillError(f"the points of `{self.name}` are {points!r}", where=self.place, fix=fix)
        return float(points)


def _items(cells: Sequence[_Cell], about: _About) -> Iterator[Item]:
    """The items; labelled cells take their names first, the others what is left."""
    named: dict[str, _Cell] = {}
    for cell in cells:
        if cell.name in named:
            other = named[cell.name].place
            fix = "give each cell an id of its own"
            raise CoursemillError(f"the id `{cell.name}` is that of {other}, too", where=cell.place, fix=fix)
        if cell.name:
            named[cell.name] = cell
    taken = set(named)
    for number, cell in enumerate(cells, 1):
        name = cell.name
        if not name:
            own = cell.cell.get("id")
            numbers = (f"cell-{number}", *(f"cell-{number}-{n}" for n in range(len(cells))))
            wishes = (own, *numbers) if isinstance(own, str) else numbers
            name = next(wish for wish in wishes if wish and wish not in taken)
            taken.add(name)
        yield _item(cell, name, about)


def _item(cell: _Cell, name: str, about: _About) -> Item:
    source = _instantiated(cell, name, about)
    try:
        given = released(source, cell.kind, about.language, about.rules)
        hidden = unseen(source, about.rules)
    except ValueError as error:
        fix = "mend it as nbgrader's documentation says, and release the worksheet again"
        raise CoursemillError(f"{error} (`{name}`)", where=cell.place, fix=fix) from error
    own = cell.cell.get("id")
    return Item(
        name,
        cell.role,
        cell.type,
        source,
        given,
        points=cell.points,
        metadata=cell.metadata,
        place=cell.place,
        lines=_lines(cell),
        hidden=hidden,
        cell=own if isinstance(own, str) else "",
        attachments=cell.cell.get("attachments") or {},
    )


def _instantiated(cell: _Cell, name: str, about: _About) -> str:
    """The source with the tests that nbgrader makes of AUTOTEST comments."""
    mark = about.rules.autotests
    asks = cell.type == "code" and mark and any(mark in x and x.strip()[:1] == "#" for x in cell.source.split("\n"))
    if not asks:
        return cell.source
    if name not in about.instantiated:
        raise CoursemillError(
            f"`{name}` asks nbgrader to make its tests ({mark}), and what it made is not at hand",
            where=cell.place,
            fix="run `nbgrader generate_assignment` in this course first, so that the gradebook has them",
        )
    return about.instantiated[name]


def _upgraded(grading: object, kind: str, place: str) -> dict[str, Any]:
    """nbgrader's metadata of a cell in their third version; empty when they say nothing of it."""
    if not isinstance(grading, Mapping) or not grading:
        return {}
    version = grading.get("schema_version", 0)
    if not isinstance(version, int) or version > _NEWEST:
        fix = "update coursemill"
        raise CoursemillError(f"nbgrader's metadata are of version {version!r}", where=place, fix=fix)
    made = {key: grading[key] for key in _KEYS if key in grading}
    made |= {key: bool(grading.get(key, False)) for key in ("grade", "locked", "solution")}
    if version == 0:
        if not made["grade"] and not made["solution"] and not made["locked"]:
            return {}
        made["points"] = _old_points(made.get("points", 0.0))
    if not made["grade"] and not made.get("task"):
        made.pop("points", None)
    if version < 2 and "checksum" in made:
        made.setdefault("cell_type", kind)
    return made | {"schema_version": _NEWEST}


def _old_points(points: Any) -> Any:
    """The first versions kept what was typed."""
    try:
        return max(float(points or 0.0), 0.0)
    except (TypeError, ValueError):
        return points


def _place(cell: Mapping[str, Any], otherwise: str) -> str:
    ours = cell.get("metadata", {}).get("coursemill")
    source = ours.get("source") if isinstance(ours, Mapping) else None
    return source if isinstance(source, str) and source else otherwise


def _lines(cell: _Cell) -> tuple[int, ...]:
    """The note's lines of the cell's, if they are known."""
    ours = cell.cell.get("metadata", {}).get("coursemill")
    folded = ours.get("lines") if isinstance(ours, Mapping) else None
    if not isinstance(folded, str) or not re.fullmatch(r"\d{1,7}(-\d{1,7})?(,\d{1,7}(-\d{1,7})?)*", folded):
        return ()
    lines = unfolded(folded)
    return tuple(lines) if len(lines) == cell.source.count("\n") + 1 else ()
