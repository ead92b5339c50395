import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.errors import CoursemillError
from coursemill.pure.grading import lms
from coursemill.pure.grading.lms import Format, Grade

GRADES = (
    Grade("ada", 12.5, 20, "Ada", "Lovelace", "ada@uni.example", "901"),
    Grade("bob", 1 / 3, 20, "Bob", "=cmd|' /C calc'!A0"),
    Grade("cyd", None, 20),
)
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Quiz 1 (77),WS Web (1234),Current Score
,,,,,,Manual Posting,
    Points Possible,,,,,5,100,(read only)
"Lovelace, Ada",901,S1,ada@uni.example,Group A,4,,80
"Builder, Bob",902,S2,bob,Group B,5,3,90
"Other, Olga",903,S3,olga,Group B,5,3,90
"Student, Test",904,,9f8e,Group A,,,
"""
WORKSHEET = """Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 901,Ada Lovelace,M1,ada@uni.example,Submitted,,10.00,Yes,"Monday, 2 June",-,
Participant 902,Bob Builder,M2,bob@uni.example,Submitted,3.00,10.00,Yes,-,-,=2+2
Participant 903,Olga Other,M3,olga@uni.example,No submission,-,10.00,Yes,-,-,
"""


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_canvas_without_a_roster() -> None:
    assert rows(lms.export("canvas", "WS_Web", GRADES).text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "WS_Web"],
        ["    Points Possible", "", "", "", "", "20"],
        ["Lovelace, Ada", "901", "", "ada", "", "12.5"],
        ["'=cmd|' /C calc'!A0, Bob", "", "", "bob", "", "0.33"],
        ["cyd", "", "", "cyd", "", ""],
    ]


def test_canvas_with_its_own_export() -> None:
    made = lms.export("canvas", "WS_Web", GRADES, CANVAS)
    assert rows(made.text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "WS Web (1234)"],
        ["    Points Possible", "", "", "", "", "100"],
        ["Lovelace, Ada", "901", "S1", "ada@uni.example", "Group A", "62.5"],
        ["Builder, Bob", "902", "S2", "bob", "Group B", "1.67"],
        ["Other, Olga", "903", "S3", "olga", "Group B", ""],
        ["Student, Test", "904", "", "9f8e", "Group A", ""],
    ]
    assert made.unmatched == ("cyd",)
    assert made.notes == ("the LMS counts to 100, the worksheet to 20: grades are scaled",)


def test_canvas_makes_a_new_column_where_it_has_none() -> None:
    made = lms.export("canvas", "WS_New", GRADES[:1], CANVAS.replace(",", ";"))
    assert rows(made.text)[0][-1] == "WS_New"
    assert rows(made.text)[1][-1] == "20"
    assert made.notes == ("the export has no column `WS_New`: Canvas will ask what to make of it",)


def test_moodle_without_a_roster() -> None:
    assert rows(lms.export("moodle", "WS_Web", GRADES[:1]).text) == [
        ["Username", "First name", "Last name", "ID number", "Email address", "WS_Web"],
        ["ada", "Ada", "Lovelace", "901", "ada@uni.example", "12.5"],
    ]


def test_moodle_with_its_grading_worksheet() -> None:
    made = lms.export("moodle", "WS_Web", [Grade("902", 20, 20), Grade("ada", 5, 20)], WORKSHEET)
    found = rows(made.text)
    assert "Feedback comments" not in found[0]
    assert [(row[0], row[5], row[6], row[9]) for row in found[1:]] == [
        ("Participant 901", "2.5", "10.00", "-"),
        ("Participant 902", "10", "10.00", "-"),
        ("Participant 903", "-", "10.00", "-"),
    ]
    assert made.unmatched == ()


def test_moodle_with_its_gradebook() -> None:
    gradebook = (
        "First name\tLast name\tEmail address\tQuiz\nAda\tLovelace\tada@uni.example\t3\nBob\tBuilder\tb@x.example\t\n"
    )
    found = rows(lms.export("moodle", "WS", [Grade("builderbob", 7, 20), GRADES[0]], gradebook).text)
    assert found == [
        ["First name", "Last name", "Email address", "WS"],
        ["Ada", "Lovelace", "ada@uni.example", "12.5"],
        ["Bob", "Builder", "b@x.example", "7"],
    ]


def test_two_of_one_name_get_nobodys_grade() -> None:
    twins = CANVAS.replace("Other, Olga", "Lovelace, Ada").replace('Lovelace, Ada",901', 'Lovelace, Ada",905')
    made = lms.export("canvas", "WS_Web", [Grade("lovelaceada", 1, 20)], twins)
    assert made.unmatched == ("lovelaceada",)


def test_nbgrader_has_nbgraders_columns() -> None:
    late = Grade("ada", 10, 20, "Ada", "Lovelace", "ada@uni.example", penalty=2.5, handed="2026-01-02 03:04:05")
    header, row = rows(lms.export("nbgrader", "WS", [late]).text)
    assert dict(zip(header, row, strict=True)) == {
        "assignment": "WS",
        "duedate": "",
        "timestamp": "2026-01-02 03:04:05",
        "student_id": "ada",
        "last_name": "Lovelace",
        "first_name": "Ada",
        "email": "ada@uni.example",
        "raw_score": "12.5",
        "late_submission_penalty": "2.5",
        "score": "10",
        "max_score": "20",
    }


@pytest.mark.parametrize("form", ["canvas", "moodle"])
@pytest.mark.parametrize("roster", ["", "a,b\n1,2\n", "Student\n", '"', "x" * 200_000])
def test_what_is_no_roster_is_refused(form: Format, roster: str) -> None:
    with pytest.raises(CoursemillError, match="list of students"):
        lms.export(form, "WS", GRADES, roster)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (-0.0, "0"), (10, "10"), (1 / 3, "0.33"), (1234567.5, "1234567.5"), (None, "")]
)
def test_numbers_are_the_same_everywhere(value: float | None, text: str) -> None:
    assert lms.number(value) == text


@given(st.text(max_size=20))
def test_no_text_becomes_a_formula(text: str) -> None:
    made = lms.export("canvas", "WS", [Grade(text, 1, 1, text, text, text)]).text
    for row in rows(made):
        assert all(len(cell) < 2 or cell.lstrip()[:1] not in lms.FORMULA or cell == lms.POINTS for cell in row)
