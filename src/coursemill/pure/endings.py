"""Where a note ends in a pasted text: at the fence that closes it, however long that is, or where none does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coursemill.pure import beginnings
from coursemill.pure.beginnings import Beginning
from coursemill.pure.pasted import Mark, Page

AHEAD = 200
"""Marks that are looked at to tell one closing fence from another."""
_SPEAKS = (
    rb"(?:[*_]{2})?(?:user|assistant|you|human|system|chatgpt|gpt|claude|gemini|copilot|ai|me)(?: said)?:"
    rb"(?:[*_]{2})?(?=\s)"
    rb"|(?:okay|ok|sure|certainly|alright|all right|great|perfect|understood|excellent|of course|got it)[,.!:]"
    rb"|(?:(?:that|this) (?:completes|concludes|covers|finishes|was the (?:last|final))\b)"
    rb"|(?:now|next|then|finally|and)?,?[ ]?(?:i(?:['\xe2\x80\x99]+(?:ll|ve|m|d)| will| have| am| can| hope| would))\b"
    rb"|(?:now|next|then),?[ ](?:up|comes|note|file|the (?:next|second|third|last|final) (?:note|file))\b"
    rb"|here(?:['\xe2\x80\x99]+s| is| are) (?:the|your|another|a) "
    rb"(?:(?:next|first|second|third|last|final|remaining|other|new|updated|full|complete|requested|same)\b[^\n]{0,40})?"
    rb"(?:note|notes|file|files)\b"
    rb"|(?:let['\xe2\x80\x99]+s|let us) (?:continue|proceed|move on|create|start|carry on|go on)\b"
    rb"|(?:let me|would you like|do you want|shall i|should i|feel free|please let me)\b"
)
_CHAT = re.compile(rb"(?:^|(?<=\n))(?:" + _SPEAKS + rb")", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a note's last line ends (`content`), which mark is the first below it, and the fences that close it."""

    content: int
    mark: int
    closers: tuple[Mark, ...] = ()


@dataclass
class _Walk:
    """What has been seen of a note: which fence of its own is open, what closes the note if nothing better does."""

    page: Page
    begun: Beginning
    inner: Mark | None = None
    loose: int = -1
    """The first mark that would close the note if its length didn't matter."""
    short: int = -1
    """The last one of three ticks that has no partner in the note."""
    opened: int = -1
    """The mark that opened `inner`."""

    @property
    def ended(self) -> int:
        """The mark at which the note may have ended already; -1 when there is none."""
        if self.inner is not None and self.opened == self.loose:
            return self.loose
        return self.short if self.inner is None else -1


def find(page: Page, begun: Beginning) -> Ending:
    """Find the end of the note that has `begun`.

    A fence closes it that is at least as long as what opened it, of the same character, and closes nothing in the
    note. If there is none above the next note: a shorter one of four ticks or more, or one of three that has no
    partner; else the note is never closed, and goes on to the next one, or to where somebody speaks.
    """
    walk = _Walk(page, begun)
    n = begun.mark
    while n < len(page.marks):
        after = _next_note(walk, n)
        example = beginnings.is_example(page, after, begun) if after and walk.ended < 0 else 0
        if after and not example:
            return _unclosed(walk, after.start, _first(page, n, after.start))
        if example:
            n = example
            continue
        if page.marks[n].is_fence:
            if _closes(walk, n):
                return _closed(page, begun, n)
            _inner(walk, n)
        n += 1
    return _unclosed(walk, len(page.text), n)


def _next_note(walk: _Walk, n: int) -> Beginning | None:
    """The beginning of another note at mark `n`; what closes this one is none, unless this one may have ended above."""
    page, begun = walk.page, walk.begun
    if walk.ended >= 0:
        found = beginnings.at(page, n, page.marks[walk.ended].end)
        return found if found and found.name else None
    mark = page.marks[n]
    if (mark.is_fence and _closes(walk, n)) or not _may_begin(walk, mark):
        return None
    return beginnings.at(page, n, begun.content, begun)


def _closes(walk: _Walk, n: int) -> bool:
    """Whether a fence closes the note as it should."""
    mark, fence, inner = walk.page.marks[n], walk.begun.fence, walk.inner
    if fence is None or mark.char != fence.char or mark.length < fence.length or mark.column > fence.column + 3:
        return False
    if not mark.is_bare:
        return mark.has_text and mark.length > len("```") and inner is None
    if inner and inner.char == mark.char and inner.length >= fence.length:
        return False
    if fence.length > len("```"):
        return inner is None or not _is_left(walk, n)
    return inner is None and not _opens(walk, n)


def _is_left(walk: _Walk, n: int) -> bool:
    """Whether a fence below could close the note, too, and has no partner: then the one at `n` closes a fence in it."""
    page, length, char = walk.page, walk.page.marks[n].length, walk.page.marks[n].char
    length = min(length, walk.begun.fence.length if walk.begun.fence else length)
    previous, opened = page.marks[n], False
    for m in range(n + 1, min(n + AHEAD, len(page.marks))):
        mark = page.marks[m]
        if not mark.is_fence or mark.char != char or mark.length < length:
            continue
        if not mark.is_bare:
            if mark.is_markdown:
                return False
            opened = True
        elif opened:
            opened = False
        elif page.text[previous.end : mark.start].strip():
            return beginnings.at(page, m, page.marks[m - 1].end) is None
        previous = mark
    return False


