"""A chat with notes in it, taken apart: which bytes are which note's, and what every other line is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from coursemill.pure import beginnings, endings, filenames, naming, pasted
from coursemill.pure.beginnings import Beginning, Kind, Piece
from coursemill.pure.endings import Ending
from coursemill.pure.pasted import Page

KINDS: tuple[Kind, ...] = ("note", "fence", "name", "chat", "blank", "unknown")
DEEPEST = 5
"""Block quotes around a transcript that are taken away."""
SKIPPED = 100
"""Marks below a code block of the chat among which its end is looked for."""
_QUOTE = re.compile(rb"(?:^[ \t]{0,3}>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_MARKER = re.compile(rb"^[ \t]{0,3}>[ ]?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Range:
    """Lines `start` to `end` of the transcript (1-based, both included), all of one kind."""

    kind: Kind
    start: int
    end: int

    @property
    def lines(self) -> int:
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its path inside the vault, and its bytes as they stand in the transcript at lines `start` to `end`."""

    path: str
    data: bytes
    start: int
    end: int
    """`start - 1` when the note is empty."""
    named: int
    """The line with its name."""
    closed: bool = True
    """Whether a fence of its own ends it; else it ends where something else begins."""
    shifted: bool = False
    """Its lines stand behind quotation marks or an indentation, which are taken away."""
    problem: str = ""
    """Why it cannot be written anywhere; empty when it can."""
    twin: int = 0
    """The line with the name of an earlier note that has the same path and the same bytes; 0: there is none."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader should look at, and where."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Unpacked:
    """All of a transcript: `ranges` account for each of its lines once, in order."""

    lines: int
    notes: tuple[Note, ...] = ()
    ranges: tuple[Range, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def totals(self) -> dict[Kind, int]:
        """How many lines there are of each kind."""
        found = dict.fromkeys(KINDS, 0)
        for one in self.ranges:
            found[one.kind] += one.lines
        return found


def unpack(data: bytes) -> Unpacked:
    """Find the notes in a transcript; never raises, whatever the bytes are.

    Bytes are kept as they are: encoding, line ends, byte order marks in a note, NUL. The account names each line.
    """
    found = _taken_apart(data, DEEPEST)
    notes = _placed(found.notes)
    open_ones = [Remark(n.named, _never_closed(n)) for n in notes if not n.closed]
    return replace(found, notes=tuple(notes), remarks=tuple(sorted([*found.remarks, *open_ones], key=lambda r: r.line)))


@dataclass(slots=True)
class _Found:
    """What has been found from the top; `pieces` leave no byte out."""

    page: Page
    pieces: list[Piece] = field(default_factory=list)
    notes: list[tuple[Beginning, Ending, bytes, bool]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    at: int = 0

    def add(self, pieces: Iterable[Piece]) -> None:
        for kind, start, end in pieces:
            if end > start:
                self.pieces.append((kind, start, end))
                self.at = end


def _taken_apart(data: bytes, depth: int) -> Unpacked:
    found = _Found(pasted.read(data))
    page, n = found.page, 0
    while n < len(page.marks):
        begun = beginnings.at(page, n, found.at)
        if begun is None:
            n = _skipped(found, n)
            continue
        ended = endings.find(page, begun)
        if begun.name and begun.inside and not page.text[begun.content : ended.content].strip():
            n = _skipped(found, n)  # an example of how notes are named
            continue
        found.add(_gap(page, found.at, begun.start))
        _note(found, begun, ended)
        n = ended.mark
    found.add(_gap(page, found.at, len(page.text)))
    return _counted(found, depth)


def _note(found: _Found, begun: Beginning, ended: Ending) -> None:
    """Take over a note, or what would be one if it had a name."""
    page = found.page
    found.add(begun.pieces)
    found.add([("note" if begun.name else "unknown", begun.content, ended.content)])
    for closer in ended.closers:
        found.add([("blank", found.at, closer.start), ("fence", closer.start, closer.end)])
    if begun.name is None:
        found.remarks.append((begun.start, "a note without a name: put a line `Filename: path` above its fence"))
        return
    data = page.data[begun.content : ended.content]
    indent = begun.fence.indent if begun.fence else b""
    outdented = _outdented(data, indent) if indent else None
    found.notes.append((begun, ended, data if outdented is None else outdented, outdented is not None))


def _outdented(data: bytes, indent: bytes) -> bytes | None:
    """The lines without the indentation of the fence around them; None when not all of them have it."""
    lines = data.splitlines(keepends=True) if b"\n" not in data else [x + b"\n" for x in data.split(b"\n")]
    if b"\n" in data:
        lines[-1] = lines[-1][:-1]
    if not all(line.startswith(indent) or not line.strip() for line in lines):
        return None
    return b"".join(line[len(indent) :] if line.startswith(indent) else line.lstrip(b" \t") for line in lines)


def _skipped(found: _Found, n: int) -> int:
    """Go on below a mark that begins no note: below the end of its code block, if it is a fence that has one."""
    page, here = found.page, found.page.marks[n]
    if not here.is_fence:
        return n + 1
    for m in range(n + 1, min(n + SKIPPED, len(page.marks))):
        mark = page.marks[m]
        if mark.is_bare and mark.char == here.char and mark.length >= here.length:
            _left_out(found, n)
            return m + 1
        if mark.length > len("```") and (begun := beginnings.at(page, m, here.end)) and begun.name:
            break
    return n + 1


def _left_out(found: _Found, n: int) -> None:
    """Say that a code block of the chat has a file's name, when it is no note; or that a note may lack its name."""
    page, here = found.page, found.page.marks[n]
    above = page.above(here.start, found.at)
    line = page.line(above) if above >= 0 else None
    name = filenames.of_info(here.info) or (line.name if line and line.name and line.name.sure else None)
    if name and not filenames.is_note(name, here.info):
        found.remarks.append((here.start, f"`{name.written}` is no note: its block is left in the chat"))
    elif name is None and here.is_markdown and page.is_beginning(page.below(here.end)):
        said = (
            "Markdown without a name is left in the chat: if it is a note, put a line `Filename: path` above its fence"
        )
        found.remarks.append((here.start, said))


