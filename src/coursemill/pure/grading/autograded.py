"""The notebook for `autograded/`: what a student handed in, as it was graded, for nbgrader's tools to read.

Formgrader and `nbgrader generate_feedback` show what stands in it as it is. So what is hidden from students is not
there, and what students wrote can do nothing in an instructor's browser.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from coursemill.pure.grading import clean, noted
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.merge import Merged, Placed
from coursemill.pure.grading.verdict import Note, Outcome

Notebook = dict[str, Any]
Output = Mapping[str, Any]
LINES = 1000
"""Of printed text in a cell: as many as nbgrader's LimitOutput leaves, and as many of a traceback as it does."""
TRACEBACK = 100
CELL = 4_000_000
"""Characters of output that a cell may have, pictures as Base64; the whole notebook five times as many."""
WORDS = {
    "failed": "Failed",
    "error": "Error",
    "timeout": "Timeout",
    "died": "Died",
    "limit": "Limit",
    "not-reached": "NotReached",
    "unreadable": "Unreadable",
    "missing": "Missing",
}
"""What stands where Python names an exception."""
REASONS = {
    "failed": "This test failed.",
    "error": "This test could not be carried out.",
    "timeout": "This took too long and was stopped.",
    "died": "Python ended while this test ran.",
    "limit": "This used more memory, processes or disk than there is for it.",
    "not-reached": "This test was not reached: the work ended above it.",
    "unreadable": "This notebook cannot be read.",
    "missing": "This notebook was not handed in.",
}
"""What is said where an outcome has no message."""
FAKED = "This test gives no points: it cannot tell a right answer from a wrong one here."


def compose(
    assignment: Assignment,
    merged: Merged | None,
    outputs: Mapping[str, Sequence[Output]],
    outcomes: Iterable[Outcome],
    notes: Iterable[Note] = (),
    trouble: str = "",
) -> Notebook:
    """Make the notebook, in nbformat 4.5's shape.

    `outputs` has the outputs of the cells that ran, by the ids of `merged`; `notes` are those that are not in
    `merged` already; without `merged` (nothing was handed in, or nothing that can be read) the cells are those that
    the students got, and `trouble` says why.
    """
    ended = {outcome.test: outcome for outcome in outcomes}
    placed = merged.cells if merged else tuple(_untouched(item) for item in assignment.items)
    told = [*(merged.notes if merged else ()), *notes]
    names = _Names()
    cells = list(_top(told, trouble, placed, names))
    open_ids = frozenset(merged.unanswered if merged else ())
    room, count = 5 * CELL, 0
    for one in placed:
        cell = _cell(one, told, names, unanswered=one.id in open_ids)
        if cell["cell_type"] == "code":
            ran = one.id in outputs
            count += ran
            made = _outputs(one, outputs.get(one.id, ()), ended, count, room)
            room -= sum(map(_size, made))
            cell |= {"execution_count": count if ran else None, "outputs": made}
        cells.append(cell)
    kernel = {"display_name": assignment.kernel, "language": assignment.language, "name": assignment.kernel}
    ours = _ours(assignment, told, trouble) | {"theirs": merged is not None}
    metadata = {"kernelspec": kernel, **assignment.metadata, "coursemill": ours}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def repriced(notebook: Notebook, assignment: Assignment, outcomes: Iterable[Outcome]) -> Notebook:
    """The notebook with other points: those of `assignment` and of `outcomes`; everything else stays as it was run."""
    ended = {outcome.test: outcome for outcome in outcomes}
    items = {item.id: item for item in assignment.items}
    cells = []
    for cell in notebook["cells"]:
        item = items.get(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))
        if item is not None:
            metadata = {**cell["metadata"], "nbgrader": _grading(item, cell["source"])}
            cell = {**cell, "metadata": metadata}
            if item.role == "test" and item.id in ended:
                cell["outputs"] = _told(ended[item.id])
        cells.append(cell)
    return {**notebook, "cells": cells}


def tamed(outputs: Iterable[Output], count: int, room: int = CELL) -> list[dict[str, Any]]:
    """Outputs as nbformat and every browser can take them: known kinds, bounded, nothing in them that acts.

    `count` is the cell's execution count, `room` the characters that there are for all of them.
    """
    made: list[dict[str, Any]] = []
    lines, room = LINES, min(room, CELL)
    for output in outputs:
        one = _tame(output, count, lines)
        if one is None:
            continue
        if (size := _size(one)) > room:
            made.append(_printed("... Output left out: it is too large ...\n"))
            break
        room -= size
        if one["output_type"] == "stream":
            lines -= one["text"].count("\n") + 1
        if made and one["output_type"] == "stream" == made[-1]["output_type"] and one["name"] == made[-1]["name"]:
            made[-1]["text"] += one["text"]
        else:
            made.append(one)
    return made


