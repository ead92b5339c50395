"""`coursemill check` on the command line: what it prints and what the shell is told."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coursemill.faces import cli

LINK = "---\nworksheet: WS_1\n---\nA link: [[Nothing]]\n"
WRONG = "---\nworksheet: WS_1\n---\n```python\nx = (1\n```\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notes/sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["check", *arguments])


def test_nothing_wrong(root: Path) -> None:
    (root / "notes/A.md").write_text("# A\n")
    result = check()
    assert (result.exit_code, result.output) == (0, "no mistakes in 1 note, 0 lessons among them\n")


def test_errors_are_lines_and_fail(root: Path) -> None:
    (root / "notes/A.md").write_text(WRONG)
    (root / "notes/B.md").write_text(LINK)
    result = check()
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "notes/A.md:5:5: CM205 the code does not parse: '(' was never closed (mend it, or mark it role=\"show\")",
        "notes/B.md:4:9: CM401 no note is called `Nothing` (mend the link)",
        "1 error and 1 warning in 2 notes, 2 lessons among them",
    ]


def test_warnings_fail_only_when_strict(root: Path) -> None:
    (root / "notes/A.md").write_text(LINK)
    assert check().exit_code == 0
    assert check("--strict").exit_code == 1
    assert check("--strict", "--ignore", "CM4").exit_code == 0


def test_json(root: Path) -> None:
    (root / "notes/A.md").write_text(WRONG + "\n[[Nothing]]\n")
    result = check("--json")
    assert result.exit_code == 1
    data = json.loads(result.output)
    assert data == json.loads(check("--format", "json").output)
    assert {key: value for key, value in data.items() if key != "findings"} == {
        "notes": 1,
        "lessons": 1,
        "errors": 1,
        "warnings": 1,
    }
    assert data["findings"][1] == {
        "path": "notes/A.md",
        "line": 8,
        "col": 1,
        "code": "CM401",
        "name": "link-unresolved",
        "severity": "warning",
        "message": "no note is called `Nothing`",
        "fix": "mend the link",
    }


def test_annotations_for_github(root: Path) -> None:
    (root / "notes/A, 100%.md").write_text(WRONG)
    assert check("--format", "github").output.splitlines()[0] == (
        "::error file=notes/A%2C 100%25.md,line=5,col=5,title=CM205 syntax::"
        "the code does not parse: '(' was never closed (mend it, or mark it role=\"show\")"
    )


def test_paths_count_from_where_one_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "notes/sub/A.md").write_text(LINK)
    (root / "notes/B.md").write_text(LINK)
    monkeypatch.chdir(root / "notes/sub")
    for name in ("A.md", "A", "../sub/A.md", ".", str(root / "notes/sub/A.md")):
        assert "1 warning in 1 note," in check(name).output, name
    assert "2 warnings in 2 notes" in check("..").output
    result = check("../../..")
    assert "there is no note" in str(result.exception)


def test_codes_and_explanations_need_no_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "id-missing" in check("--codes").output
    assert check("--explain", "cm301").output.startswith("# CM301 id-missing\n")
    assert check("--explain", "all").output.count("\n### CM") > 40


def test_what_notes_hold_cannot_steer_the_terminal(root: Path) -> None:
    (root / "notes/A.md").write_text("---\nworksheet: WS_1\n---\n[[\x1b]0;title\x07Nothing]]\n")
    assert "\x1b" not in check().output
    assert "\x07" not in check("--format", "github").output
