"""The instructor's own solution, examined as a submission is: what the tests of a notebook can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from coursemill.effects.grading.inside import inside
from coursemill.effects.grading.rounds import Runner, Work
from coursemill.pure.grading import telling
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.job import Options, Package
from coursemill.pure.grading.merge import Merged, Placed
from coursemill.pure.grading.plan import Given, Look
from coursemill.pure.grading.telling import Result
from coursemill.pure.grading.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of the instructor's own solution, with the looks and givens of the package's plan."""

    outcomes: tuple[Outcome, ...]
    """Of each test, in the way that its look says: `isolated`, with or without files, or `in-candidate`."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each code cell took, tests too, by id."""
    looks: Mapping[str, Look] = field(default_factory=dict)
    """The look with which each test passed; the first one where it did with none."""
    liberties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What the solution's objects did beyond giving data, in each test that passed from outside."""
    values: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """The names that were asked for after a cell, by the cell's id and the name, as `wire` writes one; those that are
    not plain data, or not there, are left out."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Code cells that raised, with what they raised."""
    trouble: str = ""
    """Why it came to no end."""


def rehearse(
    package: Package,
    capture: Mapping[str, tuple[str, ...]],
    tries: Mapping[str, tuple[Look, ...]],
    options: Options,
) -> Rehearsal:
    """Run the instructor's own solution once.

    `capture` names, by cell id, what is to be captured when that cell has run; the examiner at once takes it over from
    that cell, beside what the package's plan gives. `tries` are other looks at a test that does not pass: they are
    tried at its place, in this order, until it passes. Raises Unavailable where there is no sandbox, unless
    `options.trust`.
    """
    cells = tuple(Placed(item.id, item.type, item.source, item) for item in package.assignment.items)
    runner = _Runner(Work(package, Merged(cells), options), capture, tries)
    ran = runner.go()
    items = {item.id: item for item in package.assignment.tests}
    return Rehearsal(
        outcomes=tuple(
            telling.outcome(items[test], runner.looks.get(test, Look()), result, None, late=False)
            for test, result in ran.results.items()
        ),
        seconds=ran.seconds,
        looks=runner.looks,
        liberties={test: result.taken for test, result in ran.results.items() if result.status == "passed"},
        values=runner.values,
        errors=ran.errors,
        trouble=ran.trouble or runner.examiner.reason or runner.examiner.trouble,
    )


class _Runner(Runner):
    """Tries what it may with each test, and takes down what cells leave behind."""

    def __init__(
        self, work: Work, capture: Mapping[str, tuple[str, ...]], tries: Mapping[str, tuple[Look, ...]]
    ) -> None:
        super().__init__(work)
        self.capture, self.tries = capture, tries
        self.looks: dict[str, Look] = {}
        self.values: dict[str, Mapping[str, bytes]] = {}

    def before(self, placed: Placed) -> None:
        if placed.id not in self.capture:
            super().before(placed)

    def after(self, placed: Placed) -> None:
        if placed.id in self.capture and self.is_on():
            given = self.plan.given.get(placed.id, Given())
            found = self.values[placed.id] = self.examiner.capture(self.capture[placed.id])
            self.examiner.give(placed.id, replace(given, values={**given.values, **found}))

    def test(self, placed: Placed, item: Item, look: Look) -> Result | None:
        first: Result | None = None
        for one in (look, *self.tries.get(item.id, ())):
            result = self._attempt(placed, item, one)
            if result.status == "passed" and result.twin != "passed":
                self.looks[item.id] = one
                return result
            first = first or result
            if not self.is_on():
                break
        self.looks[item.id] = look
        return first

    def _attempt(self, placed: Placed, item: Item, look: Look) -> Result:
        if look.mode == "isolated":
            return self.examined(placed, item, look)
        self.prepare(look, item)
        result = inside(self.candidate, placed.source, look, self.limit(item.id))
        return result or Result("died", reason=self.candidate.reason)