def ended(status: str, said: str = "") -> dict[str, Any]:
    """The output of a cell that came to no end of its own; `said` is why."""
    name, said = WORDS[status], said or REASONS[status]
    return {"output_type": "error", "ename": name, "evalue": said, "traceback": [f"{name}: {said}"]}


def checksum(source: str, kind: str, grading: Mapping[str, Any]) -> str:
    """nbgrader's checksum of a cell, by its nbgrader metadata: `nbgrader.utils.compute_checksum`."""
    grade, solution = bool(grading.get("grade")), bool(grading.get("solution"))
    locked = not solution and (grade or bool(grading.get("locked")))
    parts = [source, kind, str(grade), str(solution), str(locked), str(grading.get("grade_id", ""))]
    if grade:
        parts.append(str(float(grading.get("points", 0))))
    return hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


class _Names:
    """Ids of cells as the notebook format wants them: short, of plain characters, each once."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def name(self, wanted: str) -> str:
        """`wanted`, or what comes nearest to it and is free."""
        base = re.sub(r"[^a-zA-Z0-9_-]", "-", wanted)[:56] or "cell"
        name, number = base, 1
        while name in self.taken:
            number += 1
            name = f"{base}-{number}"
        self.taken.add(name)
        return name


def _untouched(item: Item) -> Placed:
    return Placed(item.id, item.type, item.released, item)


def _top(told: Sequence[Note], trouble: str, placed: Sequence[Placed], names: _Names) -> Iterator[dict[str, Any]]:
    """A cell that says what was put right, and why nothing was run, where there is something to say."""
    added = sum(one.item is None for one in placed)
    lines = [_escaped(trouble)] if trouble else []
    if told:
        lines.append("\nPut right before it was graded:\n")
        said = noted.lines(told)
        lines.extend(f"- {_escaped(line)}" for line in said[:50])
        if len(said) > 50:
            lines.append(f"- and {len(said) - 50} more")
    if added:
        lines.append(f"\n{added} {'cells were' if added > 1 else 'cell was'} added by the student.")
    if trouble or told:
        source = "\n".join(["**About this submission**", "", *lines])
        about = {"deletable": False, "editable": False, "coursemill": {"about": True}}
        yield {"cell_type": "markdown", "id": names.name("about-this-submission"), "metadata": about, "source": source}


def _cell(placed: Placed, told: Sequence[Note], names: _Names, *, unanswered: bool) -> dict[str, Any]:
    """A cell without outputs."""
    item = placed.item
    kind = item.type if item else placed.type
    kind = kind if kind in ("code", "markdown", "raw") else "raw"
    source = _source(placed)
    metadata = _metadata(item, source) if item else _added()
    if unanswered:
        metadata["coursemill"]["unanswered"] = True
    if mine := [{"kind": note.kind, "text": note.text} for note in told if note.cell == placed.id]:
        metadata["coursemill"]["notes"] = mine
    cell: dict[str, Any] = {"cell_type": kind, "id": names.name(placed.id), "metadata": metadata, "source": source}
    if kind == "markdown" and (attachments := _attachments(placed)):
        cell["attachments"] = attachments
    return cell


def _added() -> dict[str, Any]:
    return {"tags": ["added-by-student"], "coursemill": {"added": True}}


def _source(placed: Placed) -> str:
    """The student's where it is theirs; else what students got, with a task's mark scheme, which graders read."""
    item = placed.item
    fixed = item is not None and (item.role == "test" or placed.source == item.source)
    if item and fixed and not item.editable:
        return item.source if item.role == "task" else item.released
    theirs = placed.source.encode("utf-8", "replace").decode()  # no half characters: they cannot be written
    untouched = item is not None and theirs == item.released
    return theirs if placed.type == "code" or untouched else clean.harmless(theirs)


def _metadata(item: Item, source: str) -> dict[str, Any]:
    """The instructor's, with nbgrader's points and checksum."""
    metadata: dict[str, Any] = json.loads(json.dumps(dict(item.metadata), default=str))
    ours = metadata.get("coursemill")
    metadata["coursemill"] = dict(ours) if isinstance(ours, dict) else {}
    if item.source != item.released:
        metadata["coursemill"].pop("lines", None)  # they count lines that do not stand here
    if isinstance(metadata.get("nbgrader"), dict):
        metadata["nbgrader"] = _grading(item, source)
    return metadata


def _grading(item: Item, source: str) -> dict[str, Any]:
    """nbgrader's metadata; the checksum is that of the cell as students got it."""
    grading = dict(item.metadata.get("nbgrader", {}))
    if grading.get("grade") or grading.get("task"):
        grading["points"] = int(item.points) if float(item.points).is_integer() else item.points
    if grading.get("grade_id"):
        original = source if item.role == "task" else item.released
        grading |= {"checksum": checksum(original, item.type, grading), "cell_type": item.type}
    return grading


