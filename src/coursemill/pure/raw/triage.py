"""From a raw note to an honest lesson: what its blocks are, what is proposed, and what an author has to look at.

Nothing is rendered again: whole lines give way to others. The result is a fixpoint: for it, nothing is proposed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from textwrap import dedent

from coursemill.model import Finding, Lesson, Span
from coursemill.pure import codes, parse
from coursemill.pure.raw import damage, edits, kinds, outdated, proposals
from coursemill.pure.raw.edits import Edit
from coursemill.pure.raw.kinds import Kind
from coursemill.pure.raw.proposals import Proposal

ROUNDS = 12
"""Passes over a note; each proposes what those before made possible. Real notes need three."""
RAISING = frozenset({codes.NO_DATA.code, codes.NO_ARGUMENT.code})
"""Damage with which a call can only raise an error."""
LOST = "values got lost in its calls"
ONE_BY_ONE = 40
"""Proposals that are tried alone when together they would change more than they should."""
RECOVERED = "CM2"
"""Codes of what the parser recovered from, in fences."""


@dataclass(frozen=True, slots=True)
class Row:
    """A block of the note: what it is, how many statements it executes now and would then, what is proposed."""

    span: Span
    language: str
    kind: Kind
    now: int
    after: int
    proposed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Triaged:
    """A note, looked at: `after` is its text with all `edits`."""

    path: str
    text: str
    after: str
    edits: tuple[Edit, ...]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    @property
    def diff(self) -> str:
        """The unified diff of the edits; `path` is relative to where it is applied with `patch -p1`."""
        return edits.diff(self.path, self.text, self.edits)


def triage(path: str, text: str, versions: Mapping[str, str] | None = None) -> Triaged:
    """Look at the note at `path`, whatever its text is; never raises.

    `versions` are those of installed distributions; what is out of date depends on them.
    """
    lesson = parse.lesson(path, text)
    damaged, outdates = damage.find(lesson), outdated.find(lesson, versions or {})
    failing = outdated.gone(lesson, versions or {}) if any(f.code == codes.API_REMOVED.code for f in outdates) else {}
    failing |= {finding.line: LOST for finding in damaged if finding.code in RAISING}
    state = _State.of(text, lesson)
    for _ in range(ROUNDS):
        following = _step(state, failing)
        if following is None:
            break
        state = following
    else:
        state = _State.of(text, lesson)  # it does not settle: no proposal is better than half of one
    composed = tuple(_composed(text, state.lines))
    return Triaged(
        path=path,
        text=text,
        after=edits.apply(text, composed),
        edits=composed,
        rows=tuple(_rows(lesson, state)),
        findings=tuple(sorted({*_left(lesson, state), *damaged, *outdates})),
    )


@dataclass(frozen=True)
class _State:
    """A note after some passes: each line with the one of the note that it comes from (0: none)."""

    text: str
    lesson: Lesson
    lines: tuple[tuple[str, int], ...]
    proposed: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Line of the note on which a block begins → what has been proposed for it."""

    @classmethod
    def of(cls, text: str, lesson: Lesson) -> _State:
        return cls(text, lesson, tuple((line, n) for n, (line, _) in enumerate(edits.split(text), 1)))


def _step(state: _State, failing: Mapping[int, str]) -> _State | None:
    """One pass; None when it proposes nothing. `failing` are lines of the note, with the reasons."""
    lines = [line for line, _ in state.lines]
    here = {n: failing[was] for n, (_, was) in enumerate(state.lines, 1) if was in failing} if failing else failing
    for find in (proposals.ends, partial(proposals.of, failing=here)):
        proposed = [(one, made) for one in find(state.lesson, lines) if (made := proposals.edits(one, lines))]
        if not proposed:
            continue
        following = _changed(state, proposed)
        if following:
            return following
        accepted: list[tuple[Proposal, list[Edit]]] = []
        for one in proposed[:ONE_BY_ONE]:
            if tried := _changed(state, [*accepted, one]):
                accepted.append(one)
                following = tried
        if following:
            return following
    return None


