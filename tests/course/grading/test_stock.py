"""Our gradebook and autograded/ against those of stock nbgrader, and in the hands of its own tools."""

import csv
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import nbformat
import pytest

from coursemill.config import Config
from coursemill.errors import CoursemillError

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
    for name in ("Lesson", "Second"):
        classroom.hand_in("ada", name, add=classroom.RIGHT, why="Because it is so.")
    classroom.hand_in("bob", add=classroom.WRONG, free="print('mine')")
    classroom.hand_in("eve")
    classroom.hand_in("late", add=classroom.RIGHT)
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
    handed_in.root = stock
    handed_in.config = Config(stock)
    for cell, score in (("why", 1), ("task", 2)):
        handed_in.person("ada", cell, manual_score=score)
    theirs = handed_in.gradebook()
    handed_in.grade()
    assert handed_in.gradebook() == theirs, "and we go on where stock left it"


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
    assert exported == {"ada": 10, "bob": 1.5, "eve": 0, "late": 0}
    nbgrader(root, "generate_feedback", "WS")
    page = (root / "feedback" / "bob" / "WS" / "Lesson.html").read_text()
    assert "mine" in page
    assert "add(-1)" not in page
    assert "Score: 0.5 / 2.0" in " ".join(page.split())
    nbgrader(root, "db", "upgrade")


def test_the_api_and_formgrader_show_the_same(handed_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    handed_in.grade()
    api = NbGraderAPI(CourseDirectory(root=str(handed_in.root)))
    found = {one["student"]: one for one in api.get_submissions("WS")}
    assert {name: one["score"] for name, one in found.items()} == {"ada": 10, "bob": 1.5, "eve": 0, "late": 5}
    assert found["ada"]["needs_manual_grade"]
    assert all(one["autograded"] for one in found.values())
    assert [s["id"] for s in api.get_notebook_submissions("WS", "Lesson")]
    page = formgrader(handed_in.root, f"/formgrader/submissions/{submission(handed_in.root, 'bob')}/")
    assert "mine" in page
    assert "it fails" in page, "why the test did not pass"


def submission(root: Path, student: str) -> str:
    """The id of a student's notebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root}/gradebook.db", "class") as book:
        return str(book.find_submission_notebook("Lesson", "WS", student).id)


def formgrader(root: Path, page: str) -> str:
    """What nbgrader's own extension of Jupyter's server answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    extension = "nbgrader.server_extensions.formgrader"
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={port}"]
    options = ["--IdentityProvider.token=", f"--ServerApp.jpserver_extensions={extension}=True", "--ip=127.0.0.1"]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(root / ".jupyter")}
    server = subprocess.Popen(
        [*command, *options], cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 90
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}{page}", timeout=30) as answer:
                    return str(answer.read().decode())
            except HTTPError:
                raise
            except URLError:
                assert time.monotonic() < end
                time.sleep(0.2)
    finally:
        server.kill()
        server.wait()


PLUGIN = """
from nbgrader.plugins import BasePlugin
class Half(BasePlugin):
    def late_submission_penalty(self, student, score, seconds):
        return {penalty}
c.AssignLatePenalties.plugin_class = Half
"""


@pytest.mark.parametrize(("penalty", "taken"), [("score / 2", 2.5), ("99", 5), ("-1", 0), ("None", None)])
def test_a_course_has_its_own_way_with_late_work(handed_in: Any, penalty: str, taken: float | None) -> None:
    settings = handed_in.root / "nbgrader_config.py"
    settings.write_text(settings.read_text() + PLUGIN.format(penalty=penalty))
    result = handed_in.grade("late")
    assert handed_in.gradebook()["WS/late/Lesson"]["late"] == taken
    assert result.standings[0].score == 5 - (taken or 0)


def test_a_plugin_that_fails_is_named(handed_in: Any) -> None:
    settings = handed_in.root / "nbgrader_config.py"
    settings.write_text(settings.read_text() + PLUGIN.format(penalty="1 / 0"))
    with pytest.raises(CoursemillError, match=r"nbgrader_config.py: Half failed: ZeroDivisionError: division by zero"):
        handed_in.grade()
