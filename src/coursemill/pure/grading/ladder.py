"""From what is seen of a notebook's tests, and what running the solution has shown, to the plan of its examination."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.looks import Learnt, Sight, Survey
from coursemill.pure.grading.plan import Given, Look

Values = Mapping[str, Mapping[str, bytes]]
"""By cell and name, data as `wire` writes them."""
MOST = 12
"""Twins of a test that are tried."""
LARGEST = 16 << 20
"""Bytes of data that are the examiner's own: more would be sent with each submission, and are looked up instead."""
ENOUGH = 4
"""Twins of a test that are kept: each costs as much time as the test."""


def ladder(sight: Sight) -> tuple[Look, ...]:
    """Return the ways to look from outside, the strictest first.

    With files, too; with what answers handle looked up in the candidate, though it is the instructor's; with both.
    """
    strict = Look("isolated", tuple(sorted(sight.names)), sight.imported, leaves=sight.leaves)
    wide = replace(strict, names=tuple(sorted(sight.names | sight.shared | sight.unknown)))
    return tuple(replace(look, files=files) for look in (strict, wide) for files in (False, True))


def inside(sight: Sight, why: str, twins: tuple[str, ...] = ()) -> Look:
    """Return the way to look from within the candidate."""
    return Look("in-candidate", leaves=sight.leaves, before=sight.before, why=why, twins=twins)


def givens(survey: Survey, values: Values, looks: Mapping[str, Look]) -> dict[str, Given]:
    """Return what the examiner takes over from each cell; data only where they are others than before.

    From tests it takes over only what it needs of those that it does not run.
    """
    known, found = dict[str, bytes](), {}
    for cell in survey.order:
        if cell in survey.sights and looks.get(cell, Look()).mode == "isolated":
            continue
        plain = (survey.learnt.plain or {}).get(cell, frozenset())
        kept = {name: data for name, data in values.get(cell, {}).items() if name in plain and known.get(name) != data}
        known |= kept
        define = survey.define.get(cell, "")
        if define or kept:
            found[cell] = Given(define, kept)
    return found


def learnt(survey: Survey, values: Values, again: Values | None = None) -> Learnt:
    """Return what one run of the solution, or two, have shown of the instructor's data.

    Those whose value is another one in the second run are as good as unknown.
    """
    plain = {
        cell: frozenset(
            name
            for name, data in found.items()
            if len(data) <= LARGEST and (again is None or again.get(cell, {}).get(name) == data)
        )
        for cell, found in values.items()
    }
    before, changed = dict[str, bytes](), dict[str, frozenset[str]]()
    for cell in survey.order:
        found = values.get(cell, {})
        touched = (n for n in survey.touched.get(cell, ()) if n in found and before.get(n, found[n]) != found[n])
        if names := frozenset(touched):
            changed[cell] = names
        before |= found
    return Learnt({cell: plain.get(cell, frozenset()) for cell in survey.capture}, changed)


def replayed(
    assignment: Assignment, wanted: Collection[str], twins: Mapping[str, Sequence[str]], looks: Mapping[str, Look]
) -> Assignment:
    """Return the notebook as far as the last wanted test, with twins as further tests behind theirs.

    Of other tests only that is left which later cells use.
    """
    last = max(number for number, item in enumerate(assignment.items) if item.id in wanted)
    found: list[Item] = []
    for item in assignment.items[: last + 1]:
        if item.role == "test" and item.id not in wanted:
            found.append(replace(item, role="given", source=looks[item.id].leaves))
            continue
        found.append(item)
        for number, text in enumerate(twins.get(item.id, ())):
            found.append(replace(item, id=twin(item.id, number), source=text))
    return replace(assignment, items=tuple(found))


def led_up(sources: Iterable[str]) -> str:
    """Return code that runs earlier tests in the candidate, each also where one before it fails."""
    return "\n".join(f"get_ipython().run_cell({source!r}, store_history=False)" for source in sources)


def telling(test: str, twins: Sequence[str], passed: Iterable[str]) -> tuple[str, ...]:
    """Return those twins that failed on the solution, as many as it takes."""
    faulty = set(passed)
    return tuple(text for number, text in enumerate(twins) if twin(test, number) not in faulty)[:ENOUGH]


def twin(test: str, number: int) -> str:
    """Return the id of a test's twin."""
    return f"{test}~twin-{number}"
