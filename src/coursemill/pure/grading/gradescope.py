"""Gradescope's `submission_metadata.yml`: who handed in which folder, and when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coursemill.pure.grading import moments

FILE = "submission_metadata.yml"
FOLDER = re.compile(r"submission_\w+")
_TOP = re.compile(r"(submission_\w+):\s*")
_KEY = re.compile(r"  (:\w+):(.*)")
_WANTED = (":submitters", ":created_at")
_LONGEST = 1 << 16
"""Characters of what is wanted of a submission."""


@dataclass(frozen=True, slots=True)
class Submitter:
    """A person as Gradescope knows them."""

    name: str = ""
    sid: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A folder of the export; groups have several submitters."""

    submitters: tuple[Submitter, ...] = ()
    when: datetime | None = None


def read(text: str) -> dict[str, Submission]:
    """Read the file; what is none of Gradescope's is left out.

    Most of it is results of its autograder, megabytes of them: only the lines that matter are read as YAML.
    """
    return {folder: _submission(lines) for folder, lines in _wanted(text)}


def _wanted(text: str) -> Iterator[tuple[str, str]]:
    folder, size, wanted = "", 0, False
    kept: list[str] = []
    for line in text.splitlines():
        if line and not line[0].isspace():
            if folder:
                yield folder, "\n".join(kept)
            found = _TOP.fullmatch(line)
            folder, kept, size, wanted = found[1] if found else "", [], 0, False
            continue
        if key := _KEY.fullmatch(line):
            wanted = key[1] in _WANTED
        if wanted and folder and size < _LONGEST:
            kept.append(line)
            size += len(line)
    if folder:
        yield folder, "\n".join(kept)


def _submission(lines: str) -> Submission:
    import yaml  # takes a moment, and few archives are Gradescope's

    try:
        data = yaml.load(lines, Loader=yaml.BaseLoader)  # makes strings, lists and maps alone
    except (yaml.YAMLError, RecursionError, ValueError):
        return Submission()
    if not isinstance(data, Mapping):
        return Submission()
    people = data.get(":submitters")
    found = tuple(_submitter(one) for one in people if isinstance(one, Mapping)) if isinstance(people, list) else ()
    return Submission(found, moments.parse(_text(data, ":created_at")))


def _submitter(data: Mapping[str, Any]) -> Submitter:
    return Submitter(_text(data, ":name"), _text(data, ":sid"), _text(data, ":email"))


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value.strip() if isinstance(value, str) and value != "null" else ""
