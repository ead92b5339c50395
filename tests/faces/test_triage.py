"""`coursemill triage` on the command line: what it prints and what the shell is told."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coursemill.faces import cli

RAW = "# Tea\n\n```python\nimport math\n# print(math.pi > 3)  # Output: True\n```\n"
DONE = '# Tea\n\n```python\nimport math\nprint(math.pi > 3)  # Output: True\n```\n\n```text role="output"\nTrue\n```\n'
SHOWN = "```python\n# brew(pot)\n```\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/Tea.md").write_text(RAW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def triage(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["triage", *arguments])


def test_one_note(root: Path) -> None:
    result = triage()
    assert result.exit_code == 1
    assert [line.rstrip() for line in result.output.splitlines() if line.strip()] == [
        "notes/Tea.md",
        " lines  language  kind      now  after  proposed",
        " ───────────────────────────────────────────────────────",
        " 3-6    python    imports     1      2  uncomment, claim",
        "                              1      2",
        "1 block in 1 note, 1 of them Python: 1 imports",
        "Statements that are executed: 1 now, 2 as proposed",
        "Proposed for 1 note: --diff shows it, --write writes it.",
    ]


def test_several_notes_and_findings_fit_the_terminal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (root / "notes/A_note_with_a_name_that_is_rather_long_for_a_table.md").write_text(SHOWN)
    result = triage()
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert "notes/Tea.md" not in result.output
    assert any(line.split()[-5:] == ["2", "1", "2", "2", "2"] for line in lines)
    assert "2 blocks in 2 notes, 2 of them Python: 1 commented, 1 imports" in lines
    assert "3-6" in triage("--blocks").output
    findings = [line for line in lines if ": CM" in line]
    assert len(findings) == 2
    assert all(len(line) <= 80 for line in lines if line not in findings)


def test_a_diff_for_patch(root: Path) -> None:
    result = triage("--diff")
    assert result.exit_code == 1
    assert result.stdout.startswith("--- a/notes/Tea.md\n+++ b/notes/Tea.md\n@@ ")
    subprocess.run(["patch", "-p1", "--silent"], input=result.stdout, text=True, check=True, cwd=root)
    assert (root / "notes/Tea.md").read_text() == DONE
    assert triage("--diff").stdout == ""
    assert triage().exit_code == 0
    assert "Nothing is proposed." in triage().output


def test_notes_outside_of_a_course(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "Note.md").write_text(RAW)
    assert triage("--diff", str(elsewhere)).stdout.startswith("--- a/Note.md\n")
    monkeypatch.chdir(elsewhere)
    assert triage("--diff", "Note.md").stdout.startswith("--- a/Note.md\n")
    assert triage("--diff", str(root / "notes/Tea.md")).stdout.startswith("--- a/Tea.md\n")
    assert triage("--diff", "Nothing").exit_code == 2
    assert triage("--wrong").exit_code == 2


def test_write(root: Path) -> None:
    (root / "notes/Bad.md").write_bytes(b"\xff")
    result = triage("--write")
    assert result.exit_code == 1
    assert "notes/Bad.md:1:1: CM101" in result.stderr
    assert (root / "notes/Tea.md").read_text() == DONE
    (root / "notes/Bad.md").unlink()
    (root / "notes/Tea.md").write_text(SHOWN)
    result = triage("--write", "Tea")
    assert result.exit_code == 0
    assert "CM605" in result.stdout
    assert result.stdout.endswith("1 note written.\n")
    assert (
        '```python role="show" why="nothing above defines brew and pot"\nbrew(pot)\n'
        in (root / "notes/Tea.md").read_text()
    )


def test_what_may_not_be_written_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    result = triage("--write")
    assert result.exit_code == 1
    assert result.stderr == "notes/Tea.md is not written: the file may not be written (look at its permissions)\n"
    assert (root / "notes/Tea.md").read_text() == RAW


def test_json(root: Path) -> None:
    (root / "notes/Two.md").write_text(SHOWN)
    result = triage("--json", "--write")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert data["totals"] == {
        "notes": 2,
        "blocks": 2,
        "python": 2,
        "kinds": {"imports": 1, "commented": 1},
        "now": 1,
        "after": 2,
    }
    tea = data["notes"][0]
    assert tea["blocks"] == [
        {
            "start": 3,
            "end": 6,
            "language": "python",
            "kind": "imports",
            "now": 1,
            "after": 2,
            "proposed": ["uncomment", "claim"],
        }
    ]
    assert tea["edits"][0] == {"start": 5, "end": 5, "lines": ["print(math.pi > 3)  # Output: True"]}
    assert tea["diff"].startswith("--- a/notes/Tea.md\n")
    assert [finding["code"] for finding in data["findings"]] == ["CM605", "CM605"]
    assert data["findings"][0]["name"] == "undefined-name"
    assert (data["written"], data["refused"]) == (["notes/Tea.md", "notes/Two.md"], [])
