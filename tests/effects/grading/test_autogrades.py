from pathlib import Path

import pytest

from coursemill.effects import store
from coursemill.effects.grading import autogrades
from coursemill.errors import CoursemillError


def test_a_file_that_cannot_be_written_is_named_with_its_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: object, name: str, *_: object) -> None:
        raise store.explained(PermissionError(13, "Permission denied"), name, "grade")

    monkeypatch.setattr(autogrades.store, "write", full)
    with pytest.raises(CoursemillError) as caught:
        autogrades.write(tmp_path / "ada" / "WS", {"one.ipynb": b"{}"}, ())
    assert caught.value.where.endswith("ada/WS/one.ipynb")
