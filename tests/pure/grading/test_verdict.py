"""What grading has found, as the journal keeps it."""

import json

from coursemill.pure.grading import verdict
from coursemill.pure.grading.verdict import Note, Outcome, Verdict

FOUND = Verdict(
    "ada", "WS", "N", (Outcome("t", "timeout", 1),), (Note("file", "x.py", "left out"),), ("a",), stopped=("b", "c")
)


def test_it_is_read_as_it_was_written() -> None:
    assert verdict.from_data(json.loads(json.dumps(verdict.to_data(FOUND)))) == FOUND


def test_one_from_before_cells_were_told_that_took_too_long_can_be_read() -> None:
    old = verdict.to_data(FOUND)
    del old["stopped"]
    assert verdict.from_data(old).stopped == ()
