"""Examine what a student handed in for one notebook: from its bytes to a verdict.

A verdict depends on the submission, the tests and the environment alone. Whatever a submission does, there is one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from coursemill.effects.grading import rounds
from coursemill.effects.grading.rounds import Round, Work
from coursemill.errors import CoursemillError
from coursemill.pure.grading import autograded, intake, merge, telling
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.merge import Merged
from coursemill.pure.grading.outputs import Output, same
from coursemill.pure.grading.plan import Look, Plan
from coursemill.pure.grading.telling import Result
from coursemill.pure.grading.verdict import Note, Outcome, Status, Verdict

PYTHON = frozenset({"python", "python3", "ipython"})
"""Languages of kernelspecs."""


def examine(package: Package, handed: Handed, options: Options) -> Verdict:
    """Grade one student's notebook.

    Raises Unavailable where there is no sandbox (unless `options.trust`), and ConfigError for limits that it does not
    know; nothing for what stands in the submission.
    """
    began = time.monotonic()
    if handed.content is None:
        refused = _refused(handed, f"{package.assignment.name}.ipynb")
        return _nothing(package, handed, "unreadable" if refused else "missing", refused or "it was not handed in")
    try:
        taken = intake.notebook(handed.content)
    except intake.Unreadable as error:
        return _nothing(package, handed, "unreadable", str(error))
    if package.assignment.language not in PYTHON:
        return _nothing(package, handed, "not-reached", f"it is in {package.assignment.language}, and Python is graded")
    merged = merge.merge(package.assignment, taken.notebook)
    work, ran, left_out = _started(Work(package, merged, options, handed.files))
    if any(look.mode == "in-candidate" for look in package.plan.looks.values()):
        again = rounds.replay(work, ran)
        ran.results |= again.results
        ran.own += again.own
    doubtful = _doubtful(work, ran)
    cleaned = rounds.clean(work, doubtful, ran) if doubtful else None
    outcomes = _outcomes(package, ran, cleaned)
    notes = (*handed.notes, *taken.notes, *left_out)
    return Verdict(
        student=handed.student,
        worksheet=package.assignment.worksheet,
        notebook=package.assignment.name,
        outcomes=outcomes,
        notes=(*notes, *merged.notes),
        unanswered=merged.unanswered,
        trouble=ran.trouble,
        autograded=autograded.compose(
            package.assignment, merged, _shown(merged, ran, cleaned), outcomes, notes, ran.trouble
        ),
        seconds=time.monotonic() - began,
        own=ran.own + (cleaned.own if cleaned else 0.0),
        memory=ran.memory,
        stopped=tuple(ran.stopped),
    )


def _started(work: Work) -> tuple[Work, Round, tuple[Note, ...]]:
    """The main round; without the student's files if with them nothing starts."""
    try:
        return work, rounds.main(work), ()
    except CoursemillError:
        if not work.brought:
            raise
    work = replace(work, brought={})
    text = "the files beside the notebook are left out: with them Python does not start"
    return work, rounds.main(work), (Note("file", "", text),)


def _refused(handed: Handed, notebook: str) -> str:
    """Why the notebook's file was left out, if it is there."""
    texts = (note.text for note in handed.notes if note.kind == "file" and note.cell.casefold() == notebook.casefold())
    return next(texts, "").removeprefix("it is left out: ")


def _nothing(package: Package, handed: Handed, status: Status, why: str) -> Verdict:
    """The verdict on a notebook of which nothing can be run."""
    outcomes = tuple(
        telling.outcome(item, _look(package.plan, item), Result(status, reason=why), None, late=False)
        for item in package.assignment.tests
    )
    return Verdict(
        student=handed.student,
        worksheet=package.assignment.worksheet,
        notebook=package.assignment.name,
        outcomes=outcomes,
        notes=handed.notes,
        trouble=why,
        autograded=autograded.compose(package.assignment, None, {}, outcomes, handed.notes, why),
    )


def _outcomes(package: Package, ran: Round, cleaned: Round | None) -> tuple[Outcome, ...]:
    return tuple(
        telling.outcome(
            item,
            _look(package.plan, item),
            ran.results[item.id],
            cleaned.results.get(item.id) if cleaned else None,
            late=item.id in ran.late,
        )
        for item in package.assignment.tests
    )


def _doubtful(work: Work, ran: Round) -> frozenset[str]:
    """Cells whose outputs, and tests whose messages, may hold what a hidden test before them gave away."""
    if ran.early is None:
        return frozenset()
    late = [item for item in work.package.assignment.tests if item.id in ran.late and item.id in ran.results]
    return _changed(work.merged, ran) | {i.id for i in late if telling.needs_cleaning(i, ran.results[i.id])}


def _changed(merged: Merged, ran: Round) -> frozenset[str]:
    """Cells whose outputs are others than those that were handed in, and were not there before a hidden test ran."""
    early: Mapping[str, tuple[Output, ...]] = ran.early if ran.early is not None else ran.outputs
    return frozenset(
        placed.id
        for placed in merged.cells
        if (made := ran.outputs.get(placed.id)) and made != early.get(placed.id) and not same(made, placed.outputs)
    )


def _shown(merged: Merged, ran: Round, cleaned: Round | None) -> dict[str, tuple[Output, ...]]:
    """Outputs without anything hidden; those of a cell that came to no end of its own begin with that."""
    changed = _changed(merged, ran)
    clean = cleaned.outputs if cleaned else {}
    shown = {cell: clean.get(cell, ()) if cell in changed else made for cell, made in ran.outputs.items()}
    again = {cell for cell in ran.stopped if cell not in changed or (cleaned and cell in cleaned.stopped)}
    ended = {cell: autograded.ended("timeout") for cell in again}
    if ran.ending is not None:  # of which all the tests after it tell
        ended[ran.ending.cell] = autograded.ended(ran.ending.end, ran.ending.words)
    return shown | {cell: (first, *shown.get(cell, ())) for cell, first in ended.items()}


def _look(plan: Plan, item: Item) -> Look:
    return plan.looks.get(item.id, Look())
