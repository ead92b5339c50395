"""Which exercises stand for themselves: a wrong answer there changes nothing elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from coursemill.pure import names
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.exercises import of
from coursemill.pure.trials import WRITEFILE


def apart(assignment: Assignment) -> frozenset[str]:
    """Return the keys of the exercises whose answers no other cell uses; in doubt, one is used.

    An answer that writes a file is in doubt, and one whose names a later cell of others mentions.
    """
    code = [item for item in assignment.items if item.type == "code"]
    found = set()
    for exercise in of(assignment):
        own = {item.id for item in (*exercise.answers, *exercise.tests)}
        if exercise.answers and not _used(exercise.answers, [item for item in code if item.id not in own], code):
            found.add(exercise.key)
    return frozenset(found)


def _used(answers: Sequence[Item], others: Sequence[Item], code: Sequence[Item]) -> bool:
    if any(WRITEFILE.match(item.source) or item.source.lstrip().startswith("%%") for item in answers):
        return True
    bound = frozenset(name for item in answers for name in names.bound(item.source))
    first = code.index(answers[0])
    return any(bound & names.mentioned(item.source) for item in others if code.index(item) > first)
