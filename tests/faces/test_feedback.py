"""`coursemill feedback` as a person types it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from coursemill.course import feedback
from coursemill.course.feedback import Request, Result, Returned
from coursemill.errors import CoursemillError
from coursemill.faces import cli

ALL = (
    Returned("ada", "written", "feedback/ada/WS/index.html", 11.25, 12.0, 2.0),
    Returned("Zoë", "unchanged", "feedback/Zoë/WS/index.html", 12.0, 12.0),
    Returned("bob", "failed", reason="it has no result: grade the worksheet first"),
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    requests: list[Request] = []

    def fake(config: Any, request: Request, watch: feedback.Watch) -> Result:
        if request.worksheet != "WS":
            raise CoursemillError(f"no worksheet `{request.worksheet}`")
        requests.append(request)
        found = tuple(one for one in ALL if not request.students or one.student in request.students)
        watch.begin(len(found))
        for one in found:
            watch.end(one)
        return Result("WS", found)

    monkeypatch.setattr(feedback, "feedback", fake)
    return requests


def run(tmp_path: Path, *arguments: str) -> Any:
    (tmp_path / "notes").mkdir(exist_ok=True)
    return CliRunner().invoke(cli.cli, ["--root", str(tmp_path), "feedback", *arguments])


def test_a_table_and_what_waits(tmp_path: Path, asked: list[Request]) -> None:
    result = run(tmp_path, "WS")
    assert result.exit_code == 1
    assert "failed bob: it has no result: grade the worksheet first" in result.stderr
    assert "11.25" in result.stdout
    assert "1 written, 1 unchanged, 1 failed: see feedback/" in result.stdout
    assert "1 student waits for points that a person gives" in result.stdout
    assert asked == [Request("WS")]


def test_options_are_passed_on(tmp_path: Path, asked: list[Request]) -> None:
    result = run(tmp_path, "WS", "--student", "ada", "--student", "Zoë", "--force", "--rubrics")
    assert result.exit_code == 0, result.output
    assert asked == [Request("WS", ("ada", "Zoë"), force=True, rubrics=True)]


def test_json(tmp_path: Path, asked: list[Request]) -> None:
    result = run(tmp_path, "WS", "--json")
    data = json.loads(result.stdout)
    assert data["worksheet"] == "WS"
    assert [one["status"] for one in data["students"]] == ["written", "unchanged", "failed"]
    assert data["students"][0]["pending"] == 2.0


def test_nobody_and_no_worksheet(tmp_path: Path, asked: list[Request]) -> None:
    assert "Nobody has handed in anything" in run(tmp_path, "WS", "--student", "x").stdout
    assert isinstance(run(tmp_path, "WX").exception, CoursemillError)


def test_help_has_examples_and_exit_codes(tmp_path: Path) -> None:
    said = run(tmp_path, "--help").stdout
    assert "coursemill feedback WS_First --student anna" in said
    assert "Exit codes" in said
