"""What a notebook's cells put out, collected from a kernel's messages as nbclient does it, within limits.

Messages come from the student's process: each may be anything, and what is no output is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CELL = 4 << 20
"""Bytes of a cell's outputs that are kept, about."""
NOTEBOOK = 24 << 20
MOST = 1000
"""Outputs of a cell; printed text is one as long as nothing else comes between."""
NAME = 200
"""Characters of a MIME type, an error's name, an id of a display."""
STREAMS = ("stdout", "stderr")
SHOWN = ("display_data", "execute_result", "update_display_data")
CUT = "… more output than is kept: {size} MB or {most} outputs a cell\n"

Output = dict[str, Any]


@dataclass(slots=True)
class _Cell:
    outputs: list[Output] = field(default_factory=list)
    room: int = CELL
    over: bool = False
    wait: bool = False
    """Whether the next output takes the place of all before it."""


class Outputs:
    """The outputs of all cells of one run."""

    def __init__(self) -> None:
        self._cells: dict[str, _Cell] = {}
        self._shown: dict[str, list[Output]] = {}
        self._now = _Cell()
        self._room = NOTEBOOK

    @property
    def full(self) -> bool:
        """Whether more of the cell's output would not be kept."""
        return self._now.over

    def begin(self, cell: str) -> None:
        """What comes from now on is this cell's."""
        self._now = self._cells[cell] = _Cell()

    def take(self, kind: str, content: object, size: int) -> None:
        """Take in a message of `size` bytes."""
        if not isinstance(content, dict):
            return
        if kind == "clear_output":
            self._now.wait = content.get("wait") is True
            if not self._now.wait:
                self._clear()
            return
        if self._now.over:
            return
        if kind == "update_display_data":
            self._update(content, size)
        elif (made := _made(kind, content)) is not None:
            self._add(made, size)
            if kind in SHOWN and (name := _display(content)):
                self._shown.setdefault(name, []).append(self._now.outputs[-1])

    def of(self, cell: str) -> tuple[Output, ...]:
        """A cell's outputs in nbformat's shape."""
        return tuple(_joined(output) for output in self._cells[cell].outputs) if cell in self._cells else ()

    def all(self) -> dict[str, tuple[Output, ...]]:
        """Of every cell that has begun."""
        return {cell: self.of(cell) for cell in self._cells}

    def _add(self, made: Output, size: int) -> None:
        now = self._now
        if now.wait:
            self._clear()
        last = now.outputs[-1] if now.outputs else {}
        if not self._weigh(size):
            return
        if made["output_type"] == "stream" and last.get("name") == made["name"]:
            last["text"] += made["text"]  # lists of pieces: text that grows would be copied each time
        elif len(now.outputs) < MOST:
            now.outputs.append(made)
        else:
            self._cut()

    def _update(self, content: dict[str, Any], size: int) -> None:
        made = _made("display_data", content)
        if made is None or not self._weigh(size):
            return
        for output in self._shown.get(_display(content), ()):
            output["data"], output["metadata"] = made["data"], made["metadata"]

    def _weigh(self, size: int) -> bool:
        """Whether there is room for so many bytes, which are taken."""
        self._now.room -= size
        self._room -= size
        if self._now.room < 0 or self._room < 0:
            self._cut()
        return not self._now.over

    def _cut(self) -> None:
        self._now.over = True
        self._now.outputs.append(_stream("stderr", CUT.format(size=CELL >> 20, most=MOST)))

    def _clear(self) -> None:
        gone = set(map(id, self._now.outputs))
        self._shown = {
            name: left for name, outputs in self._shown.items() if (left := [o for o in outputs if id(o) not in gone])
        }
        self._now.outputs.clear()
        self._now.wait = False


def same(ours: tuple[Output, ...], theirs: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether outputs say nothing that does not stand in `theirs`, which is what a student handed in."""
    return len(ours) == len(theirs) and all(map(_same, ours, theirs))


def _same(ours: Output, theirs: Mapping[str, Any]) -> bool:
    return isinstance(theirs, dict) and all(
        _text(value) == _text(theirs.get(key)) for key, value in ours.items() if key != "execution_count"
    )


def _text(value: object) -> object:
    """Text as one string, where the notebook format may have it in lines."""
    if isinstance(value, dict):
        return {key: _text(one) for key, one in value.items()}
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value


def _made(kind: str, content: Mapping[str, Any]) -> Output | None:
    """An output, if the message is one."""
    if kind == "stream":
        name, text = content.get("name"), content.get("text")
        return _stream(str(name), _sound(text)) if name in STREAMS and isinstance(text, str) else None
    if kind == "error":
        return {
            "output_type": "error",
            "ename": _sound(str(content.get("ename"))[:NAME]),
            "evalue": _sound(str(content.get("evalue"))),
            "traceback": [_sound(line) for line in _listed(content.get("traceback")) if isinstance(line, str)],
        }
    if kind not in SHOWN:
        return None
    made: Output = {"output_type": kind, "data": _bundle(content.get("data")), "metadata": {}}
    if isinstance(metadata := content.get("metadata"), dict) and len(json.dumps(metadata)) <= NAME:
        made["metadata"] = metadata
    return {**made, "execution_count": None} if kind == "execute_result" else made


def _stream(name: str, text: str) -> Output:
    return {"output_type": "stream", "name": name, "text": [text]}


def _joined(output: Output) -> Output:
    return {**output, "text": "".join(output["text"])} if output["output_type"] == "stream" else {**output}


def _bundle(data: object) -> dict[str, Any]:
    """The forms of what is shown: text, and JSON where the form is JSON."""
    found = data if isinstance(data, dict) else {}
    return {
        kind: _sound(value) if isinstance(value, str) else value
        for kind, value in found.items()
        if len(kind) <= NAME and (isinstance(value, str) or kind.endswith("json"))
    }


def _sound(text: str) -> str:
    """Text that can be written to a file: JSON may hold halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _display(content: Mapping[str, Any]) -> str:
    transient = content.get("transient")
    name = transient.get("display_id") if isinstance(transient, dict) else None
    return name[:NAME] if isinstance(name, str) else ""


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
