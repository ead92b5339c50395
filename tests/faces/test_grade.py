"""The command, on a stock course, with the sandbox: its table, its JSON, its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner, Result
from nbformat.v4 import new_code_cell, new_notebook

from coursemill.errors import CoursemillError
from coursemill.faces import cli

pytestmark = [pytest.mark.nbgrader, pytest.mark.sandbox]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A stock course, without notes or settings of ours."""
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    write(tmp_path / "source/WS/Lesson.ipynb", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION")
    write(tmp_path / "submitted/ada/WS/Lesson.ipynb", "x = 1")
    write(tmp_path / "submitted/bob/WS/Lesson.ipynb", "x = 2")
    return tmp_path


def write(path: Path, answer: str, test: str = "assert x == 1", points: float = 2) -> None:
    def label(**given: Any) -> dict[str, Any]:
        usual = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
        return {"nbgrader": {**usual, **given}}

    book = new_notebook(
        cells=[
            new_code_cell(answer, id="answer", metadata=label(grade_id="answer", solution=True)),
            new_code_cell(test, id="test", metadata=label(grade_id="test", grade=True, locked=True, points=points)),
        ]
    )
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


def call(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["--root", str(root), "grade", "WS", *arguments])


def rows(result: Result) -> dict[str, list[str]]:
    lines = [line.split() for line in result.stdout.splitlines()]
    return {line[0]: line[1:] for line in lines if line and line[0] in ("ada", "bob")}


def test_the_table_and_what_changed(root: Path) -> None:
    first = call(root)
    assert first.exit_code == 0, first.output
    assert rows(first) == {"ada": ["2", "2", "all", "passed"], "bob": ["0", "2", "1", "failed"]}
    assert "2 students; 2 notebooks, 2 run;" in first.stdout
    assert "first the instructor's own solution" in first.stderr
    assert "0 run;" in call(root).stdout
    write(root / "source/WS/Lesson.ipynb", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "assert x in (1, 2)")
    mended = call(root)
    assert mended.exit_code == 0
    assert "bob" in mended.stdout
    assert "0/2" in mended.stdout
    assert "test changed" in mended.stdout
    write(root / "source/WS/Lesson.ipynb", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "assert x == 3")
    wrong = call(root, "--student", "ada")
    assert wrong.exit_code == 1
    assert "source/WS/Lesson.ipynb, cell 2: the instructor's own solution does not pass `test`" in wrong.stdout


def test_json(root: Path) -> None:
    (root / "submitted/bob/WS/Lesson.ipynb").write_text("{")
    result = call(root, "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert [(one["student"], one["score"], one["points"]) for one in data["students"]] == [("ada", 2, 2), ("bob", 0, 2)]
    assert data["students"][1]["outcomes"] == {"unreadable": 1}
    assert data["not_graded_to_the_end"] == ["bob/Lesson"]
    assert [one["notebook"] for one in data["verdicts"]] == ["Lesson", "Lesson"]
    assert (data["ok"], data["ran"], data["regrades"]) == (False, 2, [])


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_table_fits(root: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    (root / "submitted/bob/WS/Lesson.ipynb").write_text("{")
    monkeypatch.setenv("COLUMNS", str(columns))
    table = call(root).stdout.partition("2 students;")[0]
    assert max(map(len, table.splitlines())) <= columns


def test_what_there_is_not(root: Path) -> None:
    result = CliRunner().invoke(cli.cli, ["--root", str(root), "grade", "W"])
    assert isinstance(result.exception, CoursemillError)
    assert "no worksheet `W`" in str(result.exception)
    assert CliRunner().invoke(cli.cli, ["--root", str(root), "grade"]).exit_code == 2
    assert call(root, "--timeout", "0").exit_code == 2


def test_nobody_handed_in(root: Path) -> None:
    (root / "submitted").rename(root / "elsewhere")
    result = call(root)
    assert (result.exit_code, result.stdout) == (0, "Nothing was handed in for WS.\n")


def test_no_sandbox(root: Path) -> None:
    """Nothing of a student's is run, and 3 says why."""
    environment = {**os.environ, "PATH": str(root)}
    command = [sys.executable, "-m", "coursemill", "--root", str(root), "grade", "WS"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 3, ran.stderr
    assert "bubblewrap" in ran.stderr
    assert not (root / "gradebook.db").exists()
    trusting = subprocess.run(
        [*command, "--trust-submissions"], env=environment, capture_output=True, text=True, check=False
    )
    assert trusting.returncode == 0, trusting.stderr
