from collections.abc import Sequence
from dataclasses import replace

import pytest

from coursemill.pure.grading.flags import Flag, flags
from coursemill.pure.grading.papers import Paper
from coursemill.pure.grading.verdict import Note, Outcome, Verdict


def test_what_was_undone_is_told(papers: Sequence[Paper]) -> None:
    assert flags(papers) == (Flag("changed", ("eve",), "N", "price-test-2: the test was deleted"),)


def test_everything_is_told_the_gravest_first() -> None:
    points = (Note("metadata", f"c{n}", "its points were changed") for n in range(5))
    notes = (*points, Note("reordered", "", "cells were moved"), Note("upgraded", "", "format 3"))
    outcomes = (
        Outcome("t1", "passed", 1, mode="in-candidate", twin="passed"),
        Outcome("t2", "timeout", 1),
        Outcome("t3", "not-reached", 1),
    )
    ada = Paper("ada", verdicts=(Verdict("ada", "WS", "N", outcomes, notes, trouble="it took 30 s"),))
    bob = Paper("bob", verdicts=(Verdict("bob", "WS", "N", (Outcome("t1", "unreadable", 1),), trouble="no JSON"),))
    assert [(f.kind, f.students, f.text) for f in flags([ada, bob])] == [
        ("twin", ("ada",), "passed a changed test that must fail, so it gives no points: t1"),
        ("changed", ("ada",), "each of 5 cells: its points were changed; the notebook: cells were moved"),
        ("limit", ("ada",), "1 timeout: it took 30 s"),
        ("unread", ("bob",), "no JSON"),
        ("in-candidate", (), "run beside the students' code, which could fool them: t1 (1 passed)"),
    ]


def test_an_upgrade_is_nothing_to_look_at(papers: Sequence[Paper]) -> None:
    ada = papers[0]
    upgraded = replace(ada.verdicts[0], notes=(Note("upgraded", "", "it was in format 3"),))
    assert flags([replace(ada, verdicts=(upgraded,))]) == ()


@pytest.mark.parametrize(
    ("stopped", "text"), [(("loop",), "a cell (`loop`) took too long"), (("a", "b"), "2 cells took too long")]
)
def test_cells_that_took_too_long_are_told(papers: Sequence[Paper], stopped: tuple[str, ...], text: str) -> None:
    verdict = replace(papers[0].verdicts[0], stopped=stopped)
    assert flags([replace(papers[0], verdicts=(verdict,))]) == (Flag("limit", ("ada",), "N", text),)


def test_a_wrong_answer_that_a_twin_expects_is_nothing_to_look_at(papers: Sequence[Paper]) -> None:
    outcomes = (Outcome("t", "failed", 1, mode="in-candidate", twin="passed"),)
    verdict = replace(papers[0].verdicts[0], outcomes=outcomes)
    assert flags([replace(papers[0], verdicts=(verdict,))]) == ()


def test_likeness_is_told_without_a_judgement() -> None:
    code = "\n".join(
        f"def step_{n}(rows, limit={n}):\n    return sorted(rows, key=lambda row: row.field_{n})[:limit + {n}]\n"
        for n in range(12)
    )
    other = code.replace("rows", "table").replace("row.", "r.").replace("lambda row", "lambda r")
    made = [_paper("ada", code), _paper("bob", f"# mine\n{other}"), _paper("cyd", "x = 1")]
    (flag,) = flags(made)
    assert (flag.kind, flag.students) == ("similar", ("ada", "bob"))
    assert flag.text.startswith("100 % of the smaller submission's own code")
    assert "cheat" not in flag.text
    assert flags(made, [code]) == ()


def _paper(student: str, code: str) -> Paper:
    cell = {"cell_type": "code", "source": code, "metadata": {}}
    outcomes = (Outcome("t", "passed", 1),)
    return Paper(student, verdicts=(Verdict(student, "WS", "N", outcomes, autograded={"cells": [cell]}),))