def _opens(walk: _Walk, n: int) -> bool:
    """Whether three ticks without a language open a fence in a note that three ticks close, too."""
    page, mark = walk.page, walk.page.marks[n]
    if not _holds(page, mark) or _CHAT.match(page.text, mark.end):
        return False
    line = _line_above(page, mark.start)
    if line and not line.rstrip(b"*_ ").endswith(b":"):
        return False
    depth = 1
    for m in range(n + 1, min(n + AHEAD, len(page.marks))):
        found = page.marks[m]
        if found.is_fence and found.char == mark.char:
            if beginnings.at(page, m, mark.end, walk.begun):
                return False
            if found.is_bare or found.has_text:
                depth = 0 if depth else -1
                if depth < 0:
                    return True
            else:
                depth = 1
    return False


def _holds(page: Page, mark: Mark) -> bool:
    """Whether a line with words follows directly, as it does in a fence and rarely below one."""
    return page.below(mark.end) == mark.end


def _may_begin(walk: _Walk, mark: Mark) -> bool:
    """Whether a new note could begin at a mark: not in a fence of the note that is longer."""
    if walk.inner is None:
        return True
    return (
        mark.is_fence
        and not mark.is_bare
        and (mark.length > walk.inner.length or mark.length == walk.inner.length == 3)
    )


def _inner(walk: _Walk, n: int) -> None:
    """Follow the note's own fences, as authors close them: also with text behind the ticks, or not at all."""
    mark, inner = walk.page.marks[n], walk.inner
    fence = walk.begun.fence
    if inner and (mark.char != inner.char or mark.length < inner.length):
        return
    if inner and (mark.is_bare or mark.has_text):
        walk.inner = None
        return
    longest = fence.length if fence else 10**9
    if inner is None and mark.is_bare and mark.length == len("```") < longest and not _holds(walk.page, mark):
        walk.short = n
        return
    other = fence is not None and mark.char != fence.char
    if inner is None and mark.is_bare and mark.length > 3 and (mark.length < longest or other) and walk.loose < 0:
        walk.loose = n
    walk.inner, walk.opened = mark, n


def _closed(page: Page, begun: Beginning, n: int) -> Ending:
    """The note ends at mark `n`; directly below may stand what closes a fence around it."""
    closers = [page.marks[n]]
    for mark in page.marks[n + 1 : n + 4]:
        adjacent = mark.start - closers[-1].end < 20 and not page.text[closers[-1].end : mark.start].strip()
        if not mark.is_bare or not adjacent or len(closers) > 1 + (begun.outer > 0):
            break
        next_one = beginnings.at(page, n + len(closers), mark.start)
        if (next_one and next_one.name) or (not begun.outer and _holds(page, mark)):
            break  # it opens something
        closers.append(mark)
    return Ending(page.marks[n].start, n + len(closers), tuple(closers))


def _unclosed(walk: _Walk, end: int, mark: int) -> Ending:
    """The note ends above `end` at the latest, and no fence closes it as it should."""
    page, begun = walk.page, walk.begun
    if walk.loose >= 0 or walk.short >= 0:
        return _closed(page, begun, walk.loose if walk.loose >= 0 else walk.short)
    inner = walk.inner
    if inner and inner.is_bare and begun.fence and inner.column <= begun.fence.column + 3:
        below = _skip_blank(page.text, inner.end, end)
        if not _holds(page, inner) or below >= end or _CHAT.match(page.text, below):
            return _closed(page, begun, walk.opened)
    last = max((m.end for m in page.marks[begun.mark : mark] if m.is_fence and m.start < end), default=begun.content)
    stop = end
    for found in _CHAT.finditer(page.text, last, end):
        if found.start() > begun.content and _line_above(page, found.start()).strip(b"-*_") == b"":
            stop = found.start()
            break
    return Ending(max(begun.content, last_words(page.text, begun.content, stop)), mark)


def _first(page: Page, n: int, start: int) -> int:
    """The first mark at or below `start`, which is not far above mark `n`."""
    while n and page.marks[n - 1].start >= start:
        n -= 1
    return n


def _line_above(page: Page, start: int) -> bytes:
    """The end of the line above, without white space around it."""
    least = max(0, start - 200)
    return page.text[max(least, page.text.rfind(b"\n", least, max(0, start - 1)) + 1) : start].strip()


def _skip_blank(text: bytes, start: int, end: int) -> int:
    found = re.compile(rb"\s*").match(text, start, end)
    return found.end() if found else start


def last_words(text: bytes, start: int, end: int) -> int:
    """Where the last line ends that is not blank."""
    step = 1 << 16
    while end > start:
        piece = text[max(start, end - step) : end]
        kept = len(piece.rstrip())
        if kept:
            last = end - len(piece) + kept
            line = text.find(b"\n", last, end)
            return line + 1 if line >= 0 else end
        end -= len(piece)
    return start
