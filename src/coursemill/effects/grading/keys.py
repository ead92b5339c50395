"""What a result depends on, as digests: one with the same key is not run again.

Points are not among it: scores are derived from results whenever they are wanted. Nor is the plan of the tests,
which follows from the rest.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coursemill.effects import kernels
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.standing import Basis

PACKAGE = Path(__file__).parents[2]
EXAMINATION = "effects/grading/examination.py"
SANDBOX = "effects/sandbox"
"""Of our code, what a result depends on is these, and all that they import."""
DERIVED = ("points", "checksum")
"""What nbgrader's metadata say about points, which are no part of a key."""


@dataclass(frozen=True, slots=True)
class Instructor:
    """What the instructor gives for one notebook: the same for all students."""

    tests: Mapping[str, str]
    rest: str
    environment: str

    @classmethod
    def of(cls, package: Package, options: Options, machine: str) -> Instructor:
        """Look at a notebook; `machine` is what `environment` says."""
        assignment = package.assignment
        tests = {item.id: _digest(_said(item)) for item in assignment.tests}
        others = [_said(item) for item in assignment.items if item.role != "test"]
        order = [item.id for item in assignment.items]
        about = [assignment.worksheet, assignment.name, dict(assignment.metadata), assignment.kernel]
        told = _json([about, order, assignment.language, sorted(package.editable)])
        settings = _json([options.timeout, options.trust, dict(package.limits)])
        return cls(tests, _digest(told, *others, *_named(package.files)), _digest(machine, settings))

    def basis(self, handed: Handed) -> Basis:
        """What a result of this submission depends on."""
        content = b"absent" if handed.content is None else b"content" + handed.content
        notes = _json([asdict(note) for note in handed.notes])
        return Basis(_digest(content, notes, *_named(handed.files)), self.tests, self.rest, self.environment)


def key(basis: Basis) -> str:
    """The key of a result."""
    return _digest(_json(asdict(basis)))


@cache
def environment() -> str:
    """Python, the machine, the installed distributions and our own code, as a digest."""
    ours = [file.read_bytes() for file in our_code()]
    return _digest(sys.version, platform.machine(), *kernels.installed(), *ours)


def our_code() -> list[Path]:
    """Files of ours that a result depends on."""
    waiting = [PACKAGE / EXAMINATION, *sorted((PACKAGE / SANDBOX).rglob("*.py"))]
    found: dict[Path, None] = {}
    while waiting:
        file = waiting.pop()
        if file not in found and file.is_file():
            found[file] = None
            waiting.extend(_imported(file.read_text(encoding="utf-8")))
    return sorted(found)


_IMPORT = re.compile(r"^\s*(?:from coursemill([\w.]*) import (\([^)]*\)|.*)|import coursemill([\w.]+))", re.MULTILINE)


def _imported(source: str) -> Iterator[Path]:
    """The files of ours that a module may import, some of which are not there: to parse it takes ten times as long."""
    for package, names, module in _IMPORT.findall(source):
        base = PACKAGE.joinpath(*(package or module).strip(".").split("."))
        for path in (base, *(base / name for name in re.findall(r"\w+", names))):
            yield path.with_suffix(".py")
            yield path / "__init__.py"


def _said(item: Item) -> str:
    """All of an item but its points."""
    metadata: dict[str, Any] = dict(item.metadata)
    if isinstance(grading := metadata.get("nbgrader"), Mapping):
        metadata["nbgrader"] = {name: value for name, value in grading.items() if name not in DERIVED}
    said = {**asdict(item), "metadata": metadata, "hidden": sorted(item.hidden)}
    del said["points"]
    return _json(said)


def _named(files: Mapping[str, bytes]) -> Iterable[str | bytes]:
    for name, data in sorted(files.items()):
        yield from (name, data)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _digest(*parts: str | bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        whole.update(f"{len(data)}:".encode() + data)
    return whole.hexdigest()
