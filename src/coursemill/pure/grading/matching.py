"""Which cell of a submission is which of the instructor's cells, whatever editors and students did to their ids."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from coursemill.pure.grading.assignment import Item

ALIKE = 0.5
"""Share of the words that students got which an answer still has."""
SAME = 0.8
"""Share of words, and of length, that a cell has in common with one that students do not write. It is replaced: what
only resembles it may be an answer, and stays an added cell."""
MOST_PAIRS = 20_000
"""How many pairs of cells are compared where only their texts are left to go by."""
READ = 4_000
"""Characters of a cell that are compared then."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a submission."""

    type: str
    source: str
    id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Mapping[str, Any], ...] = ()
    attachments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The grade_id that it claims to be."""
        name = self.nbgrader.get("grade_id")
        return name if isinstance(name, str) else ""

    @property
    def nbgrader(self) -> Mapping[str, Any]:
        found = self.metadata.get("nbgrader")
        return found if isinstance(found, Mapping) else {}

    @property
    def unchanged(self) -> bool:
        """Whether it is as nbgrader once released it, by the checksum that it carries."""
        about = self.nbgrader
        solution, grade = bool(about.get("solution")), bool(about.get("grade"))
        locked = not solution and (grade or bool(about.get("locked")))
        points = about.get("points")
        parts = [self.source, self.type, str(grade), str(solution), str(locked), self.name]
        if grade and isinstance(points, int | float):
            parts.append(str(float(points)))
        digest = hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()
        return about.get("checksum") == digest


@dataclass(frozen=True, slots=True)
class Matches:
    """Numbers of items → numbers of cells, and how sure that is."""

    pairs: Mapping[int, int]
    doubled: Mapping[int, int] = field(default_factory=dict)
    """Item → how many cells claim to be it, where there are several."""
    guessed: frozenset[int] = frozenset()
    """Items that were found by their place and text alone."""
    nameless: frozenset[int] = frozenset()
    """Items that have a grade_id, and were found without it."""
    moved: frozenset[int] = frozenset()
    """Items whose cell does not stand where it belongs."""


def match(items: Sequence[Item], cells: Sequence[Cell]) -> Matches:
    """Find the cells of `items`, each at most once: by grade_id, the format's id, text, and last by place."""
    pairs: dict[int, int] = {}
    doubled: dict[int, int] = {}
    free = set(range(len(cells)))

    def take(item: int, candidates: Iterable[int]) -> None:
        left = [n for n in candidates if n in free]
        if item not in pairs and left:
            pairs[item] = max(left, key=lambda n: _fitness(items[item], cells[n], n))
            free.discard(pairs[item])

    named, known = _by(cells, lambda cell: {cell.name}), _by(cells, lambda cell: {cell.id, cell.metadata.get("id", "")})
    for number, item in enumerate(items):
        if is_labelled(item):
            take(number, named[item.id])
            if len(named[item.id]) > 1:
                doubled[number] = len(named[item.id])
    by_name = set(pairs)
    for number, item in enumerate(items):
        take(number, known[item.cell or item.id])
    for number, cell in _same_text(items, cells, pairs, free):
        pairs[number] = cell
        free.discard(cell)
    guessed = dict(_in_gaps(items, cells, pairs, lost=not by_name)) if pairs else {}
    pairs |= guessed
    nameless = frozenset(n for n in pairs if n not in by_name and is_labelled(items[n]))
    moved = frozenset(pairs) - frozenset(_in_order(pairs))
    return Matches(pairs, doubled, frozenset(guessed), nameless, moved)


def is_labelled(item: Item) -> bool:
    """Whether nbgrader knows the cell by its grade_id."""
    return bool(item.metadata.get("nbgrader", {}).get("grade_id") == item.id)


def is_released(item: Item, cell: Cell) -> bool:
    """Whether the cell has the text that students got; blanks and empty lines at its ends do not count."""
    return cell.source.strip() in (item.released.strip(), *(() if item.editable else (item.source.strip(),)))


def _by(cells: Sequence[Cell], keys: Any) -> defaultdict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, cell in enumerate(cells):
        for key in keys(cell) - {""}:
            found[key].append(number)
    return found


def _fitness(item: Item, cell: Cell, number: int) -> tuple[Any, ...]:
    """The cell that counts: of an answer's the last one that was answered, else the one that is as it was."""
    if item.editable:
        answered = bool(cell.source.strip()) and not is_released(item, cell) and not cell.unchanged
        return answered, cell.type == item.type, number
    return is_released(item, cell), cell.type == item.type, _likeness(item, cell), -number


