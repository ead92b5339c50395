"""What would make a raw note an honest lesson, block by block: code uncommented, files, claims, and what cannot run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from coursemill.model import Block, Exercise, Lesson, Span
from coursemill.pure import python, roles, statements
from coursemill.pure.fences import PYTHON
from coursemill.pure.pieces import is_blank
from coursemill.pure.raw import closing, kinds, outputs, runnable, uncomment
from coursemill.pure.raw.edits import Edit
from coursemill.pure.raw.runnable import Names

PLAIN = frozenset({"", "text", "txt", "plain", "plaintext"})
OUTPUT = frozenset({"output", "stdout", "out", "result"})
"""What authors call the language of what code prints."""
_CODE = re.compile(r"^(?:import|from|def|class|async def|print\(|with|for|while)\b", re.MULTILINE)
_INSTALL = re.compile(r"[!%](?:sudo\s+)?(?:\S*pip3?|uv|conda|mamba|apt|apt-get|npm|brew)\s.*\binstall\b")
NO_PYTHON: Mapping[str, str] = {
    "session": "it was copied from an interpreter with its prompts",
    "shell": "it is for a shell, not for Python",
    "tree": "it is a list of files, not code",
    "output": "it is output, not code",
}
"""Why a block that says it is Python does not parse."""
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for a block; all empty but `ends`: only its fence is mended."""

    block: Block
    what: tuple[str, ...]
    """For people: `uncomment`, `file shop/items.py` …"""
    lines: Mapping[int, str | None] = field(default_factory=dict)
    """Line of the code (from 0) → what it becomes; None: it goes."""
    info: str = ""
    """The new info string."""
    claim: str = ""
    """The text of a `role="output"` fence that comes in below."""
    ends: Edit | None = None

    @property
    def text(self) -> str:
        """The block's text afterwards."""
        lines = enumerate(self.block.text.split("\n"))
        return "\n".join(line for line in (self.lines.get(n, line) for n, line in lines) if line is not None)


def of(lesson: Lesson, lines: Sequence[str], failing: Mapping[int, str]) -> list[Proposal]:
    """Propose what a note's blocks become; its fences must have their ends.

    `failing` are lines on which code can only raise an error, with the reasons. Left alone is what an author has
    marked up: fences with a role, and all that belongs to a task.
    """
    return [proposal for proposal in _Walk(lesson, lines, failing).run() if proposal]


def ends(lesson: Lesson, lines: Sequence[str]) -> list[Proposal]:
    """Propose to mend the ends of fences."""
    return [Proposal(block, ("mend the fence's end",), ends=edit) for block, edit in closing.edits(lesson, lines)]


def edits(proposal: Proposal, lines: Sequence[str]) -> list[Edit] | None:
    """Return the edits of the note's lines; None when they cannot be made line by line."""
    if proposal.ends:
        return [proposal.ends]
    block = proposal.block
    found = []
    if proposal.info:
        opener = _with_info(lines[block.span.start - 1], block.info, proposal.info)
        if opener is None:
            return None
        found.append(Edit(block.span.start, block.span.start, (opener,)))
    old = block.text.split("\n")
    for n, line in sorted(proposal.lines.items()):
        number = block.first_line + n
        spliced = None if line is None else _spliced(lines[number - 1], old[n], line)
        if line is not None and spliced is None:
            return None
        found.append(Edit(number, number, () if spliced is None else (spliced,)))
    if proposal.claim:
        claim = _fence(lines, block.span, proposal.claim)
        if not claim:
            return None
        found.append(Edit(block.span.end + 1, block.span.end, claim))
    return found


