"""The journal: what came of each student's notebook, kept until the submission, the tests or the environment change.

It is the truth of grading: the gradebook and `autograded/` are made from it, and may be made again at any time. A
record is written whole or not at all. One that is damaged, or somebody else's, is none: its notebook is run again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from coursemill.config import Config
from coursemill.effects import store
from coursemill.effects.grading.autogrades import Stamp
from coursemill.errors import CoursemillError
from coursemill.pure.grading.standing import Standing
from coursemill.pure.grading.standing import from_data as standing_from_data
from coursemill.pure.grading.standing import to_data as standing_to_data
from coursemill.pure.grading.verdict import Verdict, from_data, to_data

FOLDER = "grading"
FORMAT = 1
STATE = "standings.json"
SUFFIX = ".json"
MODE = 0o640
"""Records hold what students wrote, and what hidden tests say of it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Whose record: a student's notebook of a worksheet."""

    worksheet: str
    student: str
    notebook: str

    @property
    def path(self) -> str:
        """The record's file, below the build folder."""
        return f"{FOLDER}/{self.worksheet}/verdicts/{self.student}/{self.notebook}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Record:
    """A verdict without its notebook for `autograded/`, and the key of all that it depends on."""

    key: str
    digest: str
    """Of the verdict and the notebook."""
    verdict: Verdict


def find(config: Config, slot: Slot, key: str = "") -> Record | None:
    """The record of a slot, if it is whole and has the key, where one is given."""
    found = _read(config, slot, key)
    return found[0] if found else None


def whole(config: Config, slot: Slot, key: str = "") -> Verdict | None:
    """The same with its notebook."""
    found = _read(config, slot, key)
    return replace(found[0].verdict, autograded=json.loads(found[1])) if found else None


def _read(config: Config, slot: Slot, key: str) -> tuple[Record, bytes] | None:
    try:
        data = config.path(config.build, slot.path).read_bytes()
        head, verdict, notebook = data.split(b"\n", 2)
        about = json.loads(head)
        known = about["format"] == FORMAT and about["digest"] == _digest(verdict, notebook)
        if not known or (key and about["key"] != key):
            return None
        found = from_data(json.loads(verdict))
        named = Slot(found.worksheet, found.student, found.notebook)
        return (Record(about["key"], about["digest"], found), notebook) if named == slot else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def write(config: Config, key: str, verdict: Verdict) -> Record:
    """Keep a verdict; raises CoursemillError when there is no room for it, and the old record stands."""
    slot = Slot(verdict.worksheet, verdict.student, verdict.notebook)
    plain = replace(verdict, autograded={})
    about, notebook = _json(to_data(plain)), _json(verdict.autograded)
    digest = _digest(about, notebook)
    head = _json({"format": FORMAT, "key": key, "digest": digest})
    store.write(config.path(config.build), slot.path, b"\n".join((head, about, notebook)), MODE, "grade")
    return Record(key, digest, plain)


def verdicts(config: Config, worksheet: str) -> Iterator[Verdict]:
    """All whole verdicts of a worksheet, with their notebooks, by student and notebook."""
    top = config.path(config.build, FOLDER, worksheet, "verdicts")
    with contextlib.suppress(FileNotFoundError):
        for student in sorted(os.listdir(top)):  # noqa: PTH208 - names are wanted
            for name in sorted(os.listdir(top / student)):  # noqa: PTH208 - likewise
                verdict = whole(config, Slot(worksheet, student, name.removesuffix(SUFFIX)))
                if verdict and name.endswith(SUFFIX):
                    yield verdict


@dataclass(frozen=True, slots=True)
class Trouble:
    """A test that fails on the instructor's own solution."""

    notebook: str
    test: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class State:
    """What was last written into the gradebook and `autograded/`."""

    standings: Mapping[str, Standing]
    """By student."""
    made_of: Mapping[str, str]
    """Student → digest of all that the gradebook's rows and the files were made of."""
    files: Mapping[str, Mapping[str, Stamp]]
    """Student → path in their folder → how the file was written."""
    book: Stamp = ()
    """The same of an SQLite gradebook; empty: it must be looked into."""
    accounts: tuple[Mapping[str, Any], ...] = ()
    """Of regrades, the latest last: when it was, and whose grade changed why."""
    known: tuple[str, ...] = ()
    """Students that the gradebook knew."""
    shape: str = ""
    """Digest of what it had of the worksheet itself."""
    troubles: Mapping[str, tuple[Trouble, ...]] = field(default_factory=dict)
    """By notebook."""


EMPTY = State({}, {}, {})


def recall(config: Config, worksheet: str) -> State:
    """The state of a worksheet; an empty one when there is none, or none that can be used."""
    found = store.recall(config.path(config.build, FOLDER, worksheet, STATE))
    try:
        if found.pop("format", None) != FORMAT:
            return EMPTY
        return State(
            {name: standing_from_data(data) for name, data in found["standings"].items()},
            dict(found["made_of"]),
            {name: {path: tuple(one) for path, one in files.items()} for name, files in found["files"].items()},
            tuple(found["book"]),
            tuple(found["accounts"]),
            tuple(found["known"]),
            str(found["shape"]),
            {name: tuple(Trouble(**one) for one in told) for name, told in found["troubles"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return EMPTY


def remember(config: Config, worksheet: str, state: State) -> None:
    """Keep the state for `recall`; raises CoursemillError."""
    data = {
        "format": FORMAT,
        "standings": {name: standing_to_data(one) for name, one in state.standings.items()},
        "made_of": dict(state.made_of),
        "files": {name: dict(files) for name, files in state.files.items()},
        "book": list(state.book),
        "accounts": list(state.accounts),
        "known": list(state.known),
        "shape": state.shape,
        "troubles": {name: [asdict(one) for one in told] for name, told in state.troubles.items()},
    }
    store.remember(config.path(config.build), f"{FOLDER}/{worksheet}/{STATE}", data, "grade")


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:  # a verdict is JSON's values; this says whose fault it is
        raise CoursemillError(f"a verdict cannot be kept: {error}") from error


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}:".encode() + part)
    return whole.hexdigest()
