"""The instructor's own solution, examined as a submission is: what the tests of a notebook can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from coursemill.pure.grading.job import Options, Package
from coursemill.pure.grading.plan import Look
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
    values: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """The names that were asked for after a cell, by the cell's id and the name, as `wire` writes one; those that are
    not plain data, or not there, are left out."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Code cells that raised, with what they raised."""
    trouble: str = ""
    """Why it came to no end."""


class Rehearse(Protocol):
    """Run the instructor's own solution once.

    `capture` names, by cell id, what is to be captured when that cell has run; the examiner at once takes it over from
    that cell, beside what the package's plan gives. `tries` are other looks at a test that does not pass: they are
    tried at its place, in this order, until it passes. Raises Unavailable where there is no sandbox, unless
    `options.trust`.
    """

    def __call__(
        self,
        package: Package,
        capture: Mapping[str, tuple[str, ...]],
        tries: Mapping[str, tuple[Look, ...]],
        options: Options,
    ) -> Rehearsal: ...
