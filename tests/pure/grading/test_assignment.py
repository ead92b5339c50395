"""An instructor's notebook as grading sees it."""

import json
from pathlib import Path
from typing import Any

import pytest

from coursemill.errors import CoursemillError
from coursemill.pure.grading import assignment
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.released import Regions, Rules

ROOT = Path(__file__).parents[3]
SOURCES = sorted(ROOT.glob("source/*/*.ipynb"))


def cell(source: str, kind: str = "code", name: str = "", **about: Any) -> dict[str, Any]:
    grading = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "grade_id": name, **about}
    return {"cell_type": kind, "source": source, "metadata": {"nbgrader": grading} if name else {}}


def read(*cells: dict[str, Any], rules: Rules | None = None, language: str = "python", **more: Any) -> Assignment:
    metadata = {"kernelspec": {"name": "k", "display_name": "K", "language": language}}
    return assignment.read({"cells": list(cells), "metadata": metadata}, "WS", "N", rules, **more)


def only(made: dict[str, Any], **more: Any) -> Item:
    (item,) = read(made, **more).items
    return item


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_what_students_got_is_what_stands_in_release(path: Path) -> None:
    made = assignment.read(json.loads(path.read_text(encoding="utf-8")), path.parent.name, path.stem)
    release = json.loads((ROOT / "release" / path.relative_to(ROOT / "source")).read_text(encoding="utf-8"))
    assert [item.released for item in made.items] == ["".join(one["source"]) for one in release["cells"]]
    assert [item.id for item in made.items] == [one["id"] for one in release["cells"]]
    assert sum(item.points for item in made.items) > 10
    assert all(item.place.startswith("notes/") for item in made.items)
    assert any(item.lines for item in made.tests)


@pytest.mark.parametrize(
    ("made", "role"),
    [
        (cell("x"), "given"),
        (cell("x", "markdown"), "prose"),
        (cell("x", "raw"), "prose"),
        (cell("x", name="a", locked=True), "given"),
        (cell("x", "markdown", name="a", locked=True), "prose"),
        (cell("x", name="a", solution=True), "answer"),
        (cell("x", name="a", solution=True, locked=True), "answer"),
        (cell("x", name="a", solution=True, grade=True, points=1), "written"),
        (cell("x", "markdown", name="a", solution=True, grade=True, points=1), "written"),
        (cell("x", name="a", grade=True, locked=True, points=1), "test"),
        (cell("x", "markdown", name="a", task=True, locked=True, points=1), "task"),
    ],
)
def test_roles(made: dict[str, Any], role: str) -> None:
    assert only(made).role == role


def test_a_hidden_region_has_line_numbers_and_is_not_released() -> None:
    source = "assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS\nassert f(3)"
    item = only(cell(source, name="t", grade=True, locked=True, points=2.5))
    assert (item.hidden, item.points, item.source) == ({2, 3, 4}, 2.5, source)
    assert item.released == "assert f(1)\nassert f(3)"


def test_delimiters_and_stubs_are_the_courses_own() -> None:
    rules = Rules(
        Regions("<sol>", "</sol>"), Regions("<hid>", "</hid>"), stubs={"R": "stop('no')"}, text="write here\nplease"
    )
    code = cell("f <- function() {\n  # <sol>\n  1\n  # </sol>\n}", name="a", solution=True)
    prose = cell("the answer", "markdown", name="b", solution=True, grade=True, points=1)
    test = cell("f()\n# <hid>\nf(2)\n# </hid>", name="c", grade=True, points=1)
    made = read(code, prose, test, rules=rules, language="R")
    assert [item.released for item in made.items] == [
        "f <- function() {\n  stop('no')\n}",
        "write here\nplease",
        "f()",
    ]
    assert (made.language, made.kernel) == ("R", "k")


def test_old_metadata_are_brought_up_to_date() -> None:
    for version in ({}, {"schema_version": 0}, {"schema_version": 1}, {"schema_version": 2}):
        one = {"cell_type": "code", "source": "assert x", "metadata": {"nbgrader": {"grade": True, "grade_id": "t"}}}
        one["metadata"]["nbgrader"] |= {"points": 3, "checksum": "0" * 32, "height": 5, **version}  # type: ignore[index]
        item = only(one)
        grading = item.metadata["nbgrader"]
        assert (item.role, item.points, grading["schema_version"]) == ("test", 3.0, 3)
        assert "height" not in grading
        assert not grading["solution"]


