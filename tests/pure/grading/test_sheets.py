"""Which notebook a file is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import sheets
from coursemill.pure.grading.sheets import Sheet

SHEET = Sheet(
    "WS 1",
    {
        "Intro to it": frozenset({"a-1", "a-2", "same"}),
        "nb-1": frozenset({"b-1", "same"}),
        "nb-2": frozenset({"c-1"}),
        "Äpfel": frozenset(),
    },
)


@pytest.mark.parametrize(
    ("name", "notebook"),
    [
        ("Intro to it.ipynb", "Intro to it"),
        ("intro_TO_it.ipynb", "Intro to it"),
        ("Intro to it (2).ipynb", "Intro to it"),
        ("Intro+to+it-1.ipynb", "Intro to it"),
        ("Intro%20to%20it.ipynb", "Intro to it"),
        ("Intro to it - Copy.ipynb", "Intro to it"),
        ("Intro to it-Copy1.ipynb", "Intro to it"),
        ("Intro to it copy 2.ipynb", "Intro to it"),
        ("Intro_to_it_v2_final.ipynb", "Intro to it"),
        ("Intro to it.ipynb.txt", "Intro to it"),
        ("nb-1.ipynb", "nb-1"),
        ("nb-2.ipynb", "nb-2"),
        ("nb-2-1.ipynb", "nb-2"),
        ("nb-1 (1).ipynb", "nb-1"),
        ("A\u0308pfel.ipynb", "Äpfel"),
        ("apfel.ipynb", "Äpfel"),
        ("nb.ipynb", ""),
        ("nb-3.ipynb", ""),
        ("Untitled.ipynb", ""),
        ("!!!.ipynb", ""),
        (".ipynb", ""),
    ],
)
def test_a_name_says_which_notebook_it_is(name: str, notebook: str) -> None:
    assert sheets.by_name(name, SHEET) == notebook


@pytest.mark.parametrize(
    ("name", "student", "notebook"),
    [
        ("jane_nb-1.ipynb", "jane", "nb-1"),
        ("jane_doe_Intro to it (2).ipynb", "jane_doe", "Intro to it"),
        ("nb-2_jane.ipynb", "jane", "nb-2"),
        ("jane.doe@x.org-nb-1.ipynb", "jane.doe@x.org", "nb-1"),
        ("jane.ipynb", "", ""),
        ("nb-1.ipynb", "", ""),
    ],
)
def test_a_name_says_whose_it_is(name: str, student: str, notebook: str) -> None:
    assert sheets.split(name, SHEET) == (student, notebook)


def test_the_worksheet_stands_for_its_only_notebook() -> None:
    assert sheets.split("jane_ws1.zip", Sheet("WS 1", {"nb": frozenset()})) == ("jane", "nb")


def notebook(*ids: str) -> bytes:
    cells = [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": id}}, "source": "x"} for id in ids]
    return json.dumps({"cells": cells}, indent=1).encode()


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (("a-1",), "Intro to it"),
        (("a-1", "a-2", "b-1"), "Intro to it"),
        (("c-1", "other"), "nb-2"),
        (("same",), ""),
        (("a-1", "b-1"), ""),
        (("other",), ""),
        ((), ""),
    ],
)
def test_cells_say_which_notebook_it_is(ids: tuple[str, ...], found: str) -> None:
    assert sheets.by_cells(notebook(*ids), SHEET) == found


def test_an_id_in_a_text_is_no_cell() -> None:
    content = json.dumps({"cells": [{"source": '{"grade_id": "a-1"}'}]}).encode()
    assert sheets.by_cells(content, SHEET) == ""


@given(st.text(max_size=300))
def test_any_name_has_an_answer(name: str) -> None:
    assert sheets.by_name(name, SHEET) in {"", *SHEET.notebooks}
    student, found = sheets.split(name, SHEET)
    assert found in {"", *SHEET.notebooks}
    assert student in name
