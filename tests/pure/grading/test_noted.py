"""What was put right, in lines."""

from coursemill.pure.grading import noted
from coursemill.pure.grading.verdict import Note


def test_what_happened_to_many_cells_is_said_once() -> None:
    notes = (
        Note("restored", "a-test", "it was deleted and is back"),
        Note("file", "json.py", "it is left out"),
        Note("restored", "b-test", "it was deleted and is back"),
        Note("metadata", "", "its kernel was for bash"),
    )
    assert noted.lines(notes) == [
        "each of 2 cells: it was deleted and is back",
        "json.py: it is left out",
        "the notebook: its kernel was for bash",
    ]
    assert noted.lines(()) == []
