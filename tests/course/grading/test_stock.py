"""Our gradebook and autograded/ against those of stock nbgrader, and in the hands of its own tools."""

import csv
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.nbgrader


def nbgrader(root: Path, *arguments: str) -> str:
    """Run one of nbgrader's programs in a course."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "JUPYTER_CONFIG_DIR": str(root / ".jupyter")}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture
def handed_in(classroom: Any) -> Any:
    """A course of two notebooks with a due date, and a class that is honest and not always in time."""
    with (classroom.root / "nbgrader_config.py").open("a") as settings:
        settings.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    classroom.give("Second")
    for student, about in {
        "ada": {"add": classroom.RIGHT, "why": "Because it is so.", "task": "Do it."},
        "bob": {"add": classroom.WRONG, "free": "print('mine')"},
        "eve": {},
    }.items():
        for name in ("Lesson", "Second"):
            classroom.hand_in(student, name, **about)
    classroom.hand_in("half", add=classroom.RIGHT)
    classroom.hand_in("late", add=classroom.RIGHT)
    classroom.hand_in("late", "Second", add=classroom.RIGHT)
    stamp = classroom.root / "submitted" / "late" / "WS" / "timestamp.txt"
    stamp.write_text("2026-02-01 10:00:00.5 Europe/Berlin")
    (stamp.parent / "notes.txt").write_text("mine")
    (classroom.root / "source" / "WS" / "data.csv").write_text("1,2")
    due(classroom.root)
    return classroom


def due(root: Path) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root}/gradebook.db", "class") as book:
        book.update_or_create_assignment("WS", duedate=datetime(2026, 1, 1))


def test_the_gradebook_is_as_stock_leaves_it(handed_in: Any, tmp_path: Path) -> None:
    stock = tmp_path / "stock"
    shutil.copytree(handed_in.root, stock)
    nbgrader(stock, "generate_assignment", "WS")
    nbgrader(stock, "autograde", "WS")
    handed_in.grade()
    ours, theirs = handed_in.gradebook(), handed_in.gradebook(stock)
    assert ours == theirs
    assert ours["WS/late/Lesson"]["late"] == 5
    assert cells(handed_in.root) == cells(stock)
    names = {path.relative_to(stock).as_posix() for path in (stock / "autograded").rglob("*") if path.is_file()}
    assert {f"autograded/{name}" for name in handed_in.files()} == names
    nbgrader(handed_in.root, "autograde", "WS", "--force", "--student", "ada")
    assert handed_in.gradebook() == theirs, "stock goes on where we left it"


def cells(root: Path) -> list[Any]:
    """What the gradebook says of the worksheet's cells, in its order."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root}/gradebook.db", "class") as book:
        return [
            (one.name, [(c.name, c.cell_type, c.locked, c.source, c.checksum) for c in one.source_cells])
            for one in book.find_assignment("WS").notebooks
        ]


def test_stock_tools_on_what_we_wrote(handed_in: Any) -> None:
    handed_in.grade()
    root = handed_in.root
    for path in (root / "autograded").rglob("*.ipynb"):
        nbformat.validate(nbformat.reads(path.read_text(), 4))
    nbgrader(root, "export", "--to", "grades.csv")
    with (root / "grades.csv").open() as stream:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert exported == {"ada": 10, "bob": 3, "eve": 0, "half": 5, "late": 0}
    nbgrader(root, "generate_feedback", "WS")
    page = (root / "feedback" / "bob" / "WS" / "Lesson.html").read_text()
    assert "mine" in page
    assert "add(-1)" not in page
    assert "0.5 / 2.0" in page or "0.5/2.0" in page or "Score: 0.5" in page


def test_the_api_and_formgrader_show_the_same(handed_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    handed_in.grade()
    api = NbGraderAPI(CourseDirectory(root=str(handed_in.root)))
    found = {one["student"]: one for one in api.get_submissions("WS")}
    assert {name: one["score"] for name, one in found.items()} == {"ada": 10, "bob": 3, "eve": 0, "half": 5, "late": 10}
    assert found["ada"]["needs_manual_grade"]
    assert all(one["autograded"] for one in found.values())
    assert [s["id"] for s in api.get_notebook_submissions("WS", "Lesson")]
