"""Any nbgrader course is read as nbgrader itself reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursemill.config import Config
from coursemill.effects.grading import courses
from coursemill.errors import ConfigError, CoursemillError
from coursemill.pure.grading import intake, merge


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """nbgrader finds `alembic` on PATH, and nobody's own settings."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / ".jupyter"))


def cell(source: str, name: str = "", kind: str = "code", **about: Any) -> Any:
    make = new_code_cell if kind == "code" else new_markdown_cell
    grading = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "grade_id": name, **about}
    return make(source, metadata={"nbgrader": grading} if name else {})


def write(path: Path, *cells: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": kernel}), path)
    return path


def configured(root: Path, *lines: str) -> Config:
    root.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["c = get_config()", *lines])
    (root / "nbgrader_config.py").write_text(text, encoding="utf-8")
    return Config(root)


def stock(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_course_without_settings_is_nbgraders_default(tmp_path: Path) -> None:
    write(tmp_path / "source" / "ps1" / "p.ipynb", cell("x = 1", "x", solution=True))
    (tmp_path / "source" / "ps1" / "data" / "__pycache__").mkdir(parents=True)
    (tmp_path / "source" / "ps1" / "data" / "a.csv").write_bytes(b"1")
    (tmp_path / "source" / "ps1" / "data" / "__pycache__" / "a.pyc").write_bytes(b"1")
    (tmp_path / "source" / "ps1" / "other.pyc").write_bytes(b"1")
    (tmp_path / "source" / "empty").mkdir()
    about = courses.course(Config(tmp_path))
    assert about.db_url == f"sqlite:///{tmp_path}/gradebook.db"
    assert about.folder("submitted", "ann", "ps1") == tmp_path / "submitted" / "ann" / "ps1"
    assert courses.worksheets(about) == ("ps1",)
    made = courses.worksheet(Config(tmp_path), "ps1")
    assert [one.name for one in made.assignments] == ["p"]
    assert made.assignments[0].items[0].place == "source/ps1/p.ipynb, cell 1"
    assert made.files == {"data/a.csv": b"1"}


def test_settings_of_all_kinds(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        "c.CourseDirectory.course_id = 'cs101 '",
        "c.CourseDirectory.db_url = 'postgresql://here/grades'",
        "c.CourseDirectory.directory_structure = 'work/{assignment_id}/{nbgrader_step}/{student_id}'",
        "c.CourseDirectory.source_directory = 'teacher'",
        "c.CourseDirectory.ignore.append('*.bak')",
        "c.CourseDirectory.student_id_exclude = 'staff,tester'",
        "c.ClearSolutions.begin_solution_delimeter = '<sol'",
        "c.ClearSolutions.end_solution_delimeter = 'sol>'",
        "c.ClearSolutions.code_stub.update({'julia': 'error()'})",
        "c.ClearSolutions.text_stub = ''",
        "c.ClearHiddenTests.enabled = False",
        "c.ClearMarkScheme.enforce_metadata = False",
        "c.Autograde.exclude_overwriting = {'ps1': ['./mine.py']}",
        "c.InstantiateTests.autotest_delimiter = 'TEST IT'",
    )
    write(tmp_path / "work" / "ps1" / "teacher" / "p.ipynb", cell("a\n# <sol\nb\n# sol>", "x", solution=True))
    (tmp_path / "work" / "ps1" / "teacher" / "mine.py").write_bytes(b"")
    (tmp_path / "work" / "ps1" / "teacher" / "old.bak").write_bytes(b"")
    for name in ("ann", "bob", "staff"):
        (tmp_path / "work" / "ps1" / "submitted" / name).mkdir(parents=True)
    about = courses.course(config)
    assert (about.id, about.db_url) == ("cs101", "postgresql://here/grades")
    assert about.excluded == {"staff", "tester"}
    assert about.rules.stubs["julia"] == "error()"
    assert about.rules.stubs["python"].endswith("raise NotImplementedError()")
    assert (about.rules.text, about.rules.autotests) == ("", "TEST IT")
    assert not about.rules.hidden.enabled
    assert not about.rules.schemes.enforced
    assert [student for student, *_ in about.found("submitted", worksheet="ps1")] == ["ann", "bob", "staff"]
    assert about.way("submitted", "ann", "ps1") == (tmp_path / "work", ("ps1", "submitted", "ann"))
    made = courses.worksheet(config, "ps1")
    assert made.assignments[0].items[0].released == "a\n# YOUR CODE HERE\nraise NotImplementedError()"
    assert (set(made.files), made.editable) == ({"mine.py"}, {"mine.py"})


def test_names_with_the_student_and_the_worksheet_in_one(tmp_path: Path) -> None:
    config = configured(
        tmp_path, "c.CourseDirectory.directory_structure = '{nbgrader_step}/{assignment_id}-{student_id}'"
    )
    for name in ("ps1-ann", "ps1-bob-lee", "ps2-cyd", "other"):
        (tmp_path / "submitted" / name).mkdir(parents=True)
    about = courses.course(config)
    assert [student for student, *_ in about.found("submitted", worksheet="ps1")] == ["ann", "bob-lee"]


def test_the_users_settings_count_unless_they_are_another_courses(tmp_path: Path) -> None:
    theirs = "c.CourseDirectory.course_id = 'mine'", "c.CourseDirectory.db_url = 'theirs'"
    home = configured(tmp_path / ".jupyter", *theirs).root
    config = configured(tmp_path / "course", "c.CourseDirectory.db_url = 'here'")
    assert (courses.course(config).id, courses.course(config).db_url) == ("mine", "here")
    configured(home, f"c.CourseDirectory.root = {str(tmp_path / 'course')!r}", "c.CourseDirectory.course_id = 'same'")
    assert courses.course(config).id == "same"
    configured(home, "c.CourseDirectory.root = '/elsewhere'", "c.CourseDirectory.course_id = 'mine'")
    assert courses.course(config).id == ""


def test_names_that_nbgrader_has_given_up(tmp_path: Path) -> None:
    config = configured(tmp_path, "c.NbGrader.course_id = 'old'", "c.NbGrader.db_url = 'sqlite:////g.db'")
    assert (courses.course(config).id, courses.course(config).db_url) == ("old", "sqlite:////g.db")
    assert courses.course(configured(tmp_path, "c.Exchange.course_id = 'older'")).id == "older"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c.CourseDirectory.source_directory = 4", "must be a str"),
        ("c.CourseDirectory.directory_structure = '{student_id}'", "nbgrader_step"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        courses.course(configured(tmp_path, line))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Homework1", "did you mean `homework1`"),
        ("xyz", "there are homework1, homework2"),
        ("../source/homework1", "no worksheet"),
        ("", "no worksheet"),
        ("..", "no worksheet"),
        ("empty", "no worksheet"),
    ],
)
def test_a_worksheet_that_is_not_there(tmp_path: Path, name: str, said: str) -> None:
    for one in ("homework1", "homework2"):
        write(tmp_path / "source" / one / "p.ipynb", cell("x"))
    (tmp_path / "source" / "empty").mkdir()
    with pytest.raises(CoursemillError) as caught:
        courses.worksheet(Config(tmp_path), name)
    assert said in str(caught.value)