def _changed(state: _State, proposed: Sequence[tuple[Proposal, list[Edit]]]) -> _State | None:
    """The note with these proposals; None when more would change than they say."""
    made = sorted(edit for _, one in proposed for edit in one)
    text = edits.apply(state.text, made)
    lesson = parse.lesson(state.lesson.path, text)
    wanted = {one.block.span: one for one, _ in proposed}
    lines = tuple(_moved(state.lines, made))
    if text == state.text or len(edits.split(text)) != len(lines) or not _as_wanted(state.lesson, lesson, wanted):
        return None
    said = dict(state.proposed)
    for one, _ in proposed:
        origin = state.lines[one.block.span.start - 1][1]
        said[origin] = tuple(dict.fromkeys((*said.get(origin, ()), *one.what)))
    return _State(text, lesson, lines, said)


def _as_wanted(before: Lesson, after: Lesson, wanted: Mapping[Span, Proposal]) -> bool:
    """Whether the note's blocks are what they were, but for what was wanted; and nothing else is new."""
    expected: list[tuple[str, bool]] = []
    for block in before.blocks:
        one = wanted.get(block.span)
        marked = block.role or (one is not None and 'role="' in one.info)
        expected.append((dedent(one.text if one else block.text), bool(marked)))
        if one and one.claim:
            expected.append((dedent(one.claim), True))
    if expected != [(dedent(block.text), bool(block.role)) for block in after.blocks]:
        return False
    worse = _troubles(after) - _troubles(before)
    return not worse and _outline(before) == _outline(after)


def _troubles(lesson: Lesson) -> Counter[str]:
    return Counter(finding.code for finding in lesson.findings if finding.code.startswith(RECOVERED))


def _outline(lesson: Lesson) -> tuple[object, ...]:
    return [h.text for h in lesson.headings], [task.id for task in lesson.tasks], len(lesson.links)


def _moved(lines: Sequence[tuple[str, int]], made: Iterable[Edit]) -> Iterable[tuple[str, int]]:
    """The lines after edits; a line in another's place comes from where that came from."""
    at = 0
    for edit in made:
        yield from lines[at : edit.start - 1]
        gone = [origin for _, origin in lines[edit.start - 1 : edit.end]]
        yield from ((line, gone[n] if n < len(gone) else 0) for n, line in enumerate(edit.lines))
        at = edit.end
    yield from lines[at:]


def _composed(text: str, lines: Iterable[tuple[str, int]]) -> Iterable[Edit]:
    """The edits that lead from `text` to `lines`."""
    old = [line for line, _ in edits.split(text)]
    new: list[str] = []
    done = 0
    for line, origin in (*lines, ("", len(old) + 1)):
        if origin and (origin > len(old) or line == old[origin - 1]):
            if new or origin > done + 1:
                yield Edit(done + 1, origin - 1, tuple(new))
            new, done = [], origin
        else:
            new.append(line)


def _rows(lesson: Lesson, state: _State) -> Iterable[Row]:
    origins = {state.lines[block.span.start - 1][1]: block for block in state.lesson.blocks}
    runs, will_run = _executed(lesson), _executed(state.lesson)
    for block in lesson.blocks:
        then = origins.get(block.span.start, block)
        now = kinds.statements(block)[0] if block.span in runs else 0
        after = kinds.statements(then)[0] if then.span in will_run else 0
        yield Row(block.span, block.language, kinds.kind(block), now, after, state.proposed.get(block.span.start, ()))


def _executed(lesson: Lesson) -> set[Span]:
    return {code.span for code in lesson.codes()}


def _left(lesson: Lesson, state: _State) -> Iterable[Finding]:
    """What is left to an author: fences that could not be mended, and files that would overwrite one another."""
    left = {(f.code, state.lines[f.line - 1][1]) for f in state.lesson.findings if f.code.startswith(RECOVERED)}
    yield from (f for f in lesson.findings if (f.code, f.line) in left)
    yield from _overwriting(state)


def _overwriting(state: _State) -> Iterable[Finding]:
    """Files that would be written over one another when the blocks become files."""
    first: dict[str, int] = {}
    for code in state.lesson.codes():
        origin = state.lines[code.span.start - 1][1]
        proposed = f"file {code.path}" in state.proposed.get(origin, ())
        if code.role == "file" and proposed and code.path in first:
            message = f"this would overwrite {code.path} of line {first[code.path]}"
            yield codes.FILE_TWICE.at(state.lesson.path, origin, message)
        if code.role == "file":
            first[code.path] = origin
