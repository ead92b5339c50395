"""A notebook's file as JSON in the format's fourth version, within limits."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
    values: int = 1_000_000
    """Of outputs that are JSON; the same."""
    attachments: int = 16 << 20
    """Of all cells; the same."""


class Unreadable(CoursemillError):  # noqa: N818 - a state, as in the tables
    """A file that is no notebook; `fix` is what to tell the student."""


AGAIN = "open it in Jupyter, save it, and hand it in again"
CLEAR = "clear its outputs (Edit → Clear Outputs of All Cells), save it, and hand it in again"


def parsed(data: bytes, limits: Limits | None = None) -> tuple[dict[str, Any], list[Note]]:
    """Read a notebook's JSON and bring it to version 4, with a list of cells; the cells are not looked into."""
    limits = limits or Limits()
    content = _json(_text(data, limits), limits)
    if not isinstance(content, dict):
        raise Unreadable("it is JSON, and no notebook", fix=AGAIN)
    content, notes = _version_4(content, limits)
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("it has no cells", fix=AGAIN)
    if len(cells) > limits.cells:
        raise _too_many(len(cells), limits)
    return content, notes


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
"""Digits of a whole number that is read as one."""


def _text(data: bytes, limits: Limits) -> str:
    if len(data) > limits.bytes:
        size = f"it is longer than the {limits.bytes / (1 << 20):.4g} MB that are read"
        raise Unreadable(
            size, fix="clear its outputs (Edit → Clear Outputs of All Cells), save it and hand it in again"
        )
    if not data.strip(b"\0 \t\r\n"):
        zeros = "filled with zeros: the disk was full, or the machine went off, when it was saved"
        state = zeros if data.startswith(b"\0") else "empty"
        raise Unreadable(f"the file is {state}", fix="save the notebook again and hand it in again")
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
        raise too_deep(limits) from None
    except json.JSONDecodeError as error:
        raise _no_json(text, error) from None


def _loaded(text: str, *, strict: bool = True, whole: Callable[[str], int | float] | None = None) -> Any:
    """JSON's values: what it has no number for is None, as in `NaN`."""
    try:
        return json.loads(text, strict=strict, parse_int=whole, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        if not strict or not error.msg.startswith("Invalid control character"):
            raise
    except ValueError:  # a whole number of more digits than Python reads in a reasonable time
        return _loaded(text, strict=strict, whole=_int)
    return _loaded(text, strict=False, whole=whole)  # line breaks inside of strings


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


def _too_many(count: int, limits: Limits) -> Unreadable:
    return Unreadable(f"it has {count} cells, and {limits.cells} are read", fix="take out cells")


def too_deep(limits: Limits) -> Unreadable:
    """What is said of values in values in values."""
    return Unreadable(f"its values are nested more than {limits.depth} deep", fix="clear its outputs; " + AGAIN)


# ---- old versions


def _version_4(content: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], list[Note]]:
    """The notebook in version 4's shape."""
    version = content.get("nbformat", 3 if "worksheets" in content else 4)
    if not isinstance(version, int | float) or not version >= 1:
        version = 3 if "worksheets" in content else 4
    if version >= 5:
        raise Unreadable(f"its format is {version}, and 4 is the newest that is known", fix="save it in format 4")
    if version >= 4:
        return content, []
    made = _converted(_thin(content, limits), int(version))
    return made, [Note("upgraded", "", f"it was brought from the notebook format {int(version)} to 4")]


def _thin(content: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """An old notebook without outputs and metadata, which take long to convert."""
    sheets = content.get("worksheets")
    sheets = [sheet for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else [content]
    cells = [cell for sheet in sheets for cell in _listed(sheet.get("cells"))]
    if len(cells) > limits.cells:
        raise _too_many(len(cells), limits)
    kept = [{**cell, "outputs": []} if "outputs" in cell else cell for cell in cells if isinstance(cell, dict)]
    metadata = content.get("metadata")
    thin = {"metadata": metadata if isinstance(metadata, dict) else {}, "nbformat_minor": 0}
    return thin | ({"worksheets": [{"cells": kept}]} if "worksheets" in content else {"cells": kept})


def _converted(content: dict[str, Any], version: int) -> dict[str, Any]:
    import nbformat  # takes a second: old notebooks are rare
    from nbformat.notebooknode import from_dict

    try:
        old = from_dict(content | {"nbformat": version})  # type: ignore[no-untyped-call]  # nbformat has no types here
        converted = nbformat.convert(old, 4)  # type: ignore[no-untyped-call]  # the same
        made = dict(json.loads(json.dumps(converted)))
    except Exception as error:
        what = f"its old format ({version}) cannot be read: {type(error).__name__}"
        raise Unreadable(what, fix="open it in a current Jupyter and save it") from error
    for cell in made["cells"]:
        cell.pop("id", None)  # it was drawn by lot
    return made


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
