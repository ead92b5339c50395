import json

import pytest

from coursemill.pure.grading import attackers, merge, students
from coursemill.pure.grading.answers import Declared
from coursemill.pure.grading.assignment import Assignment, Item, read
from coursemill.pure.grading.dependence import apart
from coursemill.pure.grading.students import ORDER, Material, Student

BODY = "    found = html.strip()\n    return len(found) * 2"
PRICE = f"def price(html):\n    ### BEGIN SOLUTION\n{BODY}\n    ### END SOLUTION"
WRONG = Declared("wrong answer 1", "notes/N.md:9", 1.0, ("def price(html):\n    return 2",))


def _cell(name: str, source: str, **about: object) -> dict[str, object]:
    graded = {"grade_id": name, "schema_version": 3, "solution": False, "grade": False, "locked": False, "task": False}
    return {"cell_type": "code", "id": name, "metadata": {"nbgrader": graded | about}, "source": source, "outputs": []}


@pytest.fixture(scope="module")
def sheet() -> Assignment:
    cells = [
        _cell("price", PRICE, solution=True),
        _cell("t1", "assert price('a')", grade=True, locked=True, points=1),
        _cell(
            "t2",
            "### BEGIN HIDDEN TESTS\nassert price('a') == 2\n### END HIDDEN TESTS",
            grade=True,
            locked=True,
            points=3,
        ),
        _cell("base", "### BEGIN SOLUTION\nbase = 3\n### END SOLUTION", solution=True),
        _cell("t3", "assert base == 3", grade=True, locked=True, points=1),
        _cell("twice", "### BEGIN SOLUTION\ntwice = base * 2\n### END SOLUTION", solution=True),
        _cell("t4", "assert twice == 6", grade=True, locked=True, points=1),
    ]
    return read({"cells": cells, "metadata": {}}, "WS", "N")


@pytest.fixture(scope="module")
def material(sheet: Assignment) -> Material:
    return Material((sheet,), {"N/price": [WRONG]}, {"N/price": 0.0})


@pytest.fixture(scope="module")
def made(material: Material) -> tuple[Student, ...]:
    return students.students(material, 40, 1)


def test_the_same_seed_gives_the_same_class(material: Material, made: tuple[Student, ...]) -> None:
    assert students.students(material, 40, 1) == made
    assert students.students(material, 40, 2) != made


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 30, 200])
def test_a_class_has_as_many_as_are_wanted(material: Material, count: int) -> None:
    found = students.students(material, count, 7)
    assert len(found) == len({student.id for student in found}) == count
    assert found[0].kind == "solution"


def test_a_class_has_all_kinds(made: tuple[Student, ...]) -> None:
    kinds = [student.kind for student in made]
    assert set(kinds) == set(ORDER)
    assert kinds.count("regular") >= 15
    assert len({student.story for student in made if student.kind == "attack"}) >= 10
    assert {student.twin for student in made if student.kind == "copy"} <= {student.id for student in made}


def test_exercises_that_others_use_are_not_apart(sheet: Assignment) -> None:
    assert apart(sheet) == {"N/price", "N/twice"}
    file = Item("f", "answer", "code", "%%writefile a.py\nx = 1", "")
    assert apart(Assignment("WS", "N", (file, Item("t", "test", "code", "import a", "", 1)))) == frozenset()


def test_what_is_deserved_is_known(made: tuple[Student, ...]) -> None:
    full = {"N/price": 4, "N/base": 1, "N/twice": 1}
    assert made[0].deserves == full
    (foreseen,) = (student for student in made if student.kind == "foreseen")
    assert foreseen.deserves == full | {"N/price": 1.0}
    assert made[1].deserves == {"N/price": 0.0}
    assert all(student.bounded or student.deserves == full for student in made if student.kind == "attack")


def test_what_is_handed_in_is_an_nbgrader_notebook(sheet: Assignment, made: tuple[Student, ...]) -> None:
    import nbformat

    assert not any(b"BEGIN HIDDEN" in (student.notebooks["N"].content or b"") for student in made)
    copy = next(student for student in made if student.kind == "copy")
    for student in (made[1], copy):
        nbformat.validate(json.loads(student.notebooks["N"].content or b""))
    merged = merge.merge(sheet, json.loads(made[1].notebooks["N"].content or b""))
    assert not merged.notes
    assert set(merged.unanswered) == {"price", "base", "twice"}


def test_attackers_leave_the_notebook_that_they_got_alone(sheet: Assignment) -> None:
    whole = students.released(sheet)
    before = json.dumps(whole)
    for attack in attackers.attacks("python"):
        handed = attack.make(whole, sheet)
        assert json.dumps(whole) == before, attack.name
        assert handed.content != before.encode()
    assert {attack.name for attack in attackers.attacks("julia")} < {
        attack.name for attack in attackers.attacks("python")
    }