def _same_text(
    items: Sequence[Item], cells: Sequence[Cell], pairs: Mapping[int, int], free: set[int]
) -> Iterator[tuple[int, int]]:
    """Pairs of cells that students do not write; the first with the first where a text occurs several times."""
    texts: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number in sorted(free, reverse=True):
        texts[cells[number].type, cells[number].source.strip()].append(number)
    for number, item in enumerate(items):
        if number in pairs or item.editable:
            continue
        for text in dict.fromkeys((item.released.strip(), item.source.strip())):
            if text and texts[item.type, text]:
                yield number, texts[item.type, text].pop()
                break


def _in_gaps(
    items: Sequence[Item], cells: Sequence[Cell], pairs: Mapping[int, int], *, lost: bool
) -> Iterator[tuple[int, int]]:
    """Pairs between neighbours that were found; `lost`: no cell has kept its grade_id."""
    taken = set(pairs.values())
    anchors = [(-1, -1), *((n, pairs[n]) for n in _in_order(pairs)), (len(items), len(cells))]
    for (item, cell), (next_item, next_cell) in pairwise(anchors):
        wanted = [n for n in range(item + 1, next_item) if n not in pairs]
        there = [n for n in range(cell + 1, next_cell) if n not in taken]
        if wanted and there:
            there = there[: max(MOST_PAIRS // len(wanted), 1)]
            yield from _aligned(items, cells, wanted, there, lost=lost)


def _aligned(
    items: Sequence[Item], cells: Sequence[Cell], wanted: Sequence[int], there: Sequence[int], *, lost: bool
) -> list[tuple[int, int]]:
    """Pairs in order with the greatest likeness together."""
    worth = [[_worth(items[i], cells[c], lost=lost) for c in there] for i in wanted]
    best = [[0.0] * (len(there) + 1) for _ in range(len(wanted) + 1)]
    for i in reversed(range(len(wanted))):
        for c in reversed(range(len(there))):
            paired = worth[i][c] + best[i + 1][c + 1] if worth[i][c] else 0.0
            best[i][c] = max(paired, best[i + 1][c], best[i][c + 1])
    found, i, c = [], 0, 0
    while i < len(wanted) and c < len(there):
        if worth[i][c] and best[i][c] == worth[i][c] + best[i + 1][c + 1]:
            found.append((wanted[i], there[c]))
            i, c = i + 1, c + 1
        elif best[i][c] == best[i + 1][c]:
            i += 1
        else:
            c += 1
    return found


def _worth(item: Item, cell: Cell, *, lost: bool) -> float:
    """How much speaks for the cell being the item's; 0: too little."""
    if cell.type != item.type:
        return 0.0
    likeness = _likeness(item, cell)
    if item.editable:
        by_place = 0.1 if cell.source.strip() and (lost or item.role == "written") else 0.0
        return likeness if likeness >= ALIKE else by_place
    if not item.released.strip():
        return 0.0 if cell.source.strip() else 1.0
    lengths = sorted((len(item.released.strip()), len(cell.source.strip())))
    same = likeness >= SAME and lengths[0] >= SAME * lengths[1] and (lost or not is_labelled(item))
    return likeness if same else 0.0


def _likeness(item: Item, cell: Cell) -> float:
    """Share of the words of what was released that the cell has, too; of both where students do not write."""
    there, here = _words(item.released[:READ]), _words(cell.source[:READ])
    if not there or not here:
        return 0.0
    return len(there & here) / len(there if item.editable else there | here)


@lru_cache(maxsize=512)
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text)) - {"YOUR", "CODE", "ANSWER", "HERE", "raise", "NotImplementedError"}


def _in_order(pairs: Mapping[int, int]) -> list[int]:
    """The most items whose cells stand in the items' order: the others were moved."""
    ends: list[int] = []
    best: list[int] = []
    before: dict[int, int | None] = {}
    for item in sorted(pairs):
        at = bisect_left(ends, pairs[item])
        before[item] = best[at - 1] if at else None
        ends[at:], best[at:] = [pairs[item], *ends[at + 1 :]], [item, *best[at + 1 :]]
    found: list[int] = []
    last = best[-1] if best else None
    while last is not None:
        found.append(last)
        last = before[last]
    return found[::-1]
