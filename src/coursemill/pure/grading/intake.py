"""A student's notebook file, whatever its bytes are: read within limits, or refused with words that help."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from coursemill.errors import CoursemillError
from coursemill.pure.grading.verdict import Note


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read; sizes are of characters where nothing else is said."""

    bytes: int = 64 << 20
    depth: int = 64
    """Lists and objects inside of each other."""
    containers: int = 2_000_000
    """Lists and objects of the file."""
    strings: int = 4_000_000
    cells: int = 5_000
    source: int = 1 << 20
    """Of one cell."""
    sources: int = 8 << 20
    """Of all cells."""
    outputs: int = 16 << 20
    """Of all cells; what is beyond is left out, and the notebook is read."""
    attachments: int = 16 << 20
    """Of all cells; the same."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A notebook in nbformat 4.5's shape: each source a string, outputs and metadata as far as they are of use."""

    notebook: dict[str, Any]
    notes: tuple[Note, ...] = ()


class Unreadable(CoursemillError):  # noqa: N818 - a state, as in the tables
    """A file that is no notebook; `fix` is what to tell the student."""


AGAIN = "open it in Jupyter, save it, and hand it in again"
CLEAR = "clear its outputs (Edit → Clear Outputs of All Cells), save it, and hand it in again"
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
CHARACTERS_OF_AN_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def notebook(data: bytes, limits: Limits | None = None) -> Taken:
    """Read a student's notebook; raises Unreadable, and nothing else, for whatever cannot be read."""
    limits = limits or Limits()
    content, notes = parsed(data, limits)
    shelf = _Shelf(limits, notes)
    try:
        cells = [_cell(cell, number, shelf) for number, cell in enumerate(content["cells"], 1)]
        metadata = {"kernelspec": _strings(content.get("metadata"), "kernelspec")}
    except RecursionError:
        raise _too_deep(limits) from None
    made = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return Taken(made, tuple(shelf.notes))


def parsed(data: bytes, limits: Limits | None = None) -> tuple[dict[str, Any], list[Note]]:
    """Read a notebook's JSON and bring it to version 4, with a list of cells; the cells are not looked into."""
    limits = limits or Limits()
    content = _json(_text(data, limits), limits)
    if not isinstance(content, dict):
        raise Unreadable("it is JSON, and no notebook", fix=AGAIN)
    content, notes = _version_4(content)
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("it has no cells", fix=AGAIN)
    if len(cells) > limits.cells:
        raise Unreadable(f"it has {len(cells)} cells, and {limits.cells} are read", fix="take out cells")
    return content, notes


class _Shelf:
    """What is left of the limits, and what was noted."""

    def __init__(self, limits: Limits, notes: Iterable[Note]) -> None:
        self.limits, self.notes = limits, list(notes)
        self.sources, self.outputs, self.attachments = limits.sources, limits.outputs, limits.attachments

    def note(self, kind: Literal["upgraded", "removed"], number: int, text: str) -> None:
        """Say something of a cell, once."""
        note = Note(kind, f"cell {number}", text)
        if note not in self.notes[-2:]:
            self.notes.append(note)


# ---- from bytes to JSON

_KINDS = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"SQLite format 3": "a database",
    b"\x7fELF": "a program",
    b"version https://git-lfs": "a pointer to a file that git keeps elsewhere",
}
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|\?xml|body|script)", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_NUMBER = 300
"""Digits of a whole number; longer ones take time that grows with their square."""


def _text(data: bytes, limits: Limits) -> str:
    if len(data) > limits.bytes:
        size = f"it is {len(data) / 1e6:.0f} MB long, and {limits.bytes / 1e6:.0f} MB are read"
        raise Unreadable(
            size, fix="clear its outputs (Edit → Clear Outputs of All Cells), save it and hand it in again"
        )
    if not data.strip(b"\0 \t\r\n"):
        filled = "filled with zeros: the disk was full, or the machine went off, when it was saved" if data else "empty"
        raise Unreadable(f"the file is {filled}", fix="save the notebook again and hand it in again")
    for start, kind in _KINDS.items():
        if data.startswith(start):
            raise Unreadable(f"it is {kind} and no notebook", fix="hand in the .ipynb file itself")
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), json.detect_encoding(data))
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")  # old editors on Windows; anything else fails as JSON


