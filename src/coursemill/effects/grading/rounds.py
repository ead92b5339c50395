"""Rounds of one notebook: its cells in order, and its tests at their places.

`main`: tests run in the examiner. `replay`: tests that need live objects run in a second candidate, among twins.
`clean`: no hidden test is run, so that nothing hidden can be in what cells put out and tests say.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from coursemill.effects.grading import pair
from coursemill.effects.grading.candidate import Candidate, End, Ran
from coursemill.effects.grading.exam import Examiner, Test
from coursemill.effects.grading.inside import inside
from coursemill.pure.grading import patience
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.job import Options, Package
from coursemill.pure.grading.merge import Merged, Placed
from coursemill.pure.grading.outputs import Output, Outputs
from coursemill.pure.grading.plan import Look
from coursemill.pure.grading.telling import Result, replied

NOWHERE = ""
"""The cell to which outputs belong that nobody keeps."""


@dataclass(frozen=True, slots=True)
class Work:
    """A notebook to run."""

    package: Package
    merged: Merged
    options: Options
    brought: Mapping[str, bytes] = field(default_factory=dict)
    """The student's files."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A cell in which the candidate ended."""

    cell: str
    end: End
    reason: str
    words: str


@dataclass(slots=True)
class Round:
    """What came of one."""

    outputs: dict[str, tuple[Output, ...]] = field(default_factory=dict)
    """By cell."""
    early: dict[str, tuple[Output, ...]] | None = None
    """Those that were there before the first hidden test; None when there was none."""
    late: set[str] = field(default_factory=set)
    """Tests with a hidden one before them, or hidden themselves."""
    results: dict[str, Result] = field(default_factory=dict)
    """By test."""
    seconds: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """What code cells raised, by cell."""
    stopped: list[str] = field(default_factory=list)
    """Code cells that took too long."""
    ending: Ending | None = None
    own: float = 0.0
    memory: int = 0
    trouble: str = ""
    """Why it came to no end."""


def main(work: Work) -> Round:
    """Run everything, but tests that need live objects."""
    return _Main(work).go()


def replay(work: Work, known: Round | None = None) -> Round:
    """Run the tests that need live objects, with as much before them as they need.

    `known` is the main round: what took too long in it is not waited for again.
    """
    return _Replay(work, known).go()


def clean(work: Work, wanted: frozenset[str], known: Round | None = None) -> Round:
    """Run everything but hidden tests, up to the last of the `wanted` cells and tests.

    Of tests that are hidden in part, the visible lines are run. `known` is as in `replay`.
    """
    return _Clean(work, wanted, known).go()