def _attachments(placed: Placed) -> dict[str, Any]:
    """Pictures that belong to a cell of prose."""
    made = {}
    given = placed.attachments or (placed.item.attachments if placed.item else {})
    for name, data in list(given.items())[:50]:
        bundle = clean.bundle(data) if isinstance(data, Mapping) else {}
        if kept := {kind: text for kind, text in bundle.items() if kind in clean.PICTURES}:
            made[str(name)[:200]] = kept
    return made


def _outputs(
    placed: Placed, given: Sequence[Output], ended: Mapping[str, Outcome], count: int, room: int
) -> list[dict[str, Any]]:
    """What stands below a code cell: of a test how it ended, of all others what they printed."""
    item = placed.item
    if item is None or item.role != "test":
        return tamed(given, count, room)
    outcome = ended.get(item.id)
    return _told(outcome) if outcome else []


def _told(outcome: Outcome) -> list[dict[str, Any]]:
    """How a test ended, so that nbgrader reads the same score from it."""
    if outcome.status == "passed" and outcome.twin != "passed":
        if outcome.part is None or outcome.score == outcome.points:
            return [_printed("passed\n")]
        result = {"text/plain": f"{outcome.score:g}"}
        told = {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": result}
        return [_printed(f"passed in part: {outcome.score:g} of {outcome.points:g} points\n"), told]
    said = FAKED if outcome.status == "passed" else outcome.message or REASONS[outcome.status]
    message = clean.plain(said)[:20_000]
    name = WORDS.get(outcome.status, "Failed")
    trace = [f"{name}: {line}" if not number else line for number, line in enumerate(message.split("\n"))]
    return [{"output_type": "error", "ename": name, "evalue": message, "traceback": trace[:TRACEBACK]}]


def _ours(assignment: Assignment, told: Sequence[Note], trouble: str) -> dict[str, Any]:
    """The notebook's metadata of ours."""
    ours = assignment.metadata.get("coursemill")
    counted = Counter(note.kind for note in told)
    return {
        **(ours if isinstance(ours, Mapping) else {}),
        **({"notes": dict(sorted(counted.items()))} if told else {}),
        **({"trouble": trouble} if trouble else {}),
    }


def _tame(output: Output, count: int, lines: int) -> dict[str, Any] | None:
    """One output; None when it is of no known kind, or when there are no lines left for it."""
    kind = output.get("output_type")
    if kind == "stream":
        text = clean.text_of(output.get("text"))[:CELL].encode("utf-8", "replace").decode()
        if not text or lines <= 0:
            return None
        parts = text.split("\n")
        if len(parts) > lines:
            text = "\n".join([*parts[: lines - 1], "... Output truncated ..."])
        return _printed(clean.printable(text), "stderr" if output.get("name") == "stderr" else "stdout")
    if kind == "error":
        trace = [clean.printable(str(line)[:10_000]) for line in _listed(output.get("traceback"))]
        if len(trace) > TRACEBACK:
            half = TRACEBACK // 2
            trace = [*trace[:half], "... Traceback truncated ...", *trace[-half + 1 :]]
        name, value = (clean.printable(str(output.get(key, ""))[:10_000]) for key in ("ename", "evalue"))
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": trace}
    if kind not in ("display_data", "execute_result"):
        return None
    data = output.get("data")
    bundle = clean.bundle(data) if isinstance(data, Mapping) else {}
    if not bundle:
        return None
    made: dict[str, Any] = {"output_type": kind, "metadata": {}, "data": bundle}
    return made | ({"execution_count": count or None} if kind == "execute_result" else {})


def _printed(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def _listed(value: object) -> list[Any]:
    return value[:10_000] if isinstance(value, list) else []


def _size(output: Output) -> int:
    """Characters of an output."""
    return len(json.dumps(output))


def _escaped(text: str) -> str:
    """A text as Markdown that says just that, on one line."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$<>&-])", r"\\\1", " ".join(clean.visible(text).split()))[:2000]
