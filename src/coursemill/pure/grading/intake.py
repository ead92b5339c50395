"""A student's notebook file, whatever its bytes are: read within limits, or refused with words that help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from coursemill.pure.grading.notebookfile import AGAIN, Limits, Unreadable, parsed, too_deep
from coursemill.pure.grading.verdict import Note

__all__ = ["Limits", "Taken", "Unreadable", "notebook", "parsed"]
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_LARGEST = 1e15
"""Of the numbers in metadata that are kept."""
_JSON = re.compile(r"^application/(?:.*\+)?json$")
CHARACTERS_OF_AN_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Taken:
    """A notebook in nbformat 4.5's shape: each source a string, outputs and metadata as far as they are of use."""

    notebook: dict[str, Any]
    notes: tuple[Note, ...] = ()


def notebook(data: bytes, limits: Limits | None = None) -> Taken:
    """Read a student's notebook; raises Unreadable, and nothing else, for whatever cannot be read."""
    limits = limits or Limits()
    content, notes = parsed(data, limits)
    shelf = _Shelf(limits, notes)
    try:
        cells = [_cell(cell, number, shelf) for number, cell in enumerate(content["cells"], 1)]
        metadata = {"kernelspec": _strings(content.get("metadata"), "kernelspec")}
    except RecursionError:
        raise too_deep(limits) from None
    made = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return Taken(made, tuple(shelf.notes))


class _Shelf:
    """What is left of the limits, and what was noted."""

    def __init__(self, limits: Limits, notes: Iterable[Note]) -> None:
        self.limits, self.notes = limits, list(notes)
        self.sources, self.outputs, self.attachments = limits.sources, limits.outputs, limits.attachments
        self.values = limits.values

    def note(self, kind: Literal["upgraded", "removed"], number: int, text: str) -> None:
        """Say something of a cell, once."""
        note = Note(kind, f"cell {number}", text)
        if note not in self.notes[-2:]:
            self.notes.append(note)


def _cell(cell: object, number: int, shelf: _Shelf) -> dict[str, Any]:
    if not isinstance(cell, dict):
        raise Unreadable("it is no cell", where=f"cell {number}", fix=AGAIN)
    kind, source = cell.get("cell_type"), _source(cell, number, shelf)
    if kind not in ("code", "markdown", "raw"):
        kind = "code" if "outputs" in cell else "raw"
        shelf.note("upgraded", number, f"it was of an unknown type and is taken as {kind}")
    made = {"cell_type": kind, "id": _id(cell, number), "metadata": _metadata(cell, shelf), "source": source}
    if kind == "code":
        count = cell.get("execution_count")
        made["execution_count"] = count if type(count) is int and count >= 0 else None
        made["outputs"] = list(_outputs(cell.get("outputs"), number, shelf))
    elif kind == "markdown" and (attached := dict(_attachments(cell.get("attachments"), number, shelf))):
        made["attachments"] = attached
    return made


def _source(cell: Mapping[str, Any], number: int, shelf: _Shelf) -> str:
    source = cell.get("source", "")
    text = _lines(source)
    if text is None:
        raise Unreadable("its source is no text", where=f"cell {number}", fix=AGAIN)
    shelf.sources -= len(text)
    if len(text) > shelf.limits.source or shelf.sources < 0:
        size = shelf.limits.source if shelf.sources >= 0 else shelf.limits.sources
        of = "a cell" if shelf.sources >= 0 else "all cells"
        fix = "keep data in files, not in cells"
        raise Unreadable(f"its text is too long: {size} characters of {of} are read", where=f"cell {number}", fix=fix)
    return text.replace("\r\n", "\n")


def _id(cell: Mapping[str, Any], number: int) -> str:
    own = cell.get("id")
    return own if isinstance(own, str) and CHARACTERS_OF_AN_ID.fullmatch(own) else f"taken-{number}"


def _metadata(cell: Mapping[str, Any], shelf: _Shelf) -> dict[str, Any]:
    """What helps to tell which cell it is, and what was tried: nbgrader's, the tags, and Colab's id."""
    given = cell.get("metadata")
    if not isinstance(given, dict):
        return {}
    made: dict[str, Any] = {}
    if nbgrader := _strings(given, "nbgrader"):
        made["nbgrader"] = nbgrader
    tags = given.get("tags")
    if isinstance(tags, list):
        kept = [_mended(tag) for tag in tags[:20] if isinstance(tag, str) and 0 < len(tag) < 100 and "," not in tag]
        made["tags"] = list(dict.fromkeys(kept))
    if isinstance(own := given.get("id"), str) and CHARACTERS_OF_AN_ID.fullmatch(own):
        made["id"] = own
    return made


