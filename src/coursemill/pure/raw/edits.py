"""Edits of a note: whole lines give way to others, and no other byte changes; and the diff that shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BOM = "\ufeff"
CONTEXT = 3
"""Lines around a change that a diff shows."""
_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Lines `start` to `end` of a note (from 1, both included) give way to `lines`, which have no line ends.

    With `end` one less than `start`, nothing goes and `lines` come in above line `start`.
    """

    start: int
    end: int
    lines: tuple[str, ...]


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with its edits, which must not overlap; other lines keep every byte.

    A new line ends as the one does in whose place it stands; a last line without a newline goes on having none.
    """
    lines = split(text)
    out, at = [BOM] * text.startswith(BOM), 0
    for change in _changes(lines, edits):
        out += [line + end for line, end in lines[at : change.at]] + change.new
        at = _end(change)
    return "".join([*out, *(line + end for line, end in lines[at:])])


def split(text: str) -> list[tuple[str, str]]:
    """The lines of a note and how each ends: with a newline, a carriage return or both, the last perhaps with none."""
    found, at = [], len(BOM) if text.startswith(BOM) else 0
    for match in _END.finditer(text, at):
        found.append((text[at : match.start()], match[0]))
        at = match.end()
    return [*found, (text[at:], "")] if at < len(text) else found


def diff(path: str, text: str, edits: Sequence[Edit]) -> str:
    """Return the unified diff that `patch -p1` and `git apply` take; `path` is relative to where they are called.

    For these, only newlines end a line. Empty when nothing changes.
    """
    if BOM in text[:1] or any(end == "\r" for _, end in split(text)):
        old, found = _lines(text), _whole(_lines(text), _lines(apply(text, edits)))
    else:
        old, found = [line + end for line, end in split(text)], [*_changes(split(text), edits)]
    changes = [change for change in found if change.old != change.new]
    if not changes:
        return ""
    return f"--- {_name(f'a/{path}')}\n+++ {_name(f'b/{path}')}\n" + "".join(_hunks(old, changes))


@dataclass(frozen=True, slots=True)
class _Change:
    """What stands at `at` (from 0) of the old lines, and what comes in its place; with line ends."""

    at: int
    old: list[str]
    new: list[str]


def _changes(lines: list[tuple[str, str]], edits: Iterable[Edit]) -> Iterator[_Change]:
    """The edits, in order, with their lines' ends."""
    usual = next((end for _, end in lines if end), "\n")
    for edit in sorted(edits):
        if edit.start > len(lines) and lines and not lines[-1][1]:
            edit = Edit(len(lines), len(lines), (lines[-1][0], *edit.lines))  # the last line now needs an end, too
        old = lines[edit.start - 1 : edit.end]
        ends = [end or usual for _, end in old or lines[edit.start - 2 : edit.start - 1]] or [usual]
        new = [line + ends[min(n, len(ends) - 1)] for n, line in enumerate(edit.lines)]
        if new and lines and edit.end == len(lines):
            new[-1] = edit.lines[-1] + lines[-1][1]
        yield _Change(edit.start - 1, [line + end for line, end in old], [line for line in new if line])


def _whole(old: list[str], new: list[str]) -> list[_Change]:
    """All between the lines that both begin with and those that both end with, as one change."""
    most = min(len(old), len(new))
    above = next((n for n in range(most) if old[n] != new[n]), most)
    below = next((n for n in range(most - above) if old[-n - 1] != new[-n - 1]), most - above)
    return [_Change(above, old[above : len(old) - below], new[above : len(new) - below])]


def _hunks(old: list[str], changes: list[_Change]) -> Iterator[str]:
    """Changes that stand near one another make one hunk."""
    groups: list[list[_Change]] = []
    for change in changes:
        if groups and change.at - _end(groups[-1][-1]) <= 2 * CONTEXT:
            groups[-1].append(change)
        else:
            groups.append([change])
    grown = 0
    for group in groups:
        start, end = max(group[0].at - CONTEXT, 0), min(_end(group[-1]) + CONTEXT, len(old))
        more = sum(len(change.new) - len(change.old) for change in group)
        yield f"@@ -{_range(start, end - start)} +{_range(start + grown, end - start + more)} @@\n"
        grown += more
        at = start
        for change in group:
            yield from _marked(" ", old[at : change.at])
            yield from _marked("-", change.old)
            yield from _marked("+", change.new)
            at = _end(change)
        yield from _marked(" ", old[at:end])


def _end(change: _Change) -> int:
    return change.at + len(change.old)


def _range(start: int, count: int) -> str:
    """Lines in a hunk's header: the first is counted from 1, and an empty range stands behind the line above it."""
    if count == 1:
        return f"{start + 1}"
    return f"{start + 1 if count else start},{count}"


def _marked(mark: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def _name(path: str) -> str:
    """A path as diffs have it: with a tab behind a blank in it, in quotes when it has other special characters."""
    if re.search(r"[\"\\\x00-\x1f\x7f]", path):
        escaped = re.sub(r"[\"\\]", r"\\\g<0>", path)
        return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\{ord(m[0]):03o}", escaped) + '"'
    return f"{path}\t" if " " in path else path
