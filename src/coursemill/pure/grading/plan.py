"""How the tests of a notebook are examined: found out once, on the instructor's own solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coursemill.pure.proof import Mode


@dataclass(frozen=True, slots=True)
class Look:
    """How one test looks at answers."""

    mode: Mode = "isolated"
    names: tuple[str, ...] = ()
    """Names that are looked up in the candidate, for the time of the test; all others are the instructor's."""
    imported: frozenset[str] = frozenset()
    """Of these, the ones that must be a library's own modules: anything else is as if it were not there, or `np` could
    be an answer's idea of what `np.allclose` says."""
    files: bool = False
    """Whether files of the candidate's folders cross, too, in both directions."""
    leaves: str = ""
    """What the candidate runs at the test's place, because later cells need it: imports and definitions of visible
    lines."""
    before: str = ""
    """What a test in the candidate needs of earlier ones, which are not run there: it is run there before the test."""
    twins: tuple[str, ...] = ()
    """Sources that must fail where the test passes; for tests in the candidate."""
    why: str = ""
    """Why it is not isolated."""
    trouble: str = ""
    """Why the instructor's own solution does not pass it, or not always."""
    liberties: frozenset[str] | None = None
    """What answers may do in it beyond giving data, because the instructor's own did (`inmate/liberties.py`); None:
    anything."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the examiner takes over from one of the instructor's cells, without running it."""

    define: str = ""
    """Its imports, functions and classes, as source; the values are there when it is run, and after it."""
    values: Mapping[str, bytes] = field(default_factory=dict)
    """Plain data that it left behind when the instructor's solution was run: by name, as `wire` writes one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a notebook is examined; empty for one without tests."""

    looks: Mapping[str, Look] = field(default_factory=dict)
    """By the test's id."""
    given: Mapping[str, Given] = field(default_factory=dict)
    """By the cell's id."""
    modules: tuple[str, ...] = ()
    """Files that answers write and tests may import: their modules stay in the candidate."""
    imports: tuple[str, ...] = ()
    """What a fork server has imported before."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long the instructor's cells took, by id."""
