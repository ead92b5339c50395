import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coursemill.config import Config
from coursemill.effects.grading import journal
from coursemill.faces.cli import cli
from coursemill.pure.grading.verdict import Outcome, Verdict

ROSTER = 'Student,ID,SIS Login ID,Section,ps1 (7)\nPoints Possible,,,,3\n"Lovelace, Ada",5,ada,A,\n'


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
        cell("half", "### BEGIN SOLUTION\nx = 1 / 2\n### END SOLUTION", solution=True),
        cell("t1", "assert x", grade=True, locked=True, points=3),
    ]
    folder = tmp_path / "source" / "ps1"
    folder.mkdir(parents=True)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "p1.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "nbgrader_config.py").touch()
    for student, score in (("ada", 3), ("bob", 0)):
        (tmp_path / "submitted" / student / "ps1").mkdir(parents=True)
        outcome = Outcome("t1", "passed" if score else "failed", 3)
        journal.write(Config(tmp_path), "key", Verdict(student, "ps1", "p1", (outcome,)))
    return tmp_path


def run(course: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--root", str(course), "report", *arguments])


def test_a_table_and_a_page(course: Path) -> None:
    found = run(course, "ps1")
    assert found.exit_code == 0, found.output
    assert "half" in found.stdout
    assert "50 %" in found.stdout
    assert "2 handed in: median 1.5, mean 1.5 of 3 points" in found.stdout
    assert f"Report: {course / 'build/reports/class-ps1.html'}" in found.stdout
    assert (course / "build" / "reports" / "class-ps1.html").read_text().startswith("<!doctype html>")


def test_json_is_all_that_is_printed(course: Path) -> None:
    found = run(course, "ps1", "--json", "--html", str(course / "x.html"), "--csv", "moodle", str(course / "g.csv"))
    assert json.loads(found.stdout)["exercises"][0]["difficulty"] == 0.5
    assert (course / "x.html").is_file()
    assert len(list(csv.reader((course / "g.csv").read_text().splitlines()))) == 3


def test_who_is_not_in_the_roster_is_named(course: Path) -> None:
    (course / "canvas.csv").write_text(ROSTER)
    found = run(course, "ps1", "--csv", "canvas", str(course / "g.csv"), "--roster", str(course / "canvas.csv"))
    assert found.exit_code == 1
    assert "not in the list of students, and in no grades: bob" in str(found.exception)
    assert list(csv.reader((course / "g.csv").read_text().splitlines()))[2] == ["Lovelace, Ada", "5", "ada", "A", "3"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("ps1", "--anonymous", "--csv", "canvas", "g.csv"),
        ("ps1", "--roster", "nbgrader_config.py"),
        ("ps1", "--csv", "blackboard", "g.csv"),
        (),
    ],
)
def test_wrong_usage(course: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course)
    assert run(course, *arguments).exit_code == 2
