"""Work for a grader, by value: it may be sent to another machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.plan import Plan
from coursemill.pure.grading.verdict import Note


@dataclass(frozen=True, slots=True)
class Package:
    """What an instructor gives for one notebook: the same for all students."""

    assignment: Assignment
    plan: Plan = field(default_factory=Plan)
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The worksheet's files beside the notebooks, by path: helpers and data."""
    editable: frozenset[str] = frozenset()
    """Of these, the ones whose place a student's may take: what they hold is an answer."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """The sandbox's, where they are not the usual ones."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a student handed in for one notebook."""

    student: str
    content: bytes | None
    """The notebook's file as it is; None: there is none."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Other files that the student may bring, by path."""
    notes: tuple[Note, ...] = ()
    """Of files that were left out."""


@dataclass(frozen=True, slots=True)
class Options:
    """How patient and how careful a grader is."""

    timeout: float = 0.0
    """Seconds that a cell may take; 0: ten times what the instructor's took, and at least 30."""
    trust: bool = False
    """Run without a sandbox."""
    preload: bool = True