@dataclass
class _Walk:
    """One pass over the blocks, with the names that those above leave."""

    lesson: Lesson
    lines: Sequence[str]
    failing: Mapping[int, str]
    names: Names = field(default_factory=Names)

    def run(self) -> Iterator[Proposal | None]:
        authored = [*_authored(self.lesson)]
        claims = {code.span: code.claim for code in self.lesson.codes()}
        solutions = {part.span for task in self.lesson.tasks if isinstance(task, Exercise) for part in task.solutions}
        blocks = self.lesson.blocks
        shows = False
        for n, block in enumerate(blocks):
            shown, shows = shows, False
            own = bool(block.role) or any(span.start <= block.span.start <= span.end for span in authored)
            if own and (block.span in claims or block.span in solutions) and block.role != "file":
                self.names.run(block.text)
            elif own and block.role == "show" and block.language in PYTHON:
                self.names.show(block.text)
            elif not own and block.span in claims:
                below = n + 1 < len(blocks) and self.is_output(block, blocks[n + 1])
                proposal, shows = self.python(n, claimed=claims[block.span] is not None or below)
                yield proposal
            elif not own and block.language not in PYTHON:
                yield self.other(n, below_output=shown and claims.get(blocks[n - 1].span) is None)

    def python(self, n: int, *, claimed: bool) -> tuple[Proposal | None, bool]:
        """Propose what a Python block becomes, and say whether it runs then and shows something."""
        block = self.lesson.blocks[n]
        text = uncomment.live(block.text)
        path = kinds.file_path(block)
        if path and not self.used_later(n, text):
            return self.file(block, text, path), False
        if not statements.count(text) and not python.look(text).problem:
            return None, False
        why, names = self.attempt(block, text)
        if why and text != block.text and kinds.kind(block) == "live":
            stays, others = self.attempt(block, block.text)
            why, names, text = (why, names, text) if stays else (stays, others, block.text)
        if why:
            self.names.show(text)
            return self.proposal(block, text, (f"show: {why}",), f'role="show" why="{_safe(why)}"'), False
        self.names = names
        printed = None if claimed else outputs.read(text)
        return self.proposal(block, text, (), "", printed), outputs.shows(text)

    def attempt(self, block: Block, text: str) -> tuple[str, Names]:
        """Say why a block cannot run with that text, and which names stand there when it can."""
        why, names = runnable.attempt(text, self.names)
        if names is self.names and python.look(text).problem:
            return NO_PYTHON.get(kinds.kind(block), why), names
        lines = text.split("\n")
        inside = [n for n in sorted(self.failing) if block.first_line <= n < block.span.end]
        reasons = (self.failing[n] for n in inside if not lines[n - block.first_line].lstrip().startswith("#"))
        return why or next(reasons, "") or ("it installs software" if _installs(text) else ""), names

    def file(self, block: Block, text: str, path: str) -> Proposal | None:
        text = text if not python.look(text, cell=False).problem else block.text
        if python.look(text, cell=False).problem:
            why = "the code does not parse"
            return self.proposal(block, text, (f"show: {why}",), f'role="show" why="{why}"')
        return self.proposal(block, text, (f"file {path}",), f'role="file" path="{path}"')

    def other(self, n: int, *, below_output: bool) -> Proposal | None:
        """Propose what a block in another language becomes, or one without any."""
        block = self.lesson.blocks[n]
        above = self.lesson.blocks[n - 1] if n else None
        if above and below_output and self.is_output(above, block):
            info = 'text role="output"' if block.language not in PLAIN - {""} else f'{block.info} role="output"'
            return Proposal(block, ("claim",), info=info)
        look = kinds.look(block)
        if look.kind == "file" and block.language not in ("", "json") and (path := kinds.file_path(block)):
            return self.proposal(block, block.text, (f"file {path}",), f'role="file" path="{path}"')
        unmarked = not block.info and look.kind in ("live", "imports") and _CODE.search(block.text)
        if unmarked and not python.look(block.text).problem:
            return Proposal(block, ("python",), info="python")
        return None

    def proposal(
        self, block: Block, text: str, what: tuple[str, ...], role: str = "", printed: outputs.Printed | None = None
    ) -> Proposal | None:
        """What changes, as a proposal; None when nothing does."""
        old, new = block.text.split("\n"), text.split("\n")
        lines: dict[int, str | None] = {n: line for n, line in enumerate(new) if line != old[n]}
        if lines:
            what = ("uncomment", *what)
        if printed:
            what = (*what, "claim")
            lines |= _moved(new, printed.moved)
        info = f"{block.info} {role}" if role else ""
        return Proposal(block, what, lines, info, printed.claim if printed else "") if what else None

    def is_output(self, above: Block, block: Block) -> bool:
        """Whether a fence right below code, or below a line such as `Output:`, says what the code prints."""
        if block.role or block.language not in PLAIN | OUTPUT or not block.text.strip():
            return False
        between = [line for line in self.lines[above.span.end : block.span.start - 1] if not is_blank(line)]
        introduced = len(between) == 1 and roles.announces_output(between[0])
        if between and not introduced:
            return False
        kind = kinds.kind(block)
        return kind == "output" or (introduced and kind in ("code", "data", "live", "markup"))

    def used_later(self, n: int, text: str) -> bool:
        """Whether cells below use what a block binds that looks like a file, without importing it."""
        bound = Names()
        bound.run(text)
        return bool(bound.bound & (self.used_below[n] - self.names.bound))

    @cached_property
    def used_below(self) -> list[frozenset[str]]:
        """For each block the names that cells below it need."""
        found = [frozenset[str]()]
        for block in reversed(self.lesson.blocks[1:]):
            cell = block.language in PYTHON and not block.role and not kinds.file_path(block)
            found.append(found[-1] | runnable.needed(uncomment.live(block.text)) if cell else found[-1])
        return found[::-1]


