"""Where a note begins in a pasted text: its name and its outer fences, in every order that people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from coursemill.pure import filenames
from coursemill.pure.filenames import Name
from coursemill.pure.pasted import LONGEST_LINE, Mark, Page

Kind = Literal["note", "fence", "name", "chat", "blank", "unknown"]
Piece = tuple[Kind, int, int]
"""A kind, and the bytes that are of it: whole lines."""
FAR = 12
"""Lines of chat that may stand between a name and the fence of the note."""
NESTED = 400
"""Fences that are looked through for the end of an example."""
_COPIED = re.compile(
    rb"(?:[ \t]*(?:markdown|md|copy|copy code|markdowncopy code|edit)?[ \t]*\r?\n){0,8}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A note's beginning; `mark` is the first mark behind it."""

    start: int
    content: int
    mark: int
    pieces: tuple[Piece, ...]
    fence: Mark | None
    """The fence that the note's own end should close; None: it stands without."""
    outer: int = 0
    """Length of another fence around it."""
    name: Name | None = None
    named: int = -1
    """Where the line with the name begins."""
    inside: bool = False
    """The name stands in the fence, as the first line."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A mark that is looked at; nothing above `floor` belongs to it."""

    page: Page
    mark: int
    floor: int
    within: Beginning | None

    @property
    def here(self) -> Mark:
        return self.page.marks[self.mark]


def at(page: Page, mark: int, floor: int, within: Beginning | None = None) -> Beginning | None:
    """Return the beginning of a note whose first fence, or name without a fence, is that mark.

    `within` is the note that is open there: a new one begins in it only where nothing else can be meant.
    """
    place = _Place(page, mark, floor, within)
    found = _fenced(place) if place.here.is_fence else _bare(place)
    if found is None or within is None:
        return found
    return found if _ends_another(place, found, within) else None


def is_example(page: Page, found: Beginning, within: Beginning) -> int:
    """Return the mark at which the note `within` goes on below the example that `found` begins in it; 0: it is none.

    Fences in a fence are shorter than it, and what opened it must be closed below them.
    """
    around, first = within.fence, max(found.outer, found.fence.length if found.fence else 0)
    if around is None or not first or first >= around.length:
        return 0
    inner: Mark | None = None
    behind = 0
    start = found.mark
    while start and page.marks[start - 1].start >= found.start:
        start -= 1
    for n in range(start, min(start + NESTED, len(page.marks))):
        mark = page.marks[n]
        if not mark.is_fence:
            continue
        if inner:
            if mark.is_bare and mark.char == inner.char and mark.length >= inner.length:
                inner, behind = None, behind or n + 1
        elif mark.char != around.char or mark.length < around.length:
            inner = mark
        else:
            begins = at(page, n, page.marks[n - 1].end) if mark.is_bare else None
            return behind if mark.is_bare and not (begins and begins.name) else 0
    return 0


def _bare(place: _Place) -> Beginning | None:
    """A name, and below it front matter or a title: a note without a fence."""
    page, here = place.page, place.here
    copied = _COPIED.match(page.text, here.end)
    content = copied.end() if copied else here.end
    follows = page.is_front(content) or (page.is_beginning(content) and here.name and _names_a_note(here.name))
    if not follows or here.name is None:
        return None
    pieces: list[Piece] = [("name", here.start, here.end)]
    if content > here.end:
        pieces.append(("unknown" if page.text[here.end : content].strip() else "blank", here.end, content))
    return Beginning(here.start, content, place.mark + 1, tuple(pieces), None, 0, here.name, here.start)


def _fenced(place: _Place) -> Beginning | None:
    """A fence with a name in it, above it or as its first line, and perhaps another fence in it."""
    page, first = place.page, place.here
    above = _above(place)
    own = filenames.of_info(first.info)
    given = own or (above.name if above else None)
    below = page.below(first.end)
    within = _within(page, first, below, given)
    second = page.below(within.end) if within else below
    wrapper = _wrapper(place, first, second, between=within is not None)
    if within and given and given != within.name and not wrapper:
        within, wrapper = None, _wrapper(place, first, below, between=False)
    if within and not wrapper and first.is_bare and _opens_alone(place, second):
        return None  # the first one ends what is above
    name = (within.name if within else None) or given
    last = wrapper or first
    content = last.end
    if within and not wrapper:
        content = second if second >= 0 else within.end
    if not _is_note(page, first, wrapper, name, content):
        return None
    start = above.start if above and above.name is name else first.start
    lines = {first.start: "fence", **({wrapper.start: "fence"} if wrapper else {})}
    named = first.start if name is own else -1
    for line in (above if above and above.name is name else None, within):
        if line:
            lines[line.start], named = "name", line.start
    mark = place.mark + 1
    while mark < len(page.marks) and page.marks[mark].start < content:
        mark += 1
    return Beginning(
        start,
        content,
        mark,
        _pieces(page, start, content, lines),
        last,
        first.length if wrapper else 0,
        name,
        named if name else first.start,
        inside=within is not None and wrapper is None,
    )