class Runner:
    """Goes through a notebook once."""

    candidate: Candidate
    examiner: Examiner

    def __init__(self, work: Work, known: Round | None = None) -> None:
        self.work, self.plan, self.options = work, work.package.plan, work.options
        self.known = known or Round()
        """A round before this one."""
        self.round = Round()
        self._told = False
        """Whether a test was told how the candidate ended."""

    def go(self) -> Round:
        """Start a pair and run all cells. Raises Unavailable."""
        with pair.started(self.work.package, self.work.brought, self.options) as both:
            outputs = Outputs()
            self.candidate = Candidate(both, outputs)
            self.examiner = Examiner(both, self.candidate)
            self.examiner.begin(self.plan.modules)
            self.candidate.ready()
            self._end = time.monotonic() + patience.of_notebook(self.plan, self.options)
            for placed in self.cells():
                self._step(placed)
            self.round.memory = both.candidate.process.used()
        self.round.outputs = {cell: made for cell, made in outputs.all().items() if cell != NOWHERE}
        self.round.own += self.candidate.own
        self.round.trouble = self.candidate.words
        return self.round

    def cells(self) -> Iterable[Placed]:
        """What is run."""
        return self.work.merged.cells

    def up_to(self, wanted: frozenset[str]) -> Iterable[Placed]:
        """The cells up to the last of the wanted ones."""
        cells = self.work.merged.cells
        return cells[: max((n for n, placed in enumerate(cells, 1) if placed.id in wanted), default=0)]

    def test(self, placed: Placed, item: Item, look: Look) -> Result | None:
        """Run a test; None when it is none of this round's."""
        raise NotImplementedError

    def examined(self, placed: Placed, item: Item, look: Look) -> Result:
        """Have the examiner run a test."""
        reply = self.examiner.test(Test(placed.id, placed.source, look, item.hidden), self.limit(placed.id))
        self.round.own += reply.get("seconds", 0.0)
        result = replied(reply)
        if self.candidate.gone():
            return self._ended(result.seconds)
        if self.examiner.trouble and result.status != "passed":
            return replace(result, reason=f"{result.reason} ({self.examiner.trouble})")
        return result

    def prepare(self, look: Look, item: Item) -> None:
        """Have the candidate run what a test in it needs of earlier ones."""
        if look.before and self.is_on():
            self.candidate.run(NOWHERE, look.before, self.limit(item.id))

    def limit(self, cell: str) -> float:
        """Seconds that a cell or a test may take now."""
        return min(patience.of_cell(cell, self.plan, self.options), max(0.0, self._end - time.monotonic()))

    def before(self, placed: Placed) -> None:
        """What is done before a cell is run: the examiner takes over what it leaves behind, meanwhile."""
        if placed.id in self.plan.given:
            self.examiner.give(placed.id, self.plan.given[placed.id])

    def after(self, placed: Placed) -> None:
        """What is done after a cell has run."""

    def _step(self, placed: Placed) -> None:
        item = placed.item
        if item is not None and item.role == "test":
            self._test(placed, item)
        elif placed.type == "code" and (item is None or item.role in {"given", "answer", "written"}):
            self.before(placed)
            if placed.source.strip() and self.is_on():
                self._run(placed)
                self.after(placed)

    def _run(self, placed: Placed) -> None:
        """Run a code cell, unless the candidate is known to end in it."""
        ending, limit = self.known.ending, self.limit(placed.id)
        if ending is not None and ending.cell == placed.id:
            self.candidate.stop(ending.end, ending.reason, ending.words)
            return
        if placed.id in self.known.stopped:
            limit = min(limit, patience.of_again(placed.id, self.plan, self.options))
        self._ran(placed, self.candidate.run(placed.id, placed.source, limit))

    def _ran(self, placed: Placed, ran: Ran) -> None:
        """Note what came of a cell."""
        self.round.seconds[placed.id] = ran.seconds
        if ran.status == "timeout":
            self.round.stopped.append(placed.id)
        side = self.candidate
        if side.end is not None:
            self.round.ending = Ending(placed.id, side.end, side.reason, side.words)
        if ran.status != "done":
            said = f"{ran.said.get('ename', '')}: {ran.said.get('evalue', '')}" if ran.status == "error" else ran.status
            self.round.errors[placed.id] = said

    def _test(self, placed: Placed, item: Item) -> None:
        look = self.plan.looks.get(item.id, Look())
        if item.hidden or self.round.early is not None:
            self.round.late.add(item.id)
        if not self.is_on():
            self.round.results[item.id] = self._ended(0.0)
            return
        if self.examiner.reason:
            self.round.results[item.id] = Result("not-reached", reason=self.examiner.reason)  # shown to no student
            return
        if look.mode != "isolated":
            self.before(placed)  # the examiner does not run it, and later tests may use what it brings
        result = self.test(placed, item, look)
        if result is not None:
            self.round.results[item.id] = result
            self.round.seconds[item.id] = result.seconds
        if look.leaves and self.is_on():
            self.candidate.run(NOWHERE, look.leaves, self.limit(item.id))

    def is_on(self) -> bool:
        """Whether there is a candidate, and time, to go on with."""
        if time.monotonic() >= self._end:
            whole = patience.of_notebook(self.plan, self.options)
            self.candidate.stop("timeout", f"the notebook was still running after {whole:.0f} s")
        return not self.candidate.gone()

    def _ended(self, seconds: float) -> Result:
        """What becomes of a test when the candidate has ended: the first one says how."""
        status = "not-reached" if self._told or self.candidate.end is None else self.candidate.end
        self._told = True
        return Result(status, self.candidate.words, self.candidate.reason, seconds=seconds)


class _Main(Runner):
    def test(self, placed: Placed, item: Item, look: Look) -> Result | None:
        if look.mode != "isolated":
            return None
        if item.hidden and self.round.early is None:
            self.round.early = self.candidate.outputs.all()
        return self.examined(placed, item, look)


class _Replay(Runner):
    def cells(self) -> Iterable[Placed]:
        looks = self.plan.looks.items()
        return self.up_to(frozenset(test for test, look in looks if look.mode == "in-candidate"))

    def test(self, placed: Placed, item: Item, look: Look) -> Result | None:
        if look.mode == "isolated":
            return None
        self.prepare(look, item)
        return inside(self.candidate, placed.source, look, self.limit(item.id)) or self._ended(0.0)


class _Clean(Runner):
    def __init__(self, work: Work, wanted: frozenset[str], known: Round | None) -> None:
        super().__init__(work, known)
        self.wanted = wanted

    def cells(self) -> Iterable[Placed]:
        return self.up_to(self.wanted)

    def test(self, placed: Placed, item: Item, look: Look) -> Result | None:
        if look.mode != "isolated":
            return None
        known = self.known.results.get(item.id)
        if known is not None and known.status == "timeout":
            return known
        if not item.hidden:
            return self.examined(placed, item, look)
        if not _does_something(item.released):
            return None
        visible = replace(item, source=item.released, hidden=frozenset())
        return self.examined(replace(placed, source=item.released), visible, look)


def _does_something(source: str) -> bool:
    try:
        return bool(ast.parse(source).body)
    except SyntaxError:  # with magics, perhaps
        return True
