"""Records are whole, or none."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursemill.config import Config
from coursemill.effects.grading import journal
from coursemill.effects.grading.journal import EMPTY, Slot, State, Trouble
from coursemill.errors import CoursemillError
from coursemill.pure.grading.standing import Basis, Mark, Sheet, Standing
from coursemill.pure.grading.verdict import Note, Outcome, Verdict

NOTEBOOK = {"cells": [{"cell_type": "code", "source": "x = '\udcff\n'", "outputs": []}], "nbformat": 4}
VERDICT = Verdict(
    "ada",
    "WS",
    "Lesson",
    (Outcome("t", "passed", 2.0, part=1.5), Outcome("u", "died", 1.0, reason="it ended")),
    (Note("edited", "t", "it was put back"),),
    ("why",),
    "it ended",
    NOTEBOOK,
    seconds=1.5,
    own=0.5,
    stopped=("loop",),
    memory=1 << 20,
)
SLOT = Slot("WS", "ada", "Lesson")


def test_there_and_back(tmp_path: Path) -> None:
    config = Config(tmp_path)
    written = journal.write(config, "key", VERDICT)
    assert journal.find(config, SLOT, "key") == written
    assert written.verdict == replace(VERDICT, autograded={})
    assert journal.whole(config, SLOT, "key") == VERDICT
    assert list(journal.verdicts(config, "WS")) == [VERDICT]
    assert journal.find(config, SLOT, "other") is None
    assert journal.find(config, replace(SLOT, student="bob")) is None
    file = tmp_path / "build" / SLOT.path
    assert file.stat().st_mode & 0o007 == 0, "others read no hidden tests"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_a_record_with_another_byte_is_none(tmp_path: Path, place: float, byte: int) -> None:
    config = Config(tmp_path)
    journal.write(config, "key", VERDICT)
    file = tmp_path / "build" / SLOT.path
    data = file.read_bytes()
    at = int(place * (len(data) - 1))
    file.write_bytes(data[:at] + bytes([byte]) + data[at + 1 :])
    found = journal.whole(config, SLOT, "key")
    assert found == VERDICT if data[at] == byte else found in (None, VERDICT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1))
def test_a_record_that_ends_early_is_none(tmp_path: Path, share: float) -> None:
    config = Config(tmp_path)
    journal.write(config, "key", VERDICT)
    file = tmp_path / "build" / SLOT.path
    data = file.read_bytes()
    file.write_bytes(data[: int(share * (len(data) - 1))])
    assert journal.find(config, SLOT, "key") is None


def test_what_is_no_record_is_none(tmp_path: Path) -> None:
    config = Config(tmp_path)
    file = tmp_path / "build" / SLOT.path
    assert journal.find(config, SLOT) is None
    file.mkdir(parents=True)
    assert journal.find(config, SLOT) is None
    with pytest.raises(CoursemillError, match="a folder stands where the file belongs"):
        journal.write(config, "key", VERDICT)


def test_an_old_record_stands_where_the_new_one_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(tmp_path)
    journal.write(config, "key", VERDICT)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CoursemillError, match="make room on the disk"):
            journal.write(config, "new", replace(VERDICT, trouble=""))
    assert journal.whole(config, SLOT, "key") == VERDICT
    assert [path.name for path in (tmp_path / "build" / SLOT.path).parent.iterdir()] == ["Lesson.json"]


def test_the_state(tmp_path: Path) -> None:
    config = Config(tmp_path)
    basis = Basis("a", {"t": "b"}, "c", "d")
    sheet = Sheet("Lesson", {"t": Mark(2, 1.5, "passed")}, basis, notes=("x",))
    state = State(
        {"ada": Standing("ada", (sheet,))},
        {"ada": "digest"},
        {"ada": {"Lesson.ipynb": (1, 2, 3)}},
        (4, 5, 6),
        ({"when": "now", "changes": []},),
        ("ada", "bob"),
        "shape",
        {"Lesson": (Trouble("Lesson", "t", "place", "why"),)},
    )
    assert journal.recall(config, "WS") == EMPTY
    journal.remember(config, "WS", state)
    assert journal.recall(config, "WS") == state
    file = tmp_path / "build/grading/WS/standings.json"
    for content in (b"", b"{}", b"[]", file.read_bytes()[:-9], file.read_bytes().replace(b'"marks"', b'"mraks"')):
        file.write_bytes(content)
        assert journal.recall(config, "WS") == EMPTY