def _gap(page: Page, start: int, end: int) -> Iterator[Piece]:
    """What stands between notes: chat, and the blank lines around it."""
    text = page.text
    first = _first_words(text, start, end)
    if first < 0:
        yield ("blank", start, end)
        return
    top = max(start, text.rfind(b"\n", start, first) + 1)
    bottom = endings.last_words(text, top, end)
    yield from (("blank", start, top), ("chat", top, bottom), ("blank", bottom, end))


def _first_words(text: bytes, start: int, end: int) -> int:
    found = re.compile(rb"\S").search(text, start, end)
    return found.start() if found else -1


def _counted(found: _Found, depth: int) -> Unpacked:
    """Turn offsets into lines, and look into what is quoted."""
    text = found.page.text
    offsets, line, at = {0: 1}, 1, 0
    named, remarked = (begun.named for begun, *_ in found.notes), (place for place, _ in found.remarks)
    for place in sorted({*(end for _, _, end in found.pieces), *named, *remarked}):
        line, at = line + text.count(b"\n", at, place), place
        offsets[place] = line
    total = line - (not text or text.endswith(b"\n"))
    ranges: list[Range] = []
    quoted: list[Unpacked] = []
    for kind, start, end in found.pieces:
        last = total if end == len(text) else offsets[end] - 1
        here = Range(kind, offsets[start], last)
        inside = _quoted(text[start:end], here, depth) if kind == "chat" and depth and b">" in text[start:end] else None
        quoted += [inside] if inside else []
        ranges += inside.ranges if inside else [here]
    notes = [_made(found, offsets, *one) for one in found.notes]
    remarks = [Remark(offsets[place], message) for place, message in found.remarks]
    return Unpacked(
        lines=total,
        notes=tuple(sorted([*notes, *(n for one in quoted for n in one.notes)], key=lambda note: note.start)),
        ranges=tuple(_joined(ranges)),
        remarks=(*remarks, *(r for one in quoted for r in one.remarks)),
    )


