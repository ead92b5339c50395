"""A small class to grade: a stock nbgrader course of one worksheet, and students who hand something in."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursemill.config import Config
from coursemill.course import grade
from coursemill.course.grade import Graded, Request, Tools

SETTINGS = """c = get_config()
c.CourseDirectory.course_id = "class"
"""
TESTS = {"one": 1, "hidden": 2, "part": 2}
MANUAL = {"why": 3, "task": 4}


class Classroom:
    """The course at `root`: what the instructor gives, and who hands in what."""

    RIGHT, WRONG = "def add(x):\n    return x + 1", "def add(x):\n    return 2"

    def __init__(self, root: Path, log: Path, tools: Tools) -> None:
        self.root, self.log, self.tools = root, log, tools
        self.config = Config(root)
        (root / "nbgrader_config.py").write_text(SETTINGS)
        self.give("Lesson")

    def give(self, name: str, worksheet: str = "WS", change: Any = lambda cells: cells, **points: float) -> None:
        """Write the instructor's notebook; `change` changes the list of its cells, `points` their points."""
        cells = change(_instructor({**TESTS, **MANUAL, **points}))
        _write(self.root / "source" / worksheet / f"{name}.ipynb", cells)

    def hand_in(self, student: str, name: str = "Lesson", worksheet: str = "WS", **answers: str) -> Path:
        """Write a submission: `add` is the code of the answer, `why` the text; without them it is as released."""
        path = self.root / "submitted" / student / worksheet / f"{name}.ipynb"
        _write(path, _released(_instructor({**TESTS, **MANUAL}), answers))
        return path

    def grade(self, *students: str, **about: Any) -> Graded:
        """Grade, in this process's workers, with the trusting examiner."""
        watch = about.pop("watch", None)
        return grade.grade(self.config, Request("WS", students, trust=True, **about), watch, self.tools)

    def ran(self) -> list[str]:
        """What was run since this was asked the last time."""
        lines = self.log.read_text().split() if self.log.exists() else []
        self.log.write_text("")
        return sorted(lines)

    def gradebook(self, root: Path | None = None, url: str = "") -> dict[str, dict[str, Any]]:
        """Everything that a course's gradebook says of grades and comments, by student/notebook/cell."""
        return gradebook(url or f"sqlite:///{root or self.root}/gradebook.db")

    def person(self, student: str, cell: str, name: str = "Lesson", **grade: Any) -> None:
        """A person gives a grade, as Formgrader writes it; `comment` goes to the cell's comment."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root}/gradebook.db", "class") as book:
            if comment := grade.pop("comment", None):
                book.find_comment(cell, name, "WS", student).manual_comment = comment
            if grade:
                row = book.find_grade(cell, name, "WS", student)
                for key, value in {"needs_manual_grade": False, **grade}.items():
                    setattr(row, key, value)
            book.db.commit()

    def files(self) -> dict[str, bytes]:
        """Everything in autograded/."""
        top = self.root / "autograded"
        return {p.relative_to(top).as_posix(): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


def gradebook(url: str) -> dict[str, dict[str, Any]]:
    """Everything that the gradebook at `url` says of submissions, without the ids of rows."""
    from nbgrader.api import Gradebook

    found: dict[str, dict[str, Any]] = {}
    with Gradebook(url, "class") as book:
        for assignment in book.assignments:
            for submission in assignment.submissions:
                where = f"{assignment.name}/{submission.student.id}"
                found[where] = {"at": submission.timestamp, "score": submission.score, "max": submission.max_score}
                for page in submission.notebooks:
                    here = f"{where}/{page.name}"
                    found[here] = {"late": page.late_submission_penalty, "kernel": page.notebook.kernelspec}
                    for row in page.grades:
                        found[f"{here}/{row.name}"] = {
                            name: getattr(row, name)
                            for name in ("auto_score", "manual_score", "extra_credit", "needs_manual_grade")
                        } | {"max": row.max_score, "type": row.cell_type}
                    for comment in page.comments:
                        words = {"auto": comment.auto_comment, "manual": comment.manual_comment}
                        found[f"{here}/{comment.name}/comment"] = words
    return found


@pytest.fixture
def classroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Classroom]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "fakes"))
    import trusting

    log = tmp_path / "ran"
    monkeypatch.setenv("TRUSTING_LOG", str(log))
    root = tmp_path / "course"
    root.mkdir()
    yield Classroom(root, log, Tools(trusting.examine, trusting.calibrate))
    sys.modules.pop("trusting", None)


def labels(**given: Any) -> dict[str, Any]:
    """nbgrader's metadata of a cell."""
    return {
        "nbgrader": {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False, **given}
    }


def _instructor(points: Mapping[str, float]) -> list[Any]:
    def test(name: str, source: str) -> Any:
        return new_code_cell(
            source, id=name, metadata=labels(grade_id=name, grade=True, locked=True, points=points[name])
        )

    scheme = "Do it.\n=== BEGIN MARK SCHEME ===\n4: all\n=== END MARK SCHEME ==="
    return [
        new_markdown_cell("# Lesson", id="title"),
        new_code_cell("import math", id="given", metadata=labels(grade_id="given", locked=True)),
        new_code_cell(
            "def add(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION",
            id="add",
            metadata=labels(grade_id="add", solution=True),
        ),
        test("one", "assert add(1) == 2, 'one more'"),
        test("hidden", "assert callable(add)\n### BEGIN HIDDEN TESTS\nassert add(-1) == 0\n### END HIDDEN TESTS"),
        test("part", "2 if add(2) == 3 else 0.5"),
        new_markdown_cell(
            "Because.", id="why", metadata=labels(grade_id="why", grade=True, solution=True, points=points["why"])
        ),
        new_markdown_cell(
            scheme, id="task", metadata=labels(grade_id="task", task=True, locked=True, points=points["task"])
        ),
        new_code_cell("", id="free"),
    ]


def _released(cells: list[Any], answers: Mapping[str, str]) -> list[Any]:
    stubs = {
        "add": "def add(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()",
        "hidden": "assert callable(add)",
        "why": "YOUR ANSWER HERE",
        "task": "Do it.",
    }
    for cell in cells:
        cell.source = answers.get(cell.id, stubs.get(cell.id, cell.source))
    return cells


def _write(path: Path, cells: list[Any]) -> None:
    book = new_notebook(cells=cells)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(json.loads(nbformat.writes(book)), indent=1))
