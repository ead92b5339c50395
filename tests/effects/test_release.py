"""Student editions are what stock nbgrader makes, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursemill.effects import release
from coursemill.errors import ConfigError, CoursemillError

pytestmark = pytest.mark.nbgrader


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """nbgrader finds `alembic` on PATH, and nobody's own settings."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / ".jupyter"))


def graded(name: str, source: str, **about: Any) -> Any:
    about = {"grade": False, "solution": False, "locked": False, "task": False, **about}
    return new_code_cell(source, id=name, metadata={"nbgrader": {"schema_version": 3, "grade_id": name, **about}})


def notebook(answer: str = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION") -> Any:
    cells = [
        new_markdown_cell("# Ünïcode", id="top"),
        graded("x", answer, solution=True),
        graded("x-test-1", "assert x == 1", grade=True, locked=True, points=1),
        graded(
            "x-test-2",
            "# more\n### BEGIN HIDDEN TESTS\nassert 2\n### END HIDDEN TESTS",
            grade=True,
            locked=True,
            points=2,
        ),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def write(folder: Path, name: str, made: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.validate(made)
    nbformat.write(made, folder / f"{name}.ipynb")


def stock(root: Path, *arguments: str) -> str:
    """Run an nbgrader application in the course at `root`; its whole output."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_bytes_as_stock_generate_assignment(tmp_path: Path) -> None:
    settings = tmp_path / "nbgrader_config.py"
    settings.write_text("c = get_config()\nc.ClearSolutions.code_stub = {'python': '# yours'}\n")
    for name in ("One", "Two [draft] it's 'ü'"):
        write(tmp_path / "source" / "WS", name, notebook())
    (tmp_path / "source/WS/N.files").mkdir()
    (tmp_path / "source/WS/N.files/data.csv").write_text("a,b\n")
    stock(tmp_path, "generate_assignment", "WS")
    here = Path.cwd()
    made = release.generate(_stage(tmp_path, "WS"), "WS", settings)
    assert Path.cwd() == here
    assert made.refused == {}
    assert files(made.made) == files(tmp_path / "release/WS")
    text = (made.made / "One.ipynb").read_text()
    assert "# yours" in text
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    nbformat.validate(nbformat.reads(text, 4))


def test_a_refused_notebook_does_not_stop_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "source/WS", "Bad", notebook("### BEGIN SOLUTION\nx = 1"))
    write(tmp_path / "source/WS", "Good", notebook())
    broken = notebook()
    broken.cells[1].metadata.nbgrader.grade_id = "not an id"
    write(tmp_path / "source/WS", "Ugly", broken)
    made = release.generate(tmp_path, "WS", tmp_path / "nbgrader_config.py")
    assert list(files(made.made)) == ["Good.ipynb"]
    assert made.refused["Bad"] == "RuntimeError: no end solution statement found"
    assert "failed to validate" in made.refused["Ugly"]
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "gradebook.db").exists()


def test_hooks_and_headers_of_the_course(tmp_path: Path) -> None:
    write(tmp_path, "header", new_notebook(cells=[new_markdown_cell("HEAD", id="head")]))
    settings = tmp_path / "nbgrader_config.py"
    settings.write_text(
        "c = get_config()\n"
        "c.IncludeHeaderFooter.header = 'header.ipynb'\n"
        "def hook(**_):\n    open('hooked', 'w')\n"
        "c.GenerateAssignment.post_convert_hook = hook\n"
        "c.CourseDirectory.directory_structure = '{nbgrader_step}/{assignment_id}/{student_id}'\n"
    )
    write(tmp_path / "source/WS", "One", notebook())
    made = release.generate(_stage(tmp_path, "WS"), "WS", settings)
    assert "HEAD" in (made.made / "One.ipynb").read_text()
    assert not list(tmp_path.rglob("hooked"))


def test_settings_that_fail_are_named(tmp_path: Path) -> None:
    settings = tmp_path / "nbgrader_config.py"
    settings.write_text("c = get_config()\nc.Exchange.root = 1 / 0\n")
    write(tmp_path / "source/WS", "One", notebook())
    with pytest.raises(ConfigError, match=r"nbgrader_config.py: ZeroDivisionError: division by zero"):
        release.generate(tmp_path, "WS", settings)


def test_the_gradebook_learns_a_worksheet_without_its_release_being_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "source/WS", "One", notebook())
    monkeypatch.chdir(tmp_path)
    release.register(assignment="WS", student="bob", notebooks=[])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["gradebook.db", "source"]
    before = (tmp_path / "gradebook.db").stat().st_mtime_ns
    release.register(assignment="WS", student="eve", notebooks=[])
    assert (tmp_path / "gradebook.db").stat().st_mtime_ns == before
    write(tmp_path / "source/WS", "Two", notebook("### BEGIN SOLUTION"))
    with pytest.raises(CoursemillError, match=r"source/WS: the gradebook .*no end solution"):
        release.register(assignment="WS")


def _stage(root: Path, worksheet: str) -> Path:
    """A course of its own with the same sources, linked."""
    stage = root / "stage"
    (stage / "source").mkdir(parents=True)
    (stage / "source" / worksheet).symlink_to(root / "source" / worksheet)
    return stage
