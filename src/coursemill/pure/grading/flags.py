"""What an instructor should look at: facts, and no judgement of anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from coursemill.pure.grading import noted, similar
from coursemill.pure.grading.papers import Paper, cells
from coursemill.pure.grading.verdict import Note, Status

Kind = Literal["twin", "changed", "limit", "unread", "similar", "in-candidate"]
"""`twin`: a verdict was faked, and gives no points; `changed`: something that was not the student's to change, and was
put right; `limit`: it ended at a limit; `unread`: a notebook that cannot be read; `similar`: code that resembles
another student's; `in-candidate`: tests that are easier to fool than others."""
KINDS: tuple[Kind, ...] = get_args(Kind)
LIMITS: frozenset[Status] = frozenset({"timeout", "died", "limit"})
HARMLESS = frozenset({"upgraded"})
"""Kinds of notes that nobody need look at."""
TOLD = 4
"""Different things that are told of a notebook."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to look at."""

    kind: Kind
    students: tuple[str, ...]
    """None at all: it is about the tests."""
    notebook: str
    text: str


def flags(papers: Sequence[Paper], instructor: Iterable[str] = ()) -> tuple[Flag, ...]:
    """Return all that there is to look at, the gravest first; `instructor` is all code that the instructor wrote."""
    found = [flag for paper in papers for flag in _of_paper(paper)]
    found += _similar(papers, instructor)
    found += _weaker(papers)
    return tuple(sorted(found, key=lambda flag: (KINDS.index(flag.kind), flag.notebook, flag.students)))


def _of_paper(paper: Paper) -> Iterator[Flag]:
    who = (paper.student,)
    for verdict in paper.verdicts:
        if twins := [o.test for o in verdict.outcomes if o.status == o.twin == "passed"]:
            text = f"passed a changed test that must fail, so it gives no points: {', '.join(twins)}"
            yield Flag("twin", who, verdict.notebook, text)
        if notes := [note for note in verdict.notes if note.kind not in HARMLESS]:
            yield Flag("changed", who, verdict.notebook, _told(notes))
        statuses = Counter(outcome.status for outcome in verdict.outcomes)
        ended = [f"{statuses[status]} {status}" for status in sorted(LIMITS & statuses.keys())]
        if number := len(verdict.stopped):
            what = f"a cell (`{verdict.stopped[0]}`)" if number == 1 else f"{number} cells"
            ended.append(f"{what} took too long")
        if ended or (verdict.trouble and not statuses.keys() <= {"missing", "unreadable"}):
            why = "" if verdict.stopped and statuses["timeout"] else verdict.trouble  # it would say the same
            yield Flag("limit", who, verdict.notebook, ": ".join(filter(None, (", ".join(ended), why))))
        if statuses["unreadable"]:
            yield Flag("unread", who, verdict.notebook, verdict.trouble or "it cannot be read")


def _told(notes: Sequence[Note]) -> str:
    """What was put right."""
    told = noted.lines(notes)
    return "; ".join([*told[:TOLD], *([f"{len(told) - TOLD} more"] if len(told) > TOLD else [])])


def _similar(papers: Sequence[Paper], instructor: Iterable[str]) -> Iterator[Flag]:
    work = {p.student: [text for v in p.verdicts for _, text in cells(v)] for p in papers if p.handed}
    pairs = similar.pairs(work, instructor)
    for group in similar.groups(pairs):
        among = [pair for pair in pairs if pair.first in group]
        low, high = (f"{100 * share:.0f}" for share in (min(p.share for p in among), max(p.share for p in among)))
        share = high if low == high else f"{low} to {high}"
        pieces = max(pair.pieces for pair in among)
        text = f"{share} % of the smaller submission's own code ({pieces} pieces of syntax) is in the other, too"
        yield Flag("similar", group, "", text)


def _weaker(papers: Sequence[Paper]) -> Iterator[Flag]:
    tests = Counter(
        (verdict.notebook, outcome.test)
        for paper in papers
        for verdict in paper.verdicts
        for outcome in verdict.outcomes
        if outcome.mode == "in-candidate" and outcome.status == "passed"
    )
    by_notebook: dict[str, list[str]] = {}
    for (notebook, test), number in sorted(tests.items()):
        by_notebook.setdefault(notebook, []).append(f"{test} ({number} passed)")
    for notebook, told in by_notebook.items():
        text = f"run beside the students' code, which could fool them: {', '.join(told)}"
        yield Flag("in-candidate", (), notebook, text)
