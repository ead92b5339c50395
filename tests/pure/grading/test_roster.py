"""Who is in a class."""

import pytest

from coursemill.errors import CoursemillError
from coursemill.pure.grading import roster
from coursemill.pure.grading.roster import Roster, person

GRADEBOOK = Roster((person("jdoe", "Jane", "Doe", keys=("jane@x.org",), lms="55"), person("bob", "Bob", "Roe")))

MOODLE = """\
Identifier,"Full name","Email address",Status,Grade
"Participant 1234567","Jane Doe",jane@x.org,Submitted,
"Teilnehmer/in 1234568","Bob Roe",bob@x.org,Submitted,
"""
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,WS1 (77)
    Points Possible,,,,,10
"Doe, Jane",55,s-1,jdoe,A,
"Roe, Bob",56,s-2,broe,A,
"Student, Test",57,,,A,
"""
NBGRADER = "id,first_name,last_name,email,lms_user_id\njdoe,Jane,Doe,jane@x.org,55\n"


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ({"key": "jdoe"}, "jdoe"),
        ({"key": "JDOE"}, "jdoe"),
        ({"key": "Jane@X.org"}, "jdoe"),
        ({"name": "Jane  Doe"}, "jdoe"),
        ({"name": "DOE JANE"}, "jdoe"),
        ({"name": "doejane", "lms": "99"}, "jdoe"),
        ({"lms": "55", "name": "Somebody Else"}, "jdoe"),
        ({"key": "Doe Jane"}, "jdoe"),
        ({"name": "Jane"}, ""),
        ({}, ""),
    ],
)
def test_people_are_found(asked: dict[str, str], id: str) -> None:
    assert GRADEBOOK.find(**asked) == id


def test_two_of_one_name_are_not_told_apart_by_it() -> None:
    class_ = Roster((person("j1", "Jane", "Doe"), person("j2", "Jane", "Doe")))
    assert class_.find(name="Jane Doe") == ""
    assert class_.find(name="Jane Doe", key="j2") == "j2"


def test_moodles_list_knows_its_numbers() -> None:
    found = roster.read(MOODLE)
    assert found.find(lms="1234567", name="") == "jane@x.org"
    assert found.find(lms="1234568") == "bob@x.org"


def test_the_gradebooks_ids_go_first() -> None:
    found = GRADEBOOK + roster.read(MOODLE, GRADEBOOK)
    assert found.find(lms="1234567") == "jdoe"
    assert found.find(lms="1234568") == "bob"


def test_canvas_gradebook() -> None:
    found = roster.read(CANVAS)
    assert found.find(lms="55") == "jdoe"
    assert found.find(name="roebob") == "broe"
    assert len(found.people) == 2


@pytest.mark.parametrize(
    "text",
    [
        NBGRADER,
        "\ufeff" + NBGRADER,
        NBGRADER.replace(",", ";"),
        NBGRADER.replace(",", "\t"),
        "Email address,Username,Surname,First name\njane@x.org,jdoe,Doe,Jane\n",
        "student_id,name\njdoe,Jane Doe\n",
        'name,login\n"Doe, Jane",jdoe\n',
    ],
)
def test_columns_are_found_in_any_list(text: str) -> None:
    found = roster.read(text)
    assert found.find(key="jdoe") == found.find(name="Jane Doe") == "jdoe"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column"),
        ("a,b\n1,2\n", "no column"),
        ("id,first_name\n../x,Eve\n", r"students.csv:2: `\.\./x` is no id"),
        ('id\n"' + "x" * 200_000, "no table"),
    ],
)
def test_a_list_that_cannot_be_used_is_an_error(text: str, said: str) -> None:
    with pytest.raises(CoursemillError, match=said):
        roster.read(text)
