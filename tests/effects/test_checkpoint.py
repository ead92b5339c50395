"""A notebook's state comes back where no fork can keep it."""

import os
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from coursemill.effects import checkpoint
from coursemill.effects.rewind import Rewind


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rewind:
    lesson = tmp_path / "lesson"
    lesson.mkdir()
    (lesson / "data.txt").write_text("before")
    monkeypatch.chdir(lesson)
    monkeypatch.syspath_prepend("")
    rewind = Rewind(lesson, tmp_path / "copy")
    rewind.mark()
    return rewind


def test_names_and_data_come_back(folder: Rewind) -> None:
    thing = object()
    names: dict[str, Any] = {"rows": [1, [2]], "thing": thing, "gone": 1}
    rows = names["rows"]
    with checkpoint.kept(names, folder):
        names["rows"][1].append(3)
        names["new"] = 1
        assert names["thing"] is thing
        del names["gone"]
    assert names == {"rows": [1, [2]], "thing": thing, "gone": 1}
    assert names["rows"] is rows


def test_arrays_and_generators_come_back(folder: Rewind) -> None:
    numpy = pytest.importorskip("numpy")
    names = {"x": numpy.zeros(3)}
    random.seed(1)
    numpy.random.seed(1)
    with checkpoint.kept(names, folder):
        names["x"] += 1
        first = random.random(), numpy.random.rand()
    assert names["x"].tolist() == [0, 0, 0]
    assert (random.random(), numpy.random.rand()) == first


def test_the_process_comes_back(folder: Rewind) -> None:
    here, path, filters = Path.cwd(), list(sys.path), list(warnings.filters)
    try:
        with checkpoint.kept({}, folder):
            os.environ["COURSEMILL_TEST"] = "x"
            os.chdir("/")
            sys.path.append("/nowhere")
            warnings.simplefilter("ignore")
            raise KeyError
    except KeyError:
        pass
    assert "COURSEMILL_TEST" not in os.environ
    assert (Path.cwd(), sys.path, warnings.filters) == (here, path, filters)


def test_files_and_the_modules_in_them_come_back(folder: Rewind) -> None:
    for text in ("VALUE = 1", "VALUE = 2"):
        with checkpoint.kept({}, folder):
            Path("written_by_answer.py").write_text(text)
            Path("data.txt").write_text("after")
            __import__("written_by_answer")
            assert f"VALUE = {sys.modules['written_by_answer'].VALUE}" == text
    assert "written_by_answer" not in sys.modules
    assert [p.name for p in Path().iterdir()] == ["data.txt"]
    assert Path("data.txt").read_text() == "before"
