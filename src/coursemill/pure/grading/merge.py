"""A submission as it is graded: the instructor's notebook with what students may change in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.matching import Cell, Matches, is_labelled, is_released, match
from coursemill.pure.grading.membernames import shown
from coursemill.pure.grading.verdict import Note


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell at its place."""

    id: str
    type: str
    source: str
    """The student's where they may write, else the instructor's, hidden tests and all."""
    item: Item | None = None
    """None: the student added the cell."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """As they were handed in: data of the student's making."""
    attachments: Mapping[str, Any] = field(default_factory=dict)
    """Of an answer in prose."""


@dataclass(frozen=True, slots=True)
class Merged:
    """All cells in order, and what was put right."""

    cells: tuple[Placed, ...]
    notes: tuple[Note, ...] = ()
    unanswered: tuple[str, ...] = ()
    """Ids of answers that are as they were released."""


def merge(assignment: Assignment, notebook: Mapping[str, Any]) -> Merged:
    """Put what the student may write into the instructor's notebook; `notebook` is as `intake.notebook` gives it.

    Each of the instructor's cells stands once, in order; cells that the student added follow the one that they
    followed. Nothing of the submission's metadata is kept.
    """
    items = assignment.items
    cells = [_cell(cell) for cell in notebook["cells"]]
    found = match(items, cells)
    answers = dict(found.pairs)
    for number, place in found.pairs.items():
        if _is_own_now(items[number], cells[place]):
            del answers[number]
    added = _added(items, cells, found, answers)
    names = _names(items, len(cells))
    placed = [_own(cells[n], next(names)) for n in added[-1]]
    for number, item in enumerate(items):
        placed.append(_placed(item, cells[answers[number]] if number in answers else None))
        placed += [_own(cells[n], next(names)) for n in added[number]]
    notes = [*_notebook_notes(assignment, notebook, found), *_notes(items, cells, found)]
    notes += _claims(items, cells, set(answers.values()))
    unanswered = [item.id for n, item in enumerate(items) if _is_unanswered(item, found.pairs.get(n), cells)]
    return Merged(tuple(placed), tuple(notes), tuple(unanswered))


def _cell(cell: Mapping[str, Any]) -> Cell:
    return Cell(
        cell["cell_type"],
        cell["source"],
        cell.get("id", ""),
        cell.get("metadata", {}),
        tuple(cell.get("outputs", ())),
        cell.get("attachments", {}),
    )


def _is_own_now(item: Item, cell: Cell) -> bool:
    """Whether what was written into a cell that nothing locks is a cell of the student's, behind the instructor's.

    It is where the cell was empty, or prose: the place for the answer to a question may be just that.
    """
    if is_labelled(item) or not cell.source.strip():
        return False
    return _is_blank(item) or (item.role == "prose" and not is_released(item, cell))


def _is_blank(item: Item) -> bool:
    return not item.source.strip() and not is_labelled(item)


def _placed(item: Item, cell: Cell | None) -> Placed:
    """The item's cell, with what the student wrote where that counts."""
    if cell is None:
        source = item.released if item.editable else item.source
        return Placed(item.id, item.type, source, item, attachments=item.attachments)
    return Placed(
        item.id,
        item.type,
        cell.source if item.editable else item.source,
        item,
        outputs=cell.outputs if item.type == "code" else (),
        attachments={**item.attachments, **cell.attachments} if item.editable else item.attachments,
    )


def _own(cell: Cell, name: str) -> Placed:
    return Placed(name, cell.type, cell.source, outputs=cell.outputs, attachments=cell.attachments)


def _names(items: Sequence[Item], count: int) -> Iterator[str]:
    """Ids for added cells, which no cell of the instructor's has."""
    taken = {item.id for item in items}
    return (name for name in (f"added-{n}" for n in range(1, count + len(items) + 1)) if name not in taken)


def _added(
    items: Sequence[Item], cells: Sequence[Cell], found: Matches, answers: Mapping[int, int]
) -> defaultdict[int, list[int]]:
    """Item (-1: before the first) → the student's own cells behind it, in their order."""
    item_of = {cell: item for item, cell in found.pairs.items()}
    counted = set(answers.values())
    added: defaultdict[int, list[int]] = defaultdict(list)
    last = -1
    for number in range(len(cells)):
        last = item_of.get(number, last)
        if number not in counted:
            added[_behind(items, found, last)].append(number)
    return added