def test_the_first_metadata_had_points_as_they_were_typed() -> None:
    one = {"cell_type": "code", "source": "assert x", "metadata": {"nbgrader": {"grade": True, "grade_id": "t"}}}
    for typed, points in (("", 0.0), ("2.5", 2.5), (-1, 0.0)):
        one["metadata"]["nbgrader"]["points"] = typed  # type: ignore[index]
        assert only(one).points == points


def test_cells_without_grading_have_ids_too() -> None:
    made = read(
        cell("a") | {"id": "mine"},
        cell("b") | {"id": "taken"},
        cell("c"),
        cell("d", name="taken", locked=True),
        cell("e", name="cell-3", locked=True),
        cell("f") | {"id": "mine"},
    )
    assert [item.id for item in made.items] == ["mine", "cell-2", "cell-3-0", "taken", "cell-3", "cell-6"]
    assert [item.cell for item in made.items] == ["mine", "taken", "", "", "", "mine"]


def test_places_are_the_notebooks_or_the_notes() -> None:
    note = cell("x\ny")
    note["metadata"] = {"coursemill": {"source": "notes/N.md:4-9", "lines": "5,0"}}
    wrong = cell("x\ny")
    wrong["metadata"] = {"coursemill": {"source": 4, "lines": "5-7"}}
    made = read(note, wrong)
    assert [(item.place, item.lines) for item in made.items] == [
        ("notes/N.md:4-9", (5, 0)),
        ("source/WS/N.ipynb, cell 2", ()),
    ]
    assert [item.place for item in read(note, wrong, places=("a", "b")).items] == ["notes/N.md:4-9", "b"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([cell("x", name="a", locked=True), cell("y", name="a", solution=True)], "cell 2: the id `a` is that of"),
        ([cell("### BEGIN SOLUTION", name="a", solution=True)], "has no `END SOLUTION`"),
        ([cell("### BEGIN SOLUTION\n### BEGIN SOLUTION", name="a", solution=True)], "in line 2 stands inside"),
        ([cell("### BEGIN SOLUTION\n### END SOLUTION")], "a cell that is no answer"),
        ([cell("### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS", name="a", locked=True)], "only in a graded cell"),
        ([cell("BEGIN MARK SCHEME\nEND MARK SCHEME", "markdown")], "only in a task cell"),
        (
            [cell("BEGIN MARK SCHEME\n![](attachment:a)\nEND MARK SCHEME", "markdown", "a", task=True, points=1)],
            "line 2 shows an attachment",
        ),
        ([cell("x", name="a b", locked=True)], "'a b'"),
        ([cell("x", name="a", grade=True)], "the points of `a` are None"),
        ([cell("x", name="a", grade=True, points=float("nan"))], "nan"),
        ([cell("x", "markdown", name="a", grade=True, points=1)], "an answer that a person grades"),
        ([cell("x", "markdown", name="a", solution=True)], "an answer that a person grades"),
        ([cell("x", name="a", task=True, points=1)], "a task cell must be Markdown"),
        ([cell("x", name="a", schema_version=4, locked=True)], "version 4"),
    ],
)
def test_what_nbgrader_refuses_is_refused_with_the_place(made: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(CoursemillError) as caught:
        read(*made)
    assert said in str(caught.value)
    assert caught.value.where.startswith("source/WS/N.ipynb, cell ")
    assert caught.value.fix


def test_a_language_without_a_stub_is_refused() -> None:
    with pytest.raises(CoursemillError, match="no stub for the language `julia`"):
        read(cell("x"), language="julia")


def test_tests_that_nbgrader_makes_are_taken_from_what_it_made() -> None:
    one = cell("### AUTOTEST f(1)", name="t", grade=True, points=1)
    with pytest.raises(CoursemillError, match="generate_assignment"):
        read(one)
    made = "assert f(1) == 2\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS"
    item = only(one, instantiated={"t": made})
    assert (item.source, item.released, item.hidden) == (made, "assert f(1) == 2", {2, 3, 4})
    assert only(cell("x = 'AUTOTEST'", name="t", grade=True, points=1)).source == "x = 'AUTOTEST'"
    assert only(one, rules=Rules(autotests="")).source == "### AUTOTEST f(1)"