def _installs(text: str) -> bool:
    """Whether a cell does nothing but install something."""
    lines = [line.strip() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and all(_INSTALL.match(line) for line in lines)


def _authored(lesson: Lesson) -> Iterator[Span]:
    """Lines that belong to a task, or to what an error keeps out of the notebooks: the author's own."""
    for task in lesson.tasks:
        ends = [task.span.end, *(part.span.end for part in task.parts)]
        yield Span(lesson.path, task.span.start, max(ends))
    for prose in lesson.loose:
        yield prose.span


def _moved(lines: Sequence[str], moved: Mapping[int, str]) -> dict[int, str | None]:
    """Comments that are in the claim now go; a remark in them stays. So do blank lines at the end that they leave."""
    found: dict[int, str | None] = {}
    for number, remark in moved.items():
        line = lines[number - 1]
        found[number - 1] = f"{line[: len(line) - len(line.lstrip())]}# {remark}" if remark else None
    n = len(lines) - 1
    while n >= 0 and found.get(n, lines[n]) is None:
        n -= 1
    while n < len(lines) - 1 and n >= 0 and not lines[n].strip():
        found[n] = None
        n -= 1
    return found


def _with_info(opener: str, old: str, new: str) -> str | None:
    """A fence's opening line with another info string."""
    kept = opener.rstrip(" \t")
    if not kept.endswith(old) or ("`" in new and "```" in opener):
        return None
    return kept[: len(kept) - len(old)] + new


def _spliced(line: str, old: str, new: str) -> str | None:
    """A note's line whose code `old` becomes `new`; what stands before it stays."""
    if line.endswith(old):
        return line[: len(line) - len(old)] + new
    code, changed = old.lstrip(" \t"), new.lstrip(" \t")
    same_indent = old[: len(old) - len(code)] == new[: len(new) - len(changed)]
    return line[: len(line) - len(code)] + changed if same_indent and line.endswith(code) else None  # a tab, in part


def _fence(lines: Sequence[str], span: Span, claim: str) -> tuple[str, ...]:
    """A claim's fence below the one at `span`, behind the same prefix; empty where that cannot be."""
    opener, closer = lines[span.start - 1], lines[span.end - 1]
    if not closing.closes(closer, opener):
        return ()
    ticks, prefix = closing.ticks(opener), closing.prefix(closer)
    if any(line.lstrip().startswith(ticks[:3]) for line in claim.split("\n")):
        return ()
    shown = [f"{prefix}{line}".rstrip() for line in claim.split("\n")]
    return (prefix.rstrip(), f'{prefix}{ticks}text role="output"', *shown, f"{prefix}{ticks}")


def _safe(why: str) -> str:
    """A reason that can stand in quotes in an info string, whatever names are in it."""
    return re.sub(r"[`\"\\~]", "", why)[:_LONGEST]
