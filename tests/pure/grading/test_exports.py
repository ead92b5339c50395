"""Whose the files of an export are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import exports, gradescope
from coursemill.pure.grading.exports import Clues, Placed
from coursemill.pure.grading.gradescope import Submission, Submitter
from coursemill.pure.grading.sheets import Sheet

SHEET = Sheet("WS1", {"nb": frozenset({"a"}), "other": frozenset({"b"})})
WHEN = "2024-01-31 12:00:00.000000 UTC"


def place(*paths: str, **clues: object) -> dict[str, str]:
    """Path → `owner: inner path`, or the reason."""
    found = exports.place([tuple(path.split("/")) for path in paths], Clues(SHEET, **clues))  # type: ignore[arg-type] # as a test writes them
    return {path: said(one) for path, one in zip(paths, found, strict=True)}


def said(placed: Placed) -> str:
    owners = "+".join(owner.shown for owner in placed.owners)
    return f"{owners}: {'/'.join(placed.inner)}" if owners else f"({placed.reason})"


def test_moodle_with_folders() -> None:
    assert place(
        "Jane Doe_12_assignsubmission_file_/nb.ipynb",
        "Jane Doe_12_assignsubmission_file_/data/x.csv",
        "Jane Doe_12_assignsubmission_onlinetext_/onlinetext.html",
        "Bob van Roe_13_assignsubmission_file/nb.ipynb",
    ) == {
        "Jane Doe_12_assignsubmission_file_/nb.ipynb": "Jane Doe: nb.ipynb",
        "Jane Doe_12_assignsubmission_file_/data/x.csv": "Jane Doe: data/x.csv",
        "Jane Doe_12_assignsubmission_onlinetext_/onlinetext.html": "(it is text that was typed in, and no file)",
        "Bob van Roe_13_assignsubmission_file/nb.ipynb": "Bob van Roe: nb.ipynb",
    }


def test_moodle_without_folders() -> None:
    assert place(
        "Jane Doe_12_assignsubmission_file_nb.ipynb",
        "Jane Doe_12_assignsubmission_file_Bob Roe_13_assignsubmission_file_nb.ipynb",
        "Bob Roe_13_assignsubmission_onlinetext_onlinetext.html",
    ) == {
        "Jane Doe_12_assignsubmission_file_nb.ipynb": "Jane Doe: nb.ipynb",
        "Jane Doe_12_assignsubmission_file_Bob Roe_13_assignsubmission_file_nb.ipynb": (
            "Jane Doe: Bob Roe_13_assignsubmission_file_nb.ipynb"
        ),
        "Bob Roe_13_assignsubmission_onlinetext_onlinetext.html": "(it is text that was typed in, and no file)",
    }


def test_canvas() -> None:
    found = exports.place(
        [("doejane_LATE_55_1001_nb-1.ipynb",), ("roebob_56_1002_my_work_1_2.ipynb",), ("roebob_56_text.html",)],
        Clues(SHEET),
    )
    assert [said(one) for one in found] == [
        "doejane: nb-1.ipynb",
        "roebob: my_work_1_2.ipynb",
        "(it is text that was typed in, and no file)",
    ]
    assert found[0].order == 1001
    assert found[0].owners[0].lms == "55"
    assert said(exports.place([("anon_aB3_77_nb.ipynb",)], Clues(SHEET))[0]) == "anon_aB3: nb.ipynb"


def test_gradescope() -> None:
    about = {
        "submission_1": Submission((Submitter("Jane", "s1", "j@x"),)),
        "submission_2": Submission((Submitter("A", "s2"), Submitter("B", "s3"))),
    }
    paths = [
        "assignment_9_export/submission_metadata.yml",
        "assignment_9_export/submission_1/nb.ipynb",
        "assignment_9_export/submission_2/submission_1/nb.ipynb",
        "assignment_9_export/submission_2/submission_metadata.yml",
        "assignment_9_export/submission_3/nb.ipynb",
    ]
    assert exports.metadata([tuple(path.split("/")) for path in paths]) == 0
    assert list(place(*paths, submissions=about).values()) == [
        "(it is Gradescope's own)",
        "Jane: nb.ipynb",
        "A+B: submission_1/nb.ipynb",
        "A+B: submission_metadata.yml",
        "(submission_metadata.yml does not say whose it is)",
    ]


def test_a_student_does_not_write_gradescopes_file() -> None:
    paths = [("submission_1", "submission_metadata.yml"), ("submission_1", "nb.ipynb")]
    assert exports.metadata(paths) is None


def test_the_exchange() -> None:
    found = exports.place(
        [
            (f"jane+WS1+{WHEN}+abc", "nb.ipynb"),
            (f"a+b+WS1+{WHEN.replace(':', '_')}", "nb.ipynb"),
            (f"x+WS2+{WHEN}", "y"),
        ],
        Clues(SHEET),
    )
    assert [said(one) for one in found] == ["jane: nb.ipynb", "a+b: nb.ipynb", "(it is of another worksheet)"]
    assert found[0].when == found[1].when is not None


@pytest.mark.parametrize("root", ["", "submitted/", "course/submitted/"])
def test_submitted(root: str) -> None:
    paths = ["jane/WS1/nb.ipynb", "jane/WS1/data/x.csv", "bob/WS1/nb.ipynb", "bob/WS2/nb.ipynb"]
    assert list(place(*(root + path for path in paths)).values()) == [
        "jane: nb.ipynb",
        "jane: data/x.csv",
        "bob: nb.ipynb",
        "(it is of another worksheet)",
    ]


def test_submitted_by_one_student() -> None:
    assert list(place("submitted/jane/WS1/nb.ipynb").values()) == ["jane: nb.ipynb"]


def test_a_folder_for_each_student() -> None:
    assert list(place("x/jane/nb.ipynb", "x/bob/work/nb.ipynb", "x/readme.txt", "x/eve_nb.ipynb").values()) == [
        "jane: nb.ipynb",
        "bob: work/nb.ipynb",
        "readme: readme.txt",
        "eve: eve_nb.ipynb",
    ]


def test_what_a_student_names_does_not_make_it_anothers() -> None:
    assert list(
        place(
            "jane/nb.ipynb",
            "eve/Jane Doe_12_assignsubmission_file_/nb.ipynb",
            "eve/jane/WS1/nb.ipynb",
            f"eve/jane+WS1+{WHEN}/nb.ipynb",
            "eve/submitted/jane/WS1/nb.ipynb",
        ).values()
    ) == [
        "jane: nb.ipynb",
        "eve: Jane Doe_12_assignsubmission_file_/nb.ipynb",
        "eve: jane/WS1/nb.ipynb",
        f"eve: jane+WS1+{WHEN}/nb.ipynb",
        "eve: submitted/jane/WS1/nb.ipynb",
    ]
    assert set(place("eve/nb.ipynb", "eve/jane/nb.ipynb", "eve/bob/nb.ipynb").values()) == {
        "eve: nb.ipynb",
        "eve: jane/nb.ipynb",
        "eve: bob/nb.ipynb",
    }
    alone = place("eve/Jane Doe_12_assignsubmission_file_/nb.ipynb", is_known=lambda text: text == "eve")
    assert list(alone.values()) == ["eve: Jane Doe_12_assignsubmission_file_/nb.ipynb"]


def test_one_archive_of_one_student() -> None:
    assert list(place("nb.ipynb", "x.csv", source="jane").values()) == ["jane: nb.ipynb", "jane: x.csv"]
    assert list(place("WS1/nb.ipynb", source="jane_WS1").values()) == ["jane: nb.ipynb"]
    assert list(place("jane/nb.ipynb", source="WS1").values()) == ["jane: nb.ipynb"]
    assert list(place("Untitled.ipynb", source="jane").values()) == ["jane: Untitled.ipynb"]
    assert "does not say whose" in place("nb.ipynb", source="WS1")["nb.ipynb"]


def test_flat_files_and_archives() -> None:
    assert list(place("jane_nb.ipynb", "bob-nb (1).ipynb", "eve.zip", "ann_WS1.tar.gz").values()) == [
        "jane: jane_nb.ipynb",
        "bob: bob-nb (1).ipynb",
        "eve: eve.zip",
        "ann: ann_WS1.tar.gz",
    ]


def test_a_pattern() -> None:
    pattern = re.compile(r".*?(?P<last_name>\w+)-(?P<student_id>\d+)-(?P<timestamp>[\d-]+)-(?P<file_id>\w+)")
    found = exports.place(
        [("x", "doe-42-2016-01-30-15-00-00-nb.ipynb"), ("readme.txt",)], Clues(SHEET, pattern=pattern)
    )
    assert said(found[0]) == "doe: doe-42-2016-01-30-15-00-00-nb.ipynb"
    assert (found[0].owners[0].key, found[0].notebook) == ("42", "nb")
    assert found[0].when
    assert found[1].harmless


PART = st.one_of(
    st.text(alphabet="ab_+12 ", min_size=1, max_size=6),
    st.sampled_from(["WS1", "nb.ipynb", "submitted", "J_1_assignsubmission_file_", "d_1_2_nb.ipynb", f"a+WS1+{WHEN}"]),
)


@given(st.lists(st.lists(PART, min_size=1, max_size=4).map(tuple), max_size=6), st.booleans())
def test_any_export_has_an_answer(paths: list[tuple[str, ...]], known: bool) -> None:
    found = exports.place(paths, Clues(SHEET, source="x", is_known=lambda _: known))
    assert len(found) == len(paths)
    for path, one in zip(paths, found, strict=True):
        assert bool(one.owners) != bool(one.reason)
        assert not one.owners or path[-1].endswith(one.inner[-1])


def test_gradescopes_file_is_read_as_far_as_it_matters() -> None:
    text = """\
---
submission_1:
  :submitters:
  - :name: "Jane: Doe"
    :sid: '0042'
    :email: jane@x.org
  :created_at: 2023-09-21 03:21:11.123456000 Z
  :score: 5.0
  :results:
    tests:
    - name: "submission_2:"
      output: |
        :submitters:
        - :name: Eve
  :history:
  - :id: 7
    :created_at: 2020-01-01 00:00:00 Z
submission_2:
  :submitters:
  - :name: Bob
    :sid:
    :email: bob@x.org
  - oops
  :created_at: never
submission_3:
  :submitters: {{{
other: 1
"""
    found = gradescope.read(text)
    assert found["submission_1"].submitters == (Submitter("Jane: Doe", "0042", "jane@x.org"),)
    assert str(found["submission_1"].when) == "2023-09-21 03:21:11.123456+00:00"
    assert found["submission_2"] == Submission((Submitter("Bob", "", "bob@x.org"),))
    assert found["submission_3"] == Submission()
    assert set(found) == {"submission_1", "submission_2", "submission_3"}


@given(st.text(alphabet=":submitters_1-\n {}[]&*'\"x", max_size=300))
def test_any_text_is_read(text: str) -> None:
    gradescope.read("submission_1:\n  :submitters:\n" + text)
