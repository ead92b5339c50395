import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from coursemill.config import Config
from coursemill.course import demo
from coursemill.course.demo import Request
from coursemill.effects.grading import courses, stage
from coursemill.errors import CoursemillError

SQUARES = """def squares(numbers):
    ### BEGIN SOLUTION
    found = []
    for number in numbers:
        if number >= 0:
            found.append(number ** 2)
    return found
    ### END SOLUTION"""


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
def course(tmp_path: Path) -> Config:
    """A stock nbgrader course, with folders and a root of its own, and somebody's real submission."""
    test = {"grade": True, "locked": True}
    hidden = (
        "### BEGIN HIDDEN TESTS\nassert squares([-1, 3, 0]) == [9, 0], 'leave negative ones out'\n### END HIDDEN TESTS"
    )
    cells = [
        cell("squares", SQUARES, solution=True),
        cell("t1", "assert squares([1, 2]) == [1, 4]", points=1, **test),
        cell("t2", hidden, points=3, **test),
    ]
    root = tmp_path / "course"
    folder = root / "work" / "ps1" / "src"
    folder.mkdir(parents=True)
    spec = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    notebook = {"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}
    (folder / "p1.ipynb").write_text(json.dumps(notebook))
    (folder / "data.csv").write_text("1,2\n")
    (root / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(root)!r}\nc.CourseDirectory.source_directory = 'src'\n"
        "c.CourseDirectory.directory_structure = 'work/{assignment_id}/{nbgrader_step}/{student_id}'\n"
    )
    real = root / "work" / "ps1" / "submitted" / "ada"
    real.mkdir(parents=True)
    (real / "p1.ipynb").write_text("{}")
    return Config(root)


def contents(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.sandbox
@pytest.mark.nbgrader
def test_a_class_gets_what_it_deserves(course: Config, tmp_path: Path) -> None:
    before = contents(course.root)
    made = demo.demo(course, Request("ps1", students=9, into=tmp_path / "class", timeout=8))
    assert [check.failures for check in made.checks] == [()] * len(made.checks)
    assert made.ok
    assert len(made.students) == len(made.report.rows) == 9
    assert made.scores[made.students[0].id] == {"p1/squares": 4.0}
    assert made.page.is_file()
    assert (made.feedback / made.students[0].id / "ps1" / "index.html").is_file()
    assert f"{made.students[0].first} {made.students[0].last}" in made.page.read_text()
    assert contents(course.root) == before


def test_the_copy_is_a_stock_course_of_its_own(course: Config, tmp_path: Path) -> None:
    copy = stage.build(course, courses.course(course), "ps1", tmp_path / "class", ())
    about = courses.course(copy)
    assert about.root == copy.root == tmp_path / "class"
    assert about.db_url == f"sqlite:///{tmp_path / 'class' / 'gradebook.db'}"
    assert [item.id for item in courses.worksheet(copy, "ps1").assignments[0].items] == ["squares", "t1", "t2"]
    assert courses.worksheet(copy, "ps1").files == {"data.csv": b"1,2\n"}


def test_a_copy_is_made_again_and_other_folders_are_left_alone(course: Config, tmp_path: Path) -> None:
    about, into = courses.course(course), tmp_path / "class"
    stage.build(course, about, "ps1", into, ())
    (into / "submitted" / "old").mkdir(parents=True)
    (into / "build").mkdir()
    (into / "build" / "kept").touch()
    stage.build(course, about, "ps1", into, ())
    assert not (into / "submitted").exists()
    assert (into / "build" / "kept").exists()
    with pytest.raises(CoursemillError, match="there is something in the folder already"):
        demo.demo(course, Request("ps1", into=course.root))
    assert (course.root / "work" / "ps1" / "submitted" / "ada" / "p1.ipynb").exists()


def test_what_has_no_tests_has_no_demo(course: Config) -> None:
    folder = course.root / "work" / "ps2" / "src"
    folder.mkdir(parents=True)
    (folder / "p.ipynb").write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    with pytest.raises(CoursemillError, match="ps2 has no tests"):
        demo.demo(course, Request("ps2"))
    with pytest.raises(CoursemillError, match="no worksheet `ps3`"):
        demo.demo(course, Request("ps3"))
