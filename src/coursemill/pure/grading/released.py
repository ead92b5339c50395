"""What students get of an instructor's cell, as nbgrader's `generate_assignment` writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

STUBS = {
    "python": "# YOUR CODE HERE\nraise NotImplementedError()",
    "R": "# YOUR CODE HERE\nfail()",
    "matlab": "% YOUR CODE HERE\nerror('No Answer Given!')",
    "octave": "% YOUR CODE HERE\nerror('No Answer Given!')",
    "sas": "/* YOUR CODE HERE */\n %notImplemented;",
    "java": "// YOUR CODE HERE",
}
"""nbgrader's, by the kernel's language."""
_ATTACHMENT = re.compile(r"!\[.*\]\(attachment:.+?\)")


@dataclass(frozen=True, slots=True)
class Regions:
    """Lines between two marks; a mark counts wherever it stands in a line, and its line is part of the region."""

    begin: str
    end: str
    enforced: bool = True
    """Whether a region in a cell of the wrong kind is an error."""
    enabled: bool = True

    def lines(self, source: str) -> frozenset[int]:
        """Numbers (from 1) of the lines that belong to regions; raises ValueError for a broken one."""
        found, start = set(), 0
        for number, line in enumerate(source.split("\n") if self.enabled else (), 1):
            if self.begin in line:
                if start:
                    raise ValueError(
                        f"`{self.begin}` in line {number} stands inside the region that line {start} begins"
                    )
                start = number
            if self.begin in line or self.end in line or start:
                found.add(number)
            if self.begin not in line and self.end in line:
                start = 0
        if start:
            raise ValueError(f"`{self.begin}` in line {start} has no `{self.end}`")
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Rules:
    """A course's settings of what is taken out for students; the defaults are nbgrader's."""

    solutions: Regions = Regions("BEGIN SOLUTION", "END SOLUTION")
    hidden: Regions = Regions("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
    schemes: Regions = Regions("BEGIN MARK SCHEME", "END MARK SCHEME")
    stubs: Mapping[str, str] = field(default_factory=lambda: STUBS)
    """What stands in place of a solution in code, by language."""
    text: str = "YOUR ANSWER HERE"
    """The same in prose."""
    attachments: bool = True
    """Whether a picture in a mark scheme, which would reach the students, is an error."""
    autotests: str = "AUTOTEST"
    """nbgrader replaces comments with this mark by tests that it makes; empty: it does not."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What nbgrader's metadata say of a cell."""

    type: str
    solution: bool = False
    grade: bool = False
    task: bool = False


def released(source: str, kind: Kind, language: str, rules: Rules) -> str:
    """The source that students get.

    Raises ValueError where nbgrader would refuse the cell: for regions that are broken, or in a cell of another kind.
    """
    left = _solved(source, kind, language, rules) if rules.solutions.enabled else source
    left = _without(left, rules.hidden, "a graded cell", is_there=kind.grade)
    return _without(_checked(left, rules), rules.schemes, "a task cell", is_there=kind.task)


def unseen(source: str, rules: Rules) -> frozenset[int]:
    """Numbers (from 1) of the lines of hidden tests and mark schemes; raises ValueError for broken regions."""
    return rules.hidden.lines(source) | rules.schemes.lines(source)


def _solved(source: str, kind: Kind, language: str, rules: Rules) -> str:
    """`source` with stubs in place of solutions."""
    regions = rules.solutions
    inside = regions.lines(source)
    stub = rules.stubs[language] if kind.type == "code" else rules.text
    lines = source.split("\n")
    begins = {number for number in inside if regions.begin in lines[number - 1]}
    if begins and not kind.solution and regions.enforced:
        raise ValueError(f"a region of `{regions.begin}` stands in a cell that is no answer")
    if kind.solution and not begins:
        return stub
    kept = []
    for number, line in enumerate(lines, 1):
        if number in begins:
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + one for one in stub.split("\n")]
        elif number not in inside:
            kept.append(line)
    return "\n".join(kept)


def _without(source: str, regions: Regions, where: str, *, is_there: bool) -> str:
    inside = regions.lines(source)
    lines = source.split("\n")
    if any(regions.begin in lines[number - 1] for number in inside) and not is_there and regions.enforced:
        raise ValueError(f"a region of `{regions.begin}` may stand only in {where}")
    return "\n".join(line for number, line in enumerate(lines, 1) if number not in inside)


def _checked(source: str, rules: Rules) -> str:
    """`source` as it is; raises ValueError for a picture in a mark scheme, whose file students would get."""
    marks = (rules.schemes.begin, rules.schemes.end)
    lines = source.split("\n")
    for number in sorted(rules.schemes.lines(source)) if rules.attachments else ():
        line = lines[number - 1]
        if not any(mark in line for mark in marks) and _ATTACHMENT.search(line):
            raise ValueError(f"line {number} shows an attachment inside a mark scheme: students would get the file")
    return source