def _behind(items: Sequence[Item], found: Matches, last: int) -> int:
    """`last`, or the last of the answers that are missing right behind it.

    Where an answer's cell was deleted, the released one takes its place, and what the student wrote instead must
    stand behind it: its definitions are those that count.
    """
    behind = last
    for number in range(last + 1, len(items)):
        if number in found.pairs or items[number].role not in ("prose", "answer", "written"):
            break
        if items[number].role != "prose":
            behind = number
    return behind


def _is_unanswered(item: Item, number: int | None, cells: Sequence[Cell]) -> bool:
    if item.role not in ("answer", "written"):
        return False
    if number is None:
        return True
    cell = cells[number]
    return not cell.attachments.keys() - item.attachments.keys() and (
        is_released(item, cell) or (bool(cell.source.strip()) and cell.unchanged)
    )


# ---- what is told


def _notebook_notes(assignment: Assignment, notebook: Mapping[str, Any], found: Matches) -> Iterator[Note]:
    """Notes on the whole of it."""
    if assignment.items and not found.pairs:
        yield Note("restored", "", "none of its cells is of this notebook: was another one handed in?")
    if found.nameless:
        text = f"nbgrader's ids of {len(found.nameless)} cells were lost; the cells were found without them"
        yield Note("metadata", "", text)
    spec = notebook.get("metadata", {}).get("kernelspec", {})
    language = spec.get("language") or assignment.language
    if isinstance(language, str) and language != assignment.language:
        yield Note("metadata", "", f"its kernel was for {shown(language)}; it is run with the instructor's")


def _notes(items: Sequence[Item], cells: Sequence[Cell], found: Matches) -> Iterator[Note]:
    """Notes on the instructor's cells, in order."""
    for number, item in enumerate(items):
        if number not in found.pairs:
            if found.pairs and item.source.strip():
                yield Note("restored", item.id, "it was deleted and is back")
            continue
        cell = cells[found.pairs[number]]
        if number in found.doubled:
            which = "the last one that was answered counts" if item.editable else "one of them is the instructor's"
            text = f"{found.doubled[number]} cells have its id: {which}, the others are added ones"
            yield Note("duplicated", item.id, text)
        if number in found.guessed and item.editable:
            yield Note("metadata", item.id, "its answer was found by its place and its words alone")
        if number in found.moved:
            yield Note("reordered", item.id, "it was moved and is back in its place")
        yield from _changes(item, cell)


def _changes(item: Item, cell: Cell) -> Iterator[Note]:
    """What was changed in a cell beside an answer."""
    if _is_own_now(item, cell):
        return
    if cell.type != item.type:
        yield Note("edited", item.id, f"it was made a {cell.type} cell and is a {item.type} cell again")
    if not item.editable and not _is_blank(item) and not is_released(item, cell):
        if cell.unchanged:
            yield Note("upgraded", item.id, "it is from an earlier release and is as it is now")
        else:
            yield Note("edited", item.id, "its text was changed and is the instructor's again")
    own = item.metadata.get("tags", ())
    if tags := [tag for tag in cell.metadata.get("tags", ()) if tag not in own]:
        yield Note("metadata", item.id, f"tags that it was given do not count: {shown(', '.join(tags[:5]))}")
    mine = item.metadata.get("nbgrader", {})
    kept = [key for key in ("grade", "solution", "locked", "task") if key in cell.nbgrader]
    wrong = [key for key in kept if bool(cell.nbgrader[key]) != bool(mine.get(key))]
    if wrong and cell.name == item.id:
        yield Note("metadata", item.id, f"nbgrader's data on it were changed and are as they were: {', '.join(wrong)}")


def _claims(items: Sequence[Item], cells: Sequence[Cell], counted: set[int]) -> Iterator[Note]:
    """Notes on added cells that claim to be nbgrader's."""
    known = {item.id for item in items if is_labelled(item)}
    for name in dict.fromkeys(cell.name for n, cell in enumerate(cells) if n not in counted):
        if name and name not in known:
            yield Note("metadata", shown(name)[:64], "the instructor has no cell of this id: it is an added one")
