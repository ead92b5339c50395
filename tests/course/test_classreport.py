import csv
import json
from pathlib import Path
from typing import Any

import pytest

from coursemill.config import Config
from coursemill.course import classreport
from coursemill.effects.grading import courses, gradebook, journal
from coursemill.errors import CoursemillError
from coursemill.pure.grading import classpage
from coursemill.pure.grading.verdict import Note, Outcome, Verdict

SQUARE = "def square(x):\n    ### BEGIN SOLUTION\n    return x ** 2\n    ### END SOLUTION"
SCORES = {"ada": (1, 2), "bob": (1, 0), "cyd": (0, 0), "Dan <b>": (1, 2)}


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
    """A graded worksheet of any nbgrader course: no notes, no gradebook."""
    cells = [
        cell("square", SQUARE, solution=True),
        cell("t1", "assert square(1) == 1", grade=True, locked=True, points=1),
        cell("t2", "assert square(3) == 9", grade=True, locked=True, points=2),
        cell("why", "# why?", grade=True, solution=True, points=4),
    ]
    spec = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    notebook = {"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}
    folder = tmp_path / "source" / "ps1"
    folder.mkdir(parents=True)
    (folder / "p1.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'x'\n")
    config = Config(tmp_path)
    for student, scores in SCORES.items():
        (tmp_path / "submitted" / student / "ps1").mkdir(parents=True)
        journal.write(config, "key", verdict(student, scores))
    (tmp_path / "submitted" / "new" / "ps1").mkdir(parents=True)
    autograded = tmp_path / "autograded" / "Dan <b>" / "ps1"
    autograded.mkdir(parents=True)
    (autograded / "p1.ipynb").write_text("{}")
    return config


def verdict(student: str, scores: tuple[int, int]) -> Verdict:
    outcomes = tuple(
        Outcome(name, "passed" if score else "failed", points)
        for name, points, score in zip(("t1", "t2"), (1, 2), scores, strict=True)
    )
    source = SQUARE if scores == (1, 2) else f"def square(x):\n    return 1  # {student}"
    notes = (Note("removed", "t2", f"t2 was not in {student}'s notebook"),) if student == "bob" else ()
    output = {"output_type": "stream", "name": "stdout", "text": "much " * 1000}
    autograded = {"cells": [cell("square", source) | {"outputs": [output]}]}
    return Verdict(student, "ps1", "p1", outcomes, notes, autograded=autograded, seconds=1.5)


def test_a_report_of_any_course(course: Config) -> None:
    made = classreport.report(course, "ps1")
    assert made.statistics.totals == {"Dan <b>": 3.0, "ada": 3.0, "bob": 1.0, "cyd": 0.0}
    assert [one.exercise.id for one in made.statistics.exercises] == ["square", "why"]
    (wrong,) = made.statistics.exercises[0].wrong
    assert (wrong.students, wrong.low, wrong.high, wrong.declared) == (("bob", "cyd"), 0.0, 1.0, None)
    assert made.ungraded == ("new",)
    assert [(flag.kind, flag.students) for flag in made.flags] == [("changed", ("bob",))]


def test_who_is_nowhere_any_more_does_not_count(course: Config) -> None:
    before = classreport.report(course, "ps1").statistics.handed
    journal.write(course, "key", verdict("gone", (1, 2)))
    assert classreport.report(course, "ps1").statistics.handed == before


def test_its_page_links_to_what_there_is(course: Config) -> None:
    page = classreport.write_page(course, classreport.report(course, "ps1"))
    assert page == course.root / "build" / "reports" / "class-ps1.html"
    text = page.read_text()
    assert text.count("../../autograded/Dan%20%3Cb%3E/ps1/p1.ipynb") == 1
    assert "<b>&lt;" not in text
    assert "Dan &lt;b&gt;" in text
    assert "Not graded yet, and in no number here: new." in text
    assert "much much" not in text


def test_an_anonymous_report_names_nobody(course: Config) -> None:
    made = classreport.report(course, "ps1", anonymous=True)
    page = classreport.write_page(course, made, course.root / "page.html").read_text()
    told = json.dumps(classpage.data(made))
    for name in ("ada", "bob", "cyd", "Dan"):
        assert name not in page
        assert name not in told
    assert sorted(made.statistics.totals.values()) == [0.0, 1.0, 3.0, 3.0]


def test_grades_wait_for_a_person(course: Config) -> None:
    made = classreport.report(course, "ps1")
    found = classreport.export(course, made, "canvas")
    assert [row[-1] for row in csv.reader(found.text.splitlines())] == ["ps1", "7", "", "", "", "", ""]
    assert found.notes == ("4 students have answers that a person has yet to grade: left empty",)
    own = classreport.export(course, made, "nbgrader")
    assert [row[-2] for row in csv.reader(own.text.splitlines())][1:] == ["3", "3", "1", "0", "0"]


@pytest.mark.nbgrader
def test_the_gradebook_has_names_and_the_last_word(course: Config) -> None:
    from nbgrader.api import Gradebook

    about = courses.course(course)
    assignments = courses.worksheet(course, "ps1").assignments
    entries = [gradebook.Entry(v.student, (v,)) for v in journal.verdicts(course, "ps1")]
    gradebook.write(gradebook.Book(about.db_url, about.id), "ps1", assignments, entries, {}, lambda aside: None)
    with Gradebook(about.db_url, "x") as book:
        book.update_or_create_student("ada", first_name="Ada", last_name="=Lovelace", email="ada@x.example")
        book.add_student("eve")
        for name, score in (("ada", 4.0), ("bob", 1.0)):
            grade = book.find_grade("why", "p1", "ps1", name)
            grade.manual_score, grade.needs_manual_grade = score, False
        book.db.commit()
    made = classreport.report(course, "ps1")
    assert made.statistics.totals == {"Dan <b>": 3.0, "ada": 7.0, "bob": 2.0, "cyd": 0.0}
    assert [row.name for row in made.rows if row.student == "ada"] == ["Ada =Lovelace"]
    assert made.statistics.absent == ("eve", "new")
    rows = list(csv.reader(classreport.export(course, made, "moodle").text.splitlines()))
    assert ["ada", "Ada", "'=Lovelace", "", "ada@x.example", "7"] in rows


def test_nothing_to_report(course: Config) -> None:
    with pytest.raises(CoursemillError, match="no worksheet `ps2`"):
        classreport.report(course, "ps2")
    for student in SCORES:
        journal.write(course, "key", verdict(student, (0, 0)))
    (course.root / "build" / "grading").rename(course.root / "build" / "elsewhere")
    with pytest.raises(CoursemillError, match="nobody's work on ps1 is graded yet"):
        classreport.report(course, "ps1")