def _above(place: _Place) -> Mark | None:
    """The line above a fence when it has a name; or a sure one a few lines above, when the fence can hold a note."""
    page, here = place.page, place.here
    start = page.above(here.start, place.floor)
    line = page.line(start) if start >= 0 else None
    if line and line.name:
        return line
    if place.within or not here.is_markdown or place.mark == 0:
        return None
    last = page.marks[place.mark - 1]
    far = last.start < place.floor or last.name is None or not _names_a_note(last.name)
    return None if far or page.text.count(b"\n", last.start, here.start) > FAR else last


def _within(page: Page, first: Mark, below: int, given: Name | None) -> Mark | None:
    """The first line in a fence when it has a name: a sure one, or one that only a note can follow."""
    line = page.line(below) if below >= 0 else None
    if line is None or line.name is None or line.end - line.start > LONGEST_LINE:
        return None
    if line.name.sure or line.name == given:
        return line
    follows = page.below(line.end)
    likely = follows >= 0 and (page.is_beginning(follows) or page.text.startswith((b"```", b"~~~"), follows))
    alone = given is None and (first.is_markdown or first.length > len("```"))
    return line if alone or (likely and first.may_hold_a_note) else None


def _wrapper(place: _Place, first: Mark, start: int, *, between: bool) -> Mark | None:
    """The second of two fences around a note, when the line at `start` is one; `between` them may stand the name."""
    page = place.page
    ahead = page.marks[place.mark + 1 : place.mark + 4]
    found = next((mark for mark in ahead if mark.start == start and mark.is_fence), None)
    if found is None or found.char != first.char or not (found.may_hold_a_note and first.may_hold_a_note):
        return None
    fits = found.length < first.length or (first.is_markdown and found.is_markdown)
    if page.is_beginning(found.end) and (between or fits):
        return found
    shorter = found.length < first.length and found.length > len("```")
    likely = found.is_markdown and (between or shorter)
    return found if likely or (between and shorter and not _is_closing(first, found)) else None


def _opens_alone(place: _Place, start: int) -> bool:
    """Whether a fence at `start` is likely a note's own."""
    ahead = place.page.marks[place.mark + 1 : place.mark + 4]
    found = next((mark for mark in ahead if mark.start == start and mark.may_hold_a_note), None)
    return found is not None and (found.is_markdown or found.length > len("```"))


def _is_closing(first: Mark, found: Mark) -> bool:
    return found.is_bare and found.char == first.char and found.length >= first.length


def _is_note(page: Page, first: Mark, wrapper: Mark | None, name: Name | None, content: int) -> bool:
    """Whether what begins so is a note, by its name or by what it looks like."""
    if name is None:
        likely = page.is_front(content) or (first.length > len("```") and first.is_markdown)
        return first.may_hold_a_note and (wrapper is not None or likely) and not first.has_text
    info = (wrapper or first).info
    if first.has_text and filenames.of_info(first.info) is None:
        return False
    return filenames.is_note(name, info) or page.is_front(content)


def _names_a_note(name: Name) -> bool:
    return name.written.lower().endswith(filenames.NOTE)


def _ends_another(place: _Place, found: Beginning, within: Beginning) -> bool:
    """Whether a note that is open ends above this one: what is in its prose or its examples ends nothing."""
    page, here = place.page, place.here
    if here.column > (within.fence.column if within.fence else 0) + 3:
        return False
    if here.is_bare and (found.start == here.start or found.fence is not here):
        return False  # rather the end of the one that is open
    length = within.fence.length if within.fence else 0
    if found.name is None:
        return here.is_markdown and here.length >= max(length, 4)
    if found.fence is None:
        follows = page.is_front(found.content)
        return follows or ((within.inside or within.fence is None) and found.name.sure and _names_a_note(found.name))
    if not (found.fence.is_markdown or here.is_markdown or page.is_front(found.content)):
        return False
    return found.name.sure or page.is_front(found.content)


def _pieces(page: Page, start: int, end: int, lines: dict[int, str]) -> tuple[Piece, ...]:
    """What the lines of a beginning are: its fences and names; between them blank lines, or chat."""
    pieces: list[Piece] = []
    while start < end:
        stop = page.end_of_line(start)
        if start in lines:
            kind: Kind = "fence" if lines[start] == "fence" else "name"
        else:
            kind = "chat" if page.text[start : min(stop, end)].strip() else "blank"
        pieces.append((kind, start, min(stop, end)))
        start = stop
    return tuple(pieces)
