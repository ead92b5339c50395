"""What was put right in a submission, in lines: what happened to many cells is said once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coursemill.pure.grading.verdict import Note


def lines(notes: Iterable[Note]) -> list[str]:
    """`each of 35 cells: …`, `json.py: …`, `the notebook: …`."""
    where: dict[str, list[str]] = {}
    for note in notes:
        where.setdefault(note.text, []).append(note.cell)
    return [f"{_named(cells)}: {text}" for text, cells in where.items()]


def _named(cells: Sequence[str]) -> str:
    return cells[0] or "the notebook" if len(cells) == 1 else f"each of {len(cells)} cells"
