"""`coursemill build` and `watch` on the command line: what they print and what the shell is told."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coursemill.course.build import Built, Stale
from coursemill.faces import cli
from coursemill.faces.commands import build as face

NOTE = "---\nworksheet: WS\n---\n# {0}\n\nSome text, and [[Nothing]].\n\n```python\nprint('{0}')\n```\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notes/sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("A", "B"):
        (tmp_path / f"notes/sub/{name}.md").write_text(NOTE.format(name))
    return tmp_path


def build(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["build", "--jobs", "1", *arguments])


def lines(result: Result) -> list[str]:
    """What was printed, without the times."""
    return [re.sub(r"\d+\.\d s$", "T", line) for line in result.output.splitlines()]


def test_a_build_and_another(root: Path) -> None:
    warnings = "2 warnings (see `coursemill check`)"
    result = build()
    assert (result.exit_code, lines(result)) == (0, [f"built 2, unchanged 0, {warnings}: T"])
    assert lines(build()) == [f"built 0, unchanged 2, {warnings}: T"]
    (root / "notes/sub/A.md").unlink()
    assert lines(build()) == ["built 0, unchanged 1, removed 3 files, 1 warning (see `coursemill check`): T"]


def test_errors_are_lines_and_fail_each_time(root: Path) -> None:
    (root / "notes/sub/A.md").write_text(NOTE.format("A") + "\n```python\nclosed = False\n")
    for built in ("built 1, unchanged 0", "built 0, unchanged 1"):
        result = build()
        assert result.exit_code == 1
        assert lines(result)[0].startswith("notes/sub/A.md:12:1: CM201 the fence is never closed")
        assert lines(result)[1:] == [
            f"{built}, kept 1 with errors as it was, 2 warnings (see `coursemill check`): T",
        ]


def test_check_names_files_and_notes(root: Path) -> None:
    build()
    (root / "notes/sub/A.md").rename(root / "notes/sub/C.md")
    result = build("--check")
    assert result.exit_code == 1
    assert "release/WS/A.ipynb is orphaned (notes/sub/A.md)" in lines(result)
    assert "source/WS/C.ipynb is missing (notes/sub/C.md)" in lines(result)
    assert "6 files are not what the notes say: run `coursemill build` and commit what it writes" in lines(result)
    assert build().exit_code == 0
    assert build("--check").exit_code == 0


def test_lessons_by_name_and_by_path_from_here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "notes/sub")
    assert lines(build("A.md"))[-1].startswith("built 1, unchanged 0")
    result = build("Z")
    assert result.exit_code == 1
    assert "Z" in str(result.exception)


def test_json(root: Path) -> None:
    found = json.loads(build("--json").output)
    assert found["built"] == ["notes/sub/A.md", "notes/sub/B.md"]
    assert found["kept"] == found["removed"] == found["stale"] == []
    assert {f["code"] for f in found["findings"]} == {"CM401"}
    assert "release/WS/requirements.txt" in found["written"]
    (root / "source/WS/A.ipynb").unlink()
    (stale,) = json.loads(build("--check", "--json").output)["stale"]
    assert stale == {"path": "source/WS/A.ipynb", "state": "missing", "note": "notes/sub/A.md"}


def test_a_bar_is_shown_after_a_while(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(face, "PATIENCE", 0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with face.Bar() as bar:
        for done in range(1, 5):
            bar(done, 4, f"N{done}")
    assert "notebooks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("built", "line"),
    [
        (Built(seconds=0.04), "built 0, unchanged 0: 0.0 s"),
        (Built(("a",), 3, removed=("x",), seconds=1), "built 1, unchanged 3, removed 1 file: 1.0 s"),
        (Built(kept=("a", "b")), "built 0, unchanged 0, kept 2 with errors as they were: 0.0 s"),
    ],
)
def test_the_summary_is_one_line(built: Built, line: str) -> None:
    assert face.summary(built) == line


def test_what_is_stale_without_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    face.show(Built(stale=(Stale("release/WS/x", "stale", ""),)))
    assert capsys.readouterr().out.splitlines()[:2] == [
        "release/WS/x is stale",
        "1 file is not what the notes say: run `coursemill build` and commit what it writes",
    ]


def test_watch_until_ctrl_c(root: Path) -> None:
    command = [sys.executable, "-m", "coursemill", "watch"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert watching.stdout
    line = watching.stdout.readline
    try:
        assert line().startswith("Watching ")
        assert re.match(r"\d\d:\d\d:\d\d all notes: built 2, ", line())
        (root / "notes/sub/B.md").write_text(NOTE.format("B") + "\n```python\nclosed = False\n")
        assert re.match(r"\d\d:\d\d:\d\d B\.md: built 0, unchanged 1, kept 1 ", line())
        assert line().startswith("notes/sub/B.md:12:1: CM201 ")
        watching.send_signal(signal.SIGINT)
        rest, _ = watching.communicate(timeout=30)
    finally:
        watching.kill()
    assert (rest, watching.returncode) == ("Ended.\n", 0)
