"""`coursemill new` on the command line."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from coursemill.faces import cli


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notes/sub/deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, arguments)


def test_it_says_what_to_do_next(root: Path) -> None:
    result = run("new", "First", "--title", "The first", "--worksheet", "WS_A")
    assert result.exit_code == 0
    assert result.output.startswith("notes/First.md is written.")
    assert 'coursemill run "First"' in result.output
    text = (root / "notes/First.md").read_text()
    assert "\n# The first\n" in text
    assert "\nworksheet: WS_A\n" in text
    assert run("check", "--strict").exit_code == 0


@pytest.mark.parametrize(
    ("here", "note", "path"),
    [
        (".", "A", "notes/A.md"),
        (".", "notes/sub/A", "notes/sub/A.md"),
        (".", "new/A.md", "notes/new/A.md"),
        ("notes", "sub/A", "notes/sub/A.md"),
        ("notes/sub", "A", "notes/sub/A.md"),
        ("notes/sub", "../A", "notes/A.md"),
        ("notes/sub", "./deep/A", "notes/sub/deep/A.md"),
    ],
)
def test_where_it_is_written(root: Path, monkeypatch: pytest.MonkeyPatch, here: str, note: str, path: str) -> None:
    monkeypatch.chdir(root / here)
    assert run("new", note).exit_code == 0
    assert [str(one.relative_to(root)) for one in root.rglob("*.md")] == [path]


@pytest.mark.parametrize(("here", "note"), [(".", "../A"), ("notes/sub", "../../A"), ("notes/sub", "/A"), (".", "A?")])
def test_it_stays_in_the_vault(root: Path, monkeypatch: pytest.MonkeyPatch, here: str, note: str) -> None:
    monkeypatch.chdir(root / here)
    assert run("new", note).exit_code == 1
    assert not [*root.rglob("A*.md"), *root.parent.glob("A*.md")]


@pytest.mark.kernel
@pytest.mark.nbgrader
def test_it_builds_runs_and_proves_as_it_is(root: Path) -> None:
    run("new", "sub/First lesson")
    for verb, said in (("build", "built 1"), ("run", "1 passed"), ("prove", "all sound")):
        done = subprocess.run(
            [sys.executable, "-m", "coursemill", "--root", str(root), verb], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert said in done.stdout
    released = nbformat.read(root / "release/WS_1/First lesson.ipynb", 4)
    nbformat.validate(released)
    told = "\n".join(cell.source for cell in released.cells)
    assert "raise NotImplementedError()" in told
    for secret in (
        "found.groups()",
        "1439",
        "a valid time",
        "Dear author",
        "two digits behind",
        "BEGIN",
        "%%bash role",
    ):
        assert secret not in told