def test_a_broken_notebook_of_the_instructors_is_told_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "source" / "ps1" / "p.ipynb", cell("### BEGIN SOLUTION", "x", solution=True))
    with pytest.raises(CoursemillError, match=r"source/ps1/p.ipynb, cell 1: .*END SOLUTION"):
        courses.worksheet(Config(tmp_path), "ps1")
    path.write_text('{"cells": [}', encoding="utf-8")
    with pytest.raises(CoursemillError, match=r"source/ps1/p.ipynb, line 1, column 12: .*no JSON"):
        courses.worksheet(Config(tmp_path), "ps1")
    for text, said in (
        ('{"cells": [4]}', "cell 1: it is no cell"),
        ('{"cells": [{"metadata": 4}]}', "cell 1: it is no cell"),
        ('{"cells": [{"source": {}}]}', "cell 1: its source is no text"),
        ('{"cells": [], "metadata": null}', "its metadata are broken"),
        ('{"cells": [], "metadata": {"kernelspec": null}}', "its metadata are broken"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CoursemillError, match=said):
            courses.worksheet(Config(tmp_path), "ps1")


@pytest.mark.nbgrader
def test_a_release_of_a_stock_course_with_everything(tmp_path: Path) -> None:
    """Header, footer, odd marks, tests that nbgrader makes: what students get is what nbgrader gave them."""
    config = configured(
        tmp_path,
        "c.CourseDirectory.course_id = 'x'",
        "c.IncludeHeaderFooter.header = 'header.ipynb'",
        "c.IncludeHeaderFooter.footer = 'footer.ipynb'",
        "c.ClearSolutions.begin_solution_delimeter = '#<'",
        "c.ClearSolutions.end_solution_delimeter = '#>'",
        "c.ClearSolutions.code_stub = {'python': 'pass'}",
        "c.ClearHiddenTests.begin_test_delimeter = 'vvv'",
        "c.ClearHiddenTests.end_test_delimeter = '^^^'",
    )
    write(tmp_path / "header.ipynb", cell("# Rules", kind="markdown"), cell("import math", "top", locked=True))
    write(tmp_path / "footer.ipynb", cell("Thanks.", kind="markdown"))
    notebook = write(
        tmp_path / "source" / "ps1" / "p.ipynb",
        cell("def f():\n    #< here\n    return 1\n    #>", "f", solution=True),
        cell("x = 3", "x", solution=True),
        cell("assert f()\n# vvv\nassert f() == 1\n# ^^^", "t", grade=True, locked=True, points=1),
        cell("### AUTOTEST x\n# vvv\nassert x\n# ^^^", "auto", grade=True, locked=True, points=2),
        cell("Words", "w", "markdown", grade=True, solution=True, points=1),
    )
    tests = {
        "python3": {
            "success": "print('ok')",
            "test": 'assert {{snippet}} == {{value}}, "{{message}}"',
            "templates": {"default": [{"test": "{{snippet}}", "fail": "wrong"}]},
            "dispatch": "type({{snippet}})",
            "normalize": "str({{snippet}})",
            "check": 'assert str({{snippet}}) == "{{value}}", "{{message}}"',
        }
    }
    (tmp_path / "autotests.yml").write_text(json.dumps(tests), encoding="utf-8")
    with pytest.raises(CoursemillError, match=r"p.ipynb, cell 4.*AUTOTEST"):
        courses.worksheet(config, "ps1")
    stock(tmp_path, "generate_assignment", "ps1")
    (made,) = courses.worksheet(config, "ps1").assignments
    released = nbformat.read(tmp_path / "release" / "ps1" / "p.ipynb", as_version=4)
    assert [item.released for item in made.items] == [one.source for one in released.cells]
    test = next(item for item in made.items if item.id == "auto")
    assert "AUTOTEST" not in test.source
    assert test.hidden
    assert made.items[0].place == "header.ipynb, cell 1"
    assert made.items[2].place == "source/ps1/p.ipynb, cell 1"
    assert made.items[-1].place == "footer.ipynb, cell 1"
    assert notebook.is_file()


@pytest.mark.nbgrader
def test_a_merged_submission_has_what_stock_autograde_keeps(tmp_path: Path) -> None:
    """Labelled cells of an honest but clumsy submission: sources, types and order."""
    config = configured(
        tmp_path,
        "c.CourseDirectory.course_id = 'x'",
        "c.Autograde.autograde_preprocessors = []",
        "c.OverwriteCells.add_missing_cells = True",
    )
    write(
        tmp_path / "source" / "ps1" / "p.ipynb",
        cell("# Title", kind="markdown"),
        cell("DATA = 1", "setup", locked=True),
        cell("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", "f", solution=True),
        cell("assert f()\n### BEGIN HIDDEN TESTS\nassert 1\n### END HIDDEN TESTS", "t", grade=True, points=1),
        cell("words", "w", "markdown", grade=True, solution=True, points=1),
        cell("code", "m", grade=True, solution=True, points=1),
        cell("Do.\nBEGIN MARK SCHEME\n1\nEND MARK SCHEME", "task", "markdown", task=True, locked=True, points=1),
        cell("end = 1"),
    )
    stock(tmp_path, "generate_assignment", "ps1")
    given = nbformat.read(tmp_path / "release" / "ps1" / "p.ipynb", as_version=4)
    title, setup, f, t, w, m, task, end = given.cells
    setup.source, f.source, t.source = "DATA = 2", "def f(): return 2", "assert True"
    w.source, m.source, task.source = "My words.", "mine()", "Done."
    answer = new_markdown_cell("Here is what I did.")
    cells = [title, setup, new_code_cell("helper = 1"), f, t, w, m, task, answer, end, new_code_cell("last")]
    path = tmp_path / "submitted" / "ann" / "ps1" / "p.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells, metadata=given.metadata), path)
    stock(tmp_path, "autograde", "ps1")
    graded = nbformat.read(tmp_path / "autograded" / "ann" / "ps1" / "p.ipynb", as_version=4)
    (made,) = courses.worksheet(config, "ps1").assignments
    merged = merge.merge(made, intake.notebook(path.read_bytes()).notebook)
    assert [(one.type, one.source) for one in merged.cells] == [(one.cell_type, one.source) for one in graded.cells]
    assert {note.cell for note in merged.notes if note.kind == "edited"} == {"setup", "t", "task"}
