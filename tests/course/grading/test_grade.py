"""Grading a class: what runs, what the gradebook says, what people entered, whose grade changed why."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coursemill.errors import CoursemillError

pytestmark = pytest.mark.nbgrader


@pytest.fixture
def graded(classroom: Any) -> Any:
    """A class of three that is graded."""
    classroom.hand_in("ada", add=classroom.RIGHT, why="Because it is so.")
    classroom.hand_in("bob", add=classroom.WRONG)
    classroom.hand_in("eve")
    classroom.grade()
    assert classroom.ran() == ["ada/Lesson", "bob/Lesson", "eve/Lesson", "solution/Lesson"]
    return classroom


def test_scores_and_what_waits_for_a_person(graded: Any) -> None:
    found = graded.gradebook()
    assert [found[f"WS/{name}"]["score"] for name in ("ada", "bob", "eve")] == [5, 1.5, 0]
    assert {v["max"] for k, v in found.items() if k.count("/") == 1} == {12}
    result = graded.grade()
    assert [(s.student, s.score, s.points, s.pending) for s in result.standings] == [
        ("ada", 5, 12, 7),
        ("bob", 1.5, 12, 4),
        ("eve", 0, 12, 4),
    ]
    assert result.standings[1].outcomes() == {"passed": 2, "failed": 1}
    assert result.ok


def test_nothing_changed_nothing_runs_or_is_written(graded: Any) -> None:
    before = {path: path.stat().st_mtime_ns for path in graded.root.rglob("*") if path.is_file()}
    result = graded.grade()
    assert (result.ran, result.notebooks, result.regrades) == (0, 3, ())
    assert {path: path.stat().st_mtime_ns for path in graded.root.rglob("*") if path.is_file()} == before
    assert graded.ran() == []


def test_nothing_changed_nothing_heavy_is_imported(graded: Any) -> None:
    code = (
        "import sys; from pathlib import Path; from coursemill.config import Config\n"
        "from coursemill.course.grade import Request, grade\n"
        f"found = grade(Config(Path({str(graded.root)!r})), Request('WS', trust=True))\n"
        "assert (found.ran, found.notebooks) == (0, 3), found\n"
        "print([n for n in ('nbgrader', 'sqlalchemy', 'nbformat', 'jupyter_client', 'zmq', 'IPython', 'distributed')"
        " if n in sys.modules])"
    )
    (graded.root / "submitted/ada/WS/timestamp.txt").write_text("2026-02-01 10:00:00.5 UTC")
    graded.grade()
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.stdout == "[]\n", said.stderr


def test_fresh_runs_all(graded: Any) -> None:
    before = graded.gradebook()
    assert graded.grade(fresh=True).ran == 3
    assert graded.ran() == ["ada/Lesson", "bob/Lesson", "eve/Lesson", "solution/Lesson"]
    assert graded.gradebook() == before


def test_what_a_person_entered_is_kept_and_asked_for_once(graded: Any) -> None:
    graded.person("ada", "why", manual_score=2.5, extra_credit=0.5, comment="Good.")
    graded.person("bob", "one", manual_score=1)
    assert graded.grade().standings[0].score == 8
    graded.give("Lesson", change=lambda cells: with_source(cells, "one", "assert add(1) == 2, 'one more, please'"))
    graded.grade()
    found = graded.gradebook()
    why = found["WS/ada/Lesson/why"]
    assert (why["manual_score"], why["extra_credit"], why["needs_manual_grade"]) == (2.5, 0.5, False)
    assert found["WS/ada/Lesson/why/comment"] == {"auto": None, "manual": "Good."}
    assert not found["WS/bob/Lesson/one"]["needs_manual_grade"]
    graded.hand_in("ada", add=graded.WRONG, why="Because it is so.")
    graded.grade()
    assert not graded.gradebook()["WS/ada/Lesson/why"]["needs_manual_grade"], "that answer is the same"
    graded.hand_in("ada", add=graded.WRONG, why="I know it now.")
    result = graded.grade()
    why = graded.gradebook()["WS/ada/Lesson/why"]
    assert (why["manual_score"], why["needs_manual_grade"]) == (2.5, True)
    assert result.standings[0].pending == 3 + 4


def test_what_no_longer_holds_is_said_by_name(graded: Any) -> None:
    graded.give("Lesson", change=lambda cells: with_source(cells, "one", "assert add(1) == 3, 'mended'"))
    result = graded.grade()
    assert graded.ran() == ["ada/Lesson", "bob/Lesson", "eve/Lesson", "solution/Lesson"]
    assert {r.student: (r.before, r.after, r.why) for r in result.regrades} == {
        "ada": (5, 4, ("test changed",)),
        "bob": (1.5, 0.5, ("test changed",)),
    }
    assert [(t.test, t.reason) for t in result.troubles] == [("one", "it fails")]
    assert not result.ok
    assert graded.grade().troubles == result.troubles, "it is said as long as it is so"
    graded.give("Lesson")
    assert {r.student: r.after for r in graded.grade().regrades} == {"ada": 5, "bob": 1.5}
    accounts = json.loads((graded.root / "build/grading/WS/standings.json").read_text())["accounts"]
    assert [len(one["changes"]) for one in accounts] == [2, 2]


def test_other_points_run_nothing(graded: Any) -> None:
    graded.give("Lesson", one=10, part=1, why=5)
    result = graded.grade()
    assert graded.ran() == []
    assert {r.student: (r.before, r.after, r.points_after, r.why) for r in result.regrades} == {
        "ada": (5, 13, 22, ("points changed",)),
        "bob": (1.5, 10.5, 22, ("points changed",)),
        "eve": (0, 0, 22, ("points changed",)),
    }
    book = json.loads(graded.files()["ada/WS/Lesson.ipynb"])
    points = {c["metadata"]["nbgrader"]["grade_id"]: c["metadata"]["nbgrader"].get("points") for c in labelled(book)}
    assert (points["one"], points["why"]) == (10, 5)
    assert graded.gradebook()["WS/ada"]["max"] == 22


def test_an_exercise_comes_and_goes(graded: Any) -> None:
    graded.person("ada", "why", manual_score=3, comment="Right.")
    graded.give("Lesson", change=lambda cells: [cell for cell in cells if cell.id != "why"])
    result = graded.grade()
    assert {r.student: (r.points_after, r.why) for r in result.regrades}["ada"] == (9, ("exercise removed",))
    assert "WS/ada/Lesson/why" not in graded.gradebook()
    graded.give("Lesson")
    result = graded.grade()
    assert all("exercise added" in r.why for r in result.regrades)
    found = graded.gradebook()
    assert found["WS/ada/Lesson/why"]["manual_score"] == 3
    assert found["WS/ada/Lesson/why/comment"]["manual"] == "Right."
    assert found["WS/bob/Lesson/why"]["manual_score"] is None


def test_a_notebook_comes_and_goes(graded: Any) -> None:
    graded.give("Second", one=5)
    result = graded.grade()
    assert graded.ran() == [f"{name}/Second" for name in ("ada", "bob", "eve")], (
        "it asks the same: it needs no other plan"
    )
    assert {r.points_after for r in result.regrades} == {28}
    assert graded.gradebook()["WS/ada"]["max"] == 28
    (graded.root / "source/WS/Second.ipynb").unlink()
    graded.grade()
    assert graded.ran() == []
    assert graded.gradebook()["WS/ada"]["max"] == 12


def test_missing_and_unreadable(classroom: Any) -> None:
    classroom.give("Second")
    classroom.hand_in("ada", add=classroom.RIGHT)
    classroom.hand_in("bob", "Second").write_bytes(b'{"cells": [')
    result = classroom.grade()
    ada, bob = result.standings
    assert ada.outcomes() == {"passed": 3, "missing": 3}
    assert bob.outcomes() == {"missing": 3, "unreadable": 3}
    assert result.unfinished == ("bob/Second",)
    assert not result.ok
    found = classroom.gradebook()
    assert found["WS/ada/Second/task"] == {
        "auto_score": 0,
        "manual_score": None,
        "extra_credit": None,
        "needs_manual_grade": False,
        "max": 4,
        "type": "markdown",
    }
    assert found["WS/bob/Second/task"]["needs_manual_grade"], "somebody should look at it"
    assert sorted(classroom.files()) == ["ada/WS/Lesson.ipynb", "bob/WS/Second.ipynb"]
    classroom.hand_in("ada", "Second", add=classroom.RIGHT)
    classroom.grade()
    assert classroom.gradebook()["WS/ada/Second/task"]["needs_manual_grade"]


def test_some_students_only(graded: Any) -> None:
    graded.give("Lesson", one=3)
    result = graded.grade("bob")
    assert [s.student for s in result.standings] == ["bob"]
    assert [r.student for r in result.regrades] == ["bob"]
    assert {r.student for r in graded.grade().regrades} == {"ada", "eve"}
    with pytest.raises(CoursemillError, match="student `bobo` has handed in nothing"):
        graded.grade("bobo")


def test_who_handed_in_nothing(graded: Any) -> None:
    shutil.rmtree(graded.root / "submitted/eve")
    result = graded.grade()
    assert result.idle == ("eve",)
    assert [s.student for s in result.standings] == ["ada", "bob"]


def test_a_gradebook_that_was_lost_or_is_an_old_copy_is_made_again(graded: Any) -> None:
    book = graded.root / "gradebook.db"
    old, before = book.read_bytes(), graded.gradebook()
    graded.hand_in("bob", add=graded.RIGHT)
    graded.grade()
    new = graded.gradebook()
    assert new != before
    for content in (old, None):
        graded.ran()
        book.unlink()
        if content:
            book.write_bytes(content)
        graded.grade()
        assert graded.gradebook() == new
        assert graded.ran() == []


def test_files_that_were_changed_are_made_again(graded: Any) -> None:
    before = graded.files()
    top = graded.root / "autograded"
    (top / "ada/WS/Lesson.ipynb").unlink()
    (top / "bob/WS/Lesson.ipynb").chmod(0o644)
    (top / "bob/WS/Lesson.ipynb").write_text("{}")
    (top / "eve/WS/Lesson.ipynb").unlink()
    (top / "eve/WS/Lesson.ipynb").symlink_to(graded.root / "nbgrader_config.py")
    graded.grade()
    assert graded.files() == before
    assert not any(path.is_symlink() for path in top.rglob("*"))
    assert graded.ran() == []


def test_files_that_a_student_brings(graded: Any, tmp_path: Path) -> None:
    folder = graded.root / "submitted/ada/WS"
    (folder / "picture.png").write_bytes(b"png")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "sub").mkdir()
    (folder / "sub/more.txt").write_text("more")
    (graded.root / "source/WS/data.csv").write_text("1")
    graded.grade()
    assert {name for name in graded.files() if name.startswith("ada/")} == {
        "ada/WS/Lesson.ipynb",
        "ada/WS/data.csv",
        "ada/WS/picture.png",
        "ada/WS/sub/more.txt",
    }
    shutil.rmtree(folder / "sub")
    (folder / "sub").write_text("a file now")
    graded.grade()
    assert graded.files()["ada/WS/sub"] == b"a file now"


DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "one byte": lambda data: data[:-40] + b"#" + data[-39:],
    "no JSON": lambda data: b"\x00" * len(data),
    "deep": lambda data: b"[" * 100_000,
    "another format": lambda data: data.replace(b'"format":1', b'"format":0'),
    "a list": lambda data: b"[]\n[]\n[]",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_records_are_run_again(graded: Any, damage: str) -> None:
    before, files = graded.gradebook(), graded.files()
    for name in ("ada", "bob"):
        record = graded.root / f"build/grading/WS/verdicts/{name}/Lesson.json"
        record.write_bytes(DAMAGES[damage](record.read_bytes()))
    state = graded.root / "build/grading/WS/standings.json"
    state.write_bytes(DAMAGES[damage](state.read_bytes()))
    graded.grade()
    assert graded.ran() == ["ada/Lesson", "bob/Lesson"]
    assert (graded.gradebook(), graded.files()) == (before, files)


def test_somebody_elses_record_is_none(graded: Any) -> None:
    top = graded.root / "build/grading/WS/verdicts"
    shutil.copy(top / "ada/Lesson.json", top / "eve/Lesson.json")
    graded.grade()
    assert graded.ran() == ["eve/Lesson"]
    assert graded.gradebook()["WS/eve"]["score"] == 0


def test_work_that_kills_its_process_is_given_up_and_tried_again(graded: Any) -> None:
    graded.hand_in("mal", add="raise KillGrader")
    graded.hand_in("zoe", add=graded.RIGHT)
    result = graded.grade()
    assert graded.ran() == ["mal/Lesson"] * 3 + ["zoe/Lesson"]
    assert result.lost == {
        "mal/Lesson": "the grader failed: the grader's own process died 3 times while it worked on this"
    }
    assert result.standings[3].outcomes() == {"died": 3}
    assert graded.gradebook()["WS/mal"]["score"] == 0
    assert graded.gradebook()["WS/zoe"]["score"] == 5
    assert not result.ok
    graded.hand_in("mal", add=graded.RIGHT)
    assert graded.grade().ok
    assert graded.gradebook()["WS/mal"]["score"] == 5


def test_a_solution_that_kills_its_process_is_named(graded: Any) -> None:
    graded.give("Lesson", change=lambda cells: with_source(cells, "given", "raise KillGrader"))
    with pytest.raises(CoursemillError, match=r"WS/Lesson\.ipynb: the instructor's own solution could not be examined"):
        graded.grade()
    graded.give("Lesson")
    assert graded.grade().ran == 0, "what was there still holds"


def test_a_worker_from_outside_of_a_course(classroom: Any) -> None:
    """Work is done from any working directory, and leaves nothing there."""
    os.chdir(classroom.root.parent)
    classroom.hand_in("ada", add=classroom.RIGHT)
    assert classroom.grade().standings[0].score == 5


def with_source(cells: list[Any], name: str, source: str) -> list[Any]:
    for cell in cells:
        if cell.id == name:
            cell.source = source
    return cells


def labelled(book: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in book["cells"] if "nbgrader" in cell["metadata"]]