def _made(found: _Found, offsets: dict[int, int], begun: Beginning, ended: Ending, data: bytes, shifted: bool) -> Note:
    """A note as it is reported; it has a name."""
    first = offsets[begun.content]
    name = begun.name.written if begun.name else ""
    lines = found.page.text[begun.content : ended.content]
    last = first + lines.count(b"\n") - (not lines or lines.endswith(b"\n"))
    path = filenames.path(name)
    named = offsets[begun.named]
    problem = filenames.cannot_be(path)
    return Note(path, data, first, last, named, bool(ended.closers), shifted, problem)


def _quoted(text: bytes, where: Range, depth: int) -> Unpacked | None:
    """What block quotes in the chat hold, if that is notes."""
    ranges: list[Range] = []
    notes: list[Note] = []
    remarks: list[Remark] = []
    line, at = where.start, 0
    for run in _QUOTE.finditer(text):
        if b"```" not in run[0] and b"~~~" not in run[0] and b"---" not in run[0]:
            continue
        inside = _taken_apart(_MARKER.sub(b"", run[0]), depth - 1)
        if not inside.notes:
            continue
        first = line + text.count(b"\n", at, run.start())
        ranges += [Range("chat", line, first - 1)] if first > line else []
        ranges += [Range(r.kind, r.start + first - 1, r.end + first - 1) for r in inside.ranges]
        notes += [_moved(note, first - 1) for note in inside.notes]
        remarks += [Remark(r.line + first - 1, r.message) for r in inside.remarks]
        line, at = first + inside.lines, run.end()
    if not notes:
        return None
    ranges += [Range("chat", line, where.end)] if line <= where.end else []
    return Unpacked(where.lines, tuple(notes), tuple(ranges), tuple(remarks))


def _moved(note: Note, lines: int) -> Note:
    start, end = note.start + lines, note.end + lines
    return replace(note, start=start, end=end, named=note.named + lines, shifted=True)


def _joined(ranges: Iterable[Range]) -> Iterator[Range]:
    """Make one range of neighbours of a kind, but for notes."""
    last: Range | None = None
    for one in ranges:
        if last and last.kind == one.kind and one.kind != "note":
            last = Range(one.kind, last.start, one.end)
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def _placed(notes: Iterable[Note]) -> list[Note]:
    """Find out which notes stand in each other's way: the first one of a path has it."""
    placed: list[Note] = []
    files: dict[str, Note] = {}
    folders: dict[str, Note] = {}
    for note in notes:
        one = note if note.problem else _beside(note, files, folders)
        placed.append(one)
        if not one.problem and not one.twin:
            folded = naming.folded(one.path)
            files[folded] = one
            for cut in re.finditer("/", folded):
                folders.setdefault(folded[: cut.start()], one)
    return placed


def _beside(note: Note, files: dict[str, Note], folders: dict[str, Note]) -> Note:
    folded = naming.folded(note.path)
    other = files.get(folded)
    if other and other.path == note.path:
        if other.data == note.data:
            return replace(note, twin=other.named)
        return replace(note, problem=f"line {other.named} names the same path, with other text")
    if other:
        return replace(
            note, problem=f"it differs from `{other.path}` of line {other.named} in upper and lower case only"
        )
    if other := folders.get(folded):
        return replace(note, problem=f"it is a folder in `{other.path}` of line {other.named}")
    above = (files.get(folded[: cut.start()]) for cut in re.finditer("/", folded))
    if other := next((one for one in above if one), None):
        return replace(note, problem=f"`{other.path}` of line {other.named} is a note, and no folder")
    return _cased(note, folders)


def _cased(note: Note, folders: dict[str, Note]) -> Note:
    """Refuse a note in a folder that is spelled in other letters elsewhere: on some systems that is one folder."""
    parts = note.path.split("/")
    for n in range(1, len(parts)):
        here = "/".join(parts[:n])
        other = folders.get(naming.folded(here))
        if other and "/".join(other.path.split("/")[:n]) != here:
            said = f"its folder `{here}` differs from that of line {other.named} in upper and lower case only"
            return replace(note, problem=said)
    return note


def _never_closed(note: Note) -> str:
    end = f"it ends at line {note.end}" if note.end >= note.start else "it is empty"
    return f"no fence closes `{note.path}`: {end}"
