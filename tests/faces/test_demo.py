import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coursemill.faces.cli import cli


def cell(name: str, source: str, **about: Any) -> dict[str, Any]:
    graded = {"grade_id": name, "schema_version": 3, "solution": False, "grade": False, "locked": False, "task": False}
    metadata = {"nbgrader": graded | about}
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


@pytest.fixture
def course(tmp_path: Path) -> Path:
    cells = [
        cell("half", "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION", solution=True),
        cell("t1", "assert half(3) == 1.5", grade=True, locked=True, points=3),
        cell("given", "assert True", grade=True, locked=True, points=1),
    ]
    folder = tmp_path / "source" / "ps1"
    folder.mkdir(parents=True)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "p1.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "nbgrader_config.py").touch()
    return tmp_path


def run(course: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--root", str(course), "demo", *arguments])


@pytest.mark.sandbox
@pytest.mark.nbgrader
def test_it_tells_a_story_and_checks_itself(course: Path) -> None:
    found = run(course, "ps1", "--students", "4", "--no-open")
    assert found.exit_code == 1, found.output  # the worksheet gives a point for nothing, and that is told
    assert "hands in the model solution" in found.stdout
    assert "4 of 4" in found.stdout
    assert "failed an untouched worksheet gets nothing but what is given" in found.stdout
    assert "p1/half gives 1: its tests pass without an answer" in found.stdout
    assert "ok attackers get what they deserve" in found.stdout
    page = course / "build" / "demo" / "ps1" / "build" / "reports" / "class-ps1.html"
    assert page.is_file()
    again = run(course, "ps1", "--students", "4", "--json")
    said = json.loads(again.stdout)
    assert (said["ok"], said["points"], len(said["students"])) == (False, 4.0, 4)
    assert said["report"] == str(page)
    assert [check["ok"] for check in said["checks"]].count(False) == 1


def test_wrong_usage(course: Path) -> None:
    assert run(course).exit_code == 2
    assert run(course, "ps1", "--students", "0").exit_code == 2
    missing = run(course, "ps2")
    assert missing.exit_code == 1
    assert "no worksheet `ps2`" in str(missing.exception)
