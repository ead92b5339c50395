"""How a lesson's tests are examined, as its author is told: which are isolated, why others are not, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.plan import Look, Plan
from coursemill.pure.proof import Mode

LIVE = "`isinstance`, calls, attributes and items work from outside; the answer's own objects do not"
ADVICE: tuple[tuple[str, str], ...] = (
    ("hidden lines bind", "bind it in a given cell, not in a test"),
    ("needs plain data", "compare parts that are plain data: `got.price`, `list(got)`, `str(got)`"),
    ("no plain array", "compare plain data: `np.asarray(x)`, `list(x)`"),
    ("source code not available", "test what the function does, not how it is written"),
    ("getsource", "test what the function does, not how it is written"),
    ("ickl", "what a library sends to its workers must not be of the test's making: define it in a given cell"),
    ("cannot cross", "give the answer plain data, or what a given cell has made of them"),
    ("cannot be lent", "give the answer plain data, or what a given cell has made of them"),
    ("is no data", "give the answer plain data, or what a given cell has made of them"),
    ("NameError", "bind the name in a given cell, or in the answer itself"),
    ("argument must be", "compare parts that are plain data: `got.price`, `list(got)`, `str(got)`"),
    ("for an answer", "give the answer plain data, or what a given cell has made of them"),
    ("AssertionError", "look at what the answer returns: what it changes elsewhere is not seen from outside"),
    ("SystemExit", "no test may end the process"),
)
"""What the reason says → how to write the test."""
FAILS = "the solution passes it here, and not when it is graded: make it independent of this machine"


@dataclass(frozen=True, slots=True)
class Examined:
    """One test."""

    test: str
    place: str
    mode: Mode
    files: bool = False
    """Whether it looks at files that answers write."""
    twins: int = 0
    """How many show whether its verdict was faked, if it is in the candidate."""
    why: str = ""
    """Why it is not isolated."""
    fix: str = ""
    """How it could be."""
    trouble: str = ""
    """Why the solution does not pass it when it is graded."""


def examined(assignment: Assignment, plan: Plan) -> tuple[Examined, ...]:
    """Return what a plan says of each test, in order."""
    return tuple(
        Examined(
            test.id,
            test.place,
            look.mode,
            look.files,
            len(look.twins),
            look.why,
            advice(look.why) if look.mode == "in-candidate" else "",
            look.trouble,
        )
        for test in assignment.tests
        for look in [plan.looks.get(test.id, Look())]
    )


def advice(why: str) -> str:
    """Return how to write a test that is not isolated for this reason."""
    return next((text for said, text in ADVICE if said in why), LIVE)


def counted(tests: Iterable[Examined]) -> tuple[int, int]:
    """How many tests are isolated, and how many there are."""
    modes = [test.mode for test in tests]
    return modes.count("isolated"), len(modes)