def _json(text: str, limits: Limits) -> Any:
    containers = text.count("[") + text.count("{")
    if containers > limits.containers or text.count('"') > 2 * limits.strings:
        raise Unreadable("it holds more values than are read", fix=CLEAR)
    try:
        return _loaded(text)
    except RecursionError:
        raise _too_deep(limits) from None
    except json.JSONDecodeError as error:
        raise _no_json(text, error) from None


def _loaded(text: str) -> Any:
    """JSON's values: what it has no number for is None, as in `NaN`."""
    read = {"parse_int": _int, "parse_constant": lambda _: None}
    try:
        return json.loads(text, **read)  # type: ignore[arg-type]  # each is what json asks for
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Invalid control character"):
            raise
    return json.loads(text, strict=False, **read)  # type: ignore[arg-type]  # line breaks inside of strings


def _int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)


def _no_json(text: str, error: json.JSONDecodeError) -> Unreadable:
    """Why it is no JSON, in words."""
    where = f"line {error.lineno}, column {error.colno}"
    if found := _CONFLICT.search(text):
        line = f"line {text.count(chr(10), 0, found.start()) + 1}"
        return Unreadable("git's marks of two versions stand in it", where=line, fix="choose one version and save it")
    if _PAGE.match(text):
        return Unreadable(
            "it is a web page and no notebook", fix="download the .ipynb file itself, not the page about it"
        )
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return Unreadable("it is no notebook: a notebook's file begins with {", where=where, fix=AGAIN)
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        return Unreadable("it ends in the middle: it was cut off when saved or uploaded", where=where, fix=AGAIN)
    return Unreadable(f"it is no JSON: {error.msg}", where=where, fix="do not edit the file by hand; " + AGAIN)


def _too_deep(limits: Limits) -> Unreadable:
    return Unreadable(f"its values are nested more than {limits.depth} deep", fix="clear its outputs; " + AGAIN)


# ---- old versions


def _version_4(content: dict[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """The notebook in version 4's shape."""
    version = content.get("nbformat", 3 if "worksheets" in content else 4)
    if not isinstance(version, int | float) or not version >= 1:
        version = 3 if "worksheets" in content else 4
    if version >= 5:
        raise Unreadable(f"its format is {version}, and 4 is the newest that is known", fix="save it in format 4")
    if version >= 4:
        return content, []
    made = _converted(content, int(version))
    return made, [Note("upgraded", "", f"it was brought from the notebook format {int(version)} to 4")]


def _converted(content: dict[str, Any], version: int) -> dict[str, Any]:
    import nbformat  # takes a second: old notebooks are rare
    from nbformat.notebooknode import from_dict

    try:
        old = from_dict(content | {"nbformat": version})  # type: ignore[no-untyped-call]  # nbformat has no types here
        converted = nbformat.convert(old, 4)  # type: ignore[no-untyped-call]  # the same
        return dict(json.loads(json.dumps(converted)))
    except Exception as error:
        what = f"its old format ({version}) cannot be read: {type(error).__name__}"
        raise Unreadable(what, fix="open it in a current Jupyter and save it") from error


# ---- cells


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
    return isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < float("inf"))


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
        made |= {"data": _bundle(given.get("data"), shelf.limits), "metadata": {}}
        if kind == "execute_result":
            count = given.get("execution_count")
            made["execution_count"] = count if type(count) is int and count >= 0 else None
    else:
        return {}
    shelf.outputs -= _size(made)
    return made if shelf.outputs >= 0 else None


def _bundle(given: object, limits: Limits) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for mime, value in given.items() if isinstance(given, dict) else ():
        if mime == "application/json" or mime.endswith("+json"):
            made[_mended(mime)] = _plain(value, limits, limits.depth)
        elif (text := _lines(value)) is not None:
            made[_mended(mime)] = text
    return made


def _plain(value: Any, limits: Limits, depth: int) -> Any:
    """A JSON value without what other programs stumble over."""
    if depth <= 0:
        raise _too_deep(limits)
    if isinstance(value, str):
        return _mended(value)
    if isinstance(value, dict):
        return {_mended(key): _plain(item, limits, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, limits, depth - 1) for item in value]
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