def _strings(given: object, key: str) -> dict[str, Any]:
    """The simple values of an object in `given`."""
    found = given.get(key) if isinstance(given, dict) else None
    if not isinstance(found, dict):
        return {}
    return {
        _mended(name): _mended(value) if isinstance(value, str) else value
        for name, value in list(found.items())[:20]
        if len(name) < 100 and _is_simple(value)
    }


def _is_simple(value: object) -> bool:
    if isinstance(value, str):
        return len(value) < 1000
    return isinstance(value, bool | int | float) and abs(value) < _LARGEST


def _attachments(given: object, number: int, shelf: _Shelf) -> Iterator[tuple[str, dict[str, str]]]:
    """Pictures; anything else is left out."""
    for name, bundle in given.items() if isinstance(given, dict) else ():
        pictures = {}
        for mime, value in bundle.items() if isinstance(bundle, dict) else ():
            text = _lines(value)
            if mime in IMAGES and text is not None and len(text) <= shelf.attachments and _is_base64(text):
                pictures[mime] = text
                shelf.attachments -= len(text)
        if pictures and len(name) < 300:
            yield _mended(name), pictures
        else:
            shelf.note("removed", number, "an attachment is no picture, or is too large: it was left out")


def _is_base64(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9+/=\s]+", text))


def _outputs(given: object, number: int, shelf: _Shelf) -> Iterator[dict[str, Any]]:
    for output in given if isinstance(given, list) else ():
        if not isinstance(output, dict):
            continue
        made = _output(output, shelf)
        if made is None:
            shelf.note("removed", number, "its outputs are longer than what is kept: they were left out")
            return
        if made:
            yield made


def _output(given: dict[str, Any], shelf: _Shelf) -> dict[str, Any] | None:
    """An output in the format's shape; empty for what is none, None when it is too much."""
    kind = given.get("output_type")
    made: dict[str, Any] = {"output_type": kind}
    if kind == "stream":
        made |= {
            "name": "stderr" if given.get("name") == "stderr" else "stdout",
            "text": _lines(given.get("text")) or "",
        }
    elif kind == "error":
        trace = given.get("traceback")
        lines = [_mended(line) for line in trace if isinstance(line, str)] if isinstance(trace, list) else []
        made |= {"ename": _lines(given.get("ename")) or "", "evalue": _lines(given.get("evalue")) or ""}
        made["traceback"] = lines
    elif kind in ("display_data", "execute_result"):
        made |= {"data": _bundle(given.get("data"), shelf), "metadata": {}}
        if kind == "execute_result":
            count = given.get("execution_count")
            made["execution_count"] = count if type(count) is int and count >= 0 else None
    else:
        return {}
    shelf.outputs -= _size(made)
    return made if shelf.outputs >= 0 else None


def _bundle(given: object, shelf: _Shelf) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for mime, value in given.items() if isinstance(given, dict) else ():
        if _JSON.search(mime):
            made[_mended(mime)] = _plain(value, shelf, shelf.limits.depth)
        elif (text := _lines(value)) is not None:
            made[_mended(mime)] = text
    return made


def _plain(value: Any, shelf: _Shelf, depth: int) -> Any:
    """A JSON value without what other programs stumble over; None from where there are too many on."""
    shelf.values -= 1
    if depth <= 0:
        raise too_deep(shelf.limits)
    if shelf.values < 0:
        shelf.outputs = -1
        return None
    if isinstance(value, str):
        return _mended(value)
    if isinstance(value, dict):
        return {_mended(key): _plain(item, shelf, depth - 1) for key, item in value.items() if shelf.values >= 0}
    if isinstance(value, list):
        return [_plain(item, shelf, depth - 1) for item in value if shelf.values >= 0]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def _size(value: Any) -> int:
    """Characters, about; for what went through `_plain`, so that it is not deep."""
    if isinstance(value, str):
        return len(value) + 2
    if isinstance(value, dict):
        return sum(len(key) + 4 + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(2 + _size(item) for item in value)
    return 4


def _lines(value: object) -> str | None:
    """A text that may be kept as a list of lines; None for anything else."""
    if isinstance(value, str):
        return _mended(value)
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return _mended("".join(value))
    return None


def _mended(text: str) -> str:
    """`text` without halves of characters, which cannot be written to a file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
