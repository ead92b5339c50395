"""The instructor's notebook, with what students may write in it, and nothing else of theirs."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import assignment, intake, merge
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.merge import Merged, Placed

ROOT = Path(__file__).parents[3]
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
Cells = list[dict[str, Any]]


def cell(source: str, kind: str = "code", name: str = "", own: str = "", **about: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "source": source, "metadata": {}, "id": own or name or "x"}
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    if name:
        grading = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "grade_id": name}
        made["metadata"]["nbgrader"] = grading | about
    return made


SOURCE = [
    cell("# Lesson", "markdown", own="title"),
    cell("import math\nDATA = [1, 2]", name="setup", locked=True),
    cell("print(DATA)", own="show"),
    cell("def area(r):\n    ### BEGIN SOLUTION\n    return r\n    ### END SOLUTION", name="area", solution=True),
    cell(
        "assert area(1)\n### BEGIN HIDDEN TESTS\nassert area(2)\n### END HIDDEN TESTS",
        name="area-test",
        grade=True,
        locked=True,
        points=2,
    ),
    cell("total = 3", name="total", solution=True),
    cell("assert total == 3", name="total-test", grade=True, locked=True, points=1),
    cell("Because.", "markdown", name="why", solution=True, grade=True, points=2),
    cell("Draw it.\nBEGIN MARK SCHEME\n1 point\nEND MARK SCHEME", "markdown", "draw", task=True, locked=True, points=3),
    cell("", own="end"),
]


def instructor(cells: Cells | None = None) -> Assignment:
    return assignment.read({"cells": SOURCE if cells is None else cells, "metadata": {}}, "WS", "N")


def release(made: Assignment | None = None) -> Cells:
    """What students got: fresh values."""
    made = made or instructor()
    return [
        cell(item.released, item.type, own=item.cell or "x")
        | {"metadata": json.loads(json.dumps({"nbgrader": item.metadata.get("nbgrader", {})}))}
        for item in made.items
    ]


def merged(cells: Iterable[dict[str, Any]], made: Assignment | None = None, **metadata: Any) -> Merged:
    content = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return merge.merge(made or instructor(), intake.notebook(json.dumps(content).encode()).notebook)


def at(made: Merged, name: str) -> Placed:
    (found,) = [one for one in made.cells if one.id == name]
    return found


def told(made: Merged) -> list[tuple[str, str]]:
    return [(note.kind, note.cell) for note in made.notes]


def order(made: Merged) -> list[str]:
    return [one.id if one.item else one.source for one in made.cells]


NAMES = ["title", "setup", "show", "area", "area-test", "total", "total-test", "why", "draw", "end"]


def test_a_release_that_nobody_touched() -> None:
    made = merged(release())
    assert order(made) == NAMES
    assert made.notes == ()
    assert made.unanswered == ("area", "total", "why")
    assert at(made, "area-test").source == SOURCE[4]["source"]
    assert at(made, "draw").source == SOURCE[8]["source"]
    assert at(made, "area").source == f"def area(r):\n    {STUB.replace(chr(10), chr(10) + '    ')}"


def test_answers_are_the_students_and_added_cells_keep_their_place() -> None:
    cells = release()
    cells[3]["source"], cells[7]["source"] = "def area(r): return 4", "I think so."
    cells.insert(4, cell("helper = 1"))
    cells.insert(0, cell("first", "markdown"))
    cells.append(cell("last", "raw"))
    made = merged(cells)
    assert order(made) == ["first", *NAMES[:4], "helper = 1", *NAMES[4:], "last"]
    assert [one.id for one in made.cells if not one.item] == ["added-1", "added-2", "added-3"]
    assert at(made, "area").source == "def area(r): return 4"
    assert made.unanswered == ("total",)
    assert made.notes == ()


@pytest.mark.parametrize("number", range(len(SOURCE)))
def test_a_deleted_cell_is_back(number: int) -> None:
    cells = release()
    del cells[number]
    made = merged(cells)
    assert order(made) == NAMES
    assert told(made) == ([("restored", NAMES[number])] if number < 9 else [])


@pytest.mark.parametrize("number", [1, 2, 4, 6, 8])
def test_an_edited_cell_of_the_instructors_is_as_it_was(number: int) -> None:
    cells = release()
    cells[number]["source"] = "assert True  # mine"
    made = merged(cells)
    assert order(made) == NAMES
    assert at(made, NAMES[number]).source == SOURCE[number]["source"]
    assert told(made) == [("edited", NAMES[number])]


def test_blanks_at_the_ends_are_no_edit() -> None:
    cells = release()
    cells[4]["source"] += "\n \n"
    cells[3]["source"] += "\r\n"
    made = merged(cells)
    assert made.notes == ()
    assert "area" in made.unanswered


def test_what_is_written_into_prose_that_nothing_locks_is_an_added_cell() -> None:
    cells = release()
    cells[0]["source"] = "My answer to the question above."
    made = merged(cells)
    assert order(made) == [NAMES[0], "My answer to the question above.", *NAMES[1:]]
    assert at(made, NAMES[0]).source == SOURCE[0]["source"]
    assert made.notes == ()


def test_what_is_written_into_an_empty_cell_is_an_added_cell() -> None:
    cells = release()
    cells[9]["source"] = "scratch"
    made = merged(cells)
    assert order(made) == [*NAMES, "scratch"]
    assert made.notes == ()


def test_moved_cells_stand_in_their_place() -> None:
    cells = release()
    cells.insert(1, cells.pop(6))
    made = merged(cells)
    assert order(made) == NAMES
    assert told(made) == [("reordered", "total-test")]


def test_what_was_added_follows_its_cell_to_its_place() -> None:
    cells = release()
    cells[5]["source"] = "total = 1"
    moved = [cells.pop(5), cell("total += 2")]
    made = merged([cells[0], *moved, *cells[1:]])
    assert order(made) == [*NAMES[:6], "total += 2", *NAMES[6:]]


def test_of_doubled_answers_the_last_that_was_answered_counts() -> None:
    cells = release()
    one, two, three = (json.loads(json.dumps(cells[5])) for _ in range(3))
    one["source"], two["source"] = "total = 1", "total = 2"
    made = merged([*cells[:5], one, two, three, *cells[6:]])
    assert order(made) == [*NAMES[:5], "total = 1", "total", STUB, *NAMES[6:]]
    assert at(made, "total").source == "total = 2"
    assert told(made) == [("duplicated", "total")]


def test_a_copy_of_a_test_is_an_added_cell() -> None:
    cells = release()
    copy = json.loads(json.dumps(cells[4])) | {"source": "print('debug')", "id": "other"}
    made = merged([*cells[:4], copy, *cells[4:]])
    assert order(made) == [*NAMES[:4], "print('debug')", *NAMES[4:]]
    assert told(made) == [("duplicated", "area-test")]


def test_nothing_that_an_added_cell_claims_counts() -> None:
    cells = release()
    forged = cell("import os", name="area-test", own="area-test", grade=True, points=100, locked=True)
    forged["metadata"]["tags"] = ["skip-execution"]
    strange = cell("x", name="bonus", grade=True, points=100)
    made = merged([*cells, forged, strange])
    assert order(made) == [*NAMES, "import os", "x"]
    assert sum(one.item.points for one in made.cells if one.item) == 8
    assert told(made) == [("duplicated", "area-test"), ("metadata", "bonus")]


def test_tags_and_changed_data_are_dropped_and_noted() -> None:
    cells = release()
    cells[4]["metadata"]["tags"] = ["skip-execution", "raises-exception"]
    cells[6]["metadata"]["nbgrader"] |= {"grade": False, "solution": True}
    made = merged(cells)
    assert told(made) == [("metadata", "area-test"), ("metadata", "total-test")]
    assert "skip-execution" in made.notes[0].text
    assert "grade, solution" in made.notes[1].text
    assert at(made, "total-test").source == SOURCE[6]["source"]


def test_types_are_the_instructors() -> None:
    cells = release()
    cells[3] |= {"cell_type": "markdown", "source": "def area(r): return 4"}
    cells[4]["cell_type"] = "raw"
    cells[7] |= {"cell_type": "code", "source": "my words"}
    made = merged(cells)
    assert [(one.type, one.source) for one in made.cells if one.id in ("area", "area-test", "why")] == [
        ("code", "def area(r): return 4"),
        ("code", SOURCE[4]["source"]),
        ("markdown", "my words"),
    ]
    assert told(made) == [("edited", "area"), ("edited", "area-test"), ("edited", "why")]


def without(cells: Cells, *, ids: bool) -> Cells:
    """The cells as other editors leave them."""
    return [one | {"metadata": {}} | ({"id": "same"} if ids else {}) for one in cells]


def test_without_metadata_cells_are_known_by_the_formats_ids() -> None:
    cells = release()
    cells[3]["source"], cells[5]["source"], cells[7]["source"] = "area = math.sqrt", "total = 3", "So."
    made = merged(without([*cells[:5], cell("mine"), *cells[5:]], ids=False))
    assert order(made) == [*NAMES[:5], "mine", *NAMES[5:]]
    assert made.unanswered == ()
    assert told(made) == [("metadata", "")]


def test_colab_keeps_the_formats_ids_in_the_metadata() -> None:
    cells = release()
    cells[5]["source"] = "total = 3"
    for one in cells:
        one["metadata"] = {"id": one.pop("id")}
    made = merged(cells)
    assert order(made) == NAMES
    assert at(made, "total").source == "total = 3"


def test_without_any_ids_cells_are_known_by_their_text_and_place() -> None:
    cells = release()
    cells[3]["source"], cells[5]["source"], cells[7]["source"] = "def area(r): return 3", "t = 3", "So."
    made = merged(without([*cells[:3], cell("mine", "markdown"), *cells[3:]], ids=True))
    assert order(made) == [*NAMES[:3], "mine", *NAMES[3:]]
    assert [at(made, name).source for name in ("area", "total", "why")] == ["def area(r): return 3", "t = 3", "So."]
    assert told(made) == [("metadata", ""), ("metadata", "area"), ("metadata", "total"), ("metadata", "why")]


def test_what_was_written_in_place_of_a_deleted_answer_stands_behind_its_stub() -> None:
    cells = release()
    cells[5] = cell("answer = 3\ntotal = answer")
    made = merged(cells)
    assert order(made) == [*NAMES[:6], "answer = 3\ntotal = answer", *NAMES[6:]]
    assert at(made, "total").source == STUB
    cells[5] = cell("My own words.", "markdown")
    del cells[7]
    cells.insert(7, cell("These words.", "markdown"))
    assert at(merged(cells), "why").source == "These words."


def test_a_test_that_was_deleted_with_its_answer_stands_behind_what_was_written() -> None:
    cells = release()
    cells[5:7] = [cell("total = 3")]
    assert order(merged(cells)) == [*NAMES[:6], "total = 3", *NAMES[6:]]


def test_an_earlier_release_is_told_from_an_edit() -> None:
    before = json.loads(json.dumps(SOURCE))
    before[6]["source"] = "assert total == 2"
    old = release(instructor(before))
    import hashlib

    text = "assert total == 2codeTrueFalseTruetotal-test1.0"
    old[6]["metadata"]["nbgrader"]["checksum"] = hashlib.md5(text.encode()).hexdigest()
    assert told(merged(old)) == [("upgraded", "total-test")]
    old[6]["source"] += " or True"
    assert told(merged(old)) == [("edited", "total-test")]


def test_another_notebook_is_named_once() -> None:
    made = merged([cell("something else"), cell("entirely", "markdown")])
    assert [one.item is None for one in made.cells].count(True) == 2
    assert told(made) == [("restored", "")]
    assert merged([]).unanswered == ("area", "total", "why")


def test_a_kernel_of_another_language_is_noted() -> None:
    spec = {"name": "bash", "display_name": "Bash", "language": "bash"}
    assert told(merged(release(), kernelspec=spec)) == [("metadata", "")]
    mine = {"name": "my-env", "display_name": "Mine", "language": "python"}
    assert told(merged(release(), kernelspec=mine)) == []


def test_outputs_are_kept_aside_and_pictures_in_prose() -> None:
    cells = release()
    output = {"output_type": "stream", "name": "stdout", "text": "4"}
    cells[2]["outputs"] = cells[4]["outputs"] = [output]
    cells[7]["attachments"] = {"a.png": {"image/png": "QUJD"}}
    cells[0]["attachments"] = {"b.png": {"image/png": "QUJD"}}
    made = merged([*cells, cell("see", "markdown") | {"attachments": {"c.png": {"image/png": "QUJD"}}}])
    assert at(made, "show").outputs == at(made, "area-test").outputs == (output,)
    assert at(made, "why").attachments == {"a.png": {"image/png": "QUJD"}}
    assert at(made, "title").attachments == {}
    assert made.cells[-1].attachments == {"c.png": {"image/png": "QUJD"}}
    assert "why" not in made.unanswered


def test_a_task_that_is_not_locked_is_the_students() -> None:
    source = json.loads(json.dumps(SOURCE))
    source[8]["metadata"]["nbgrader"]["locked"] = False
    made = instructor(source)
    cells = release(made)
    cells[8]["source"] = "Draw it.\n\nHere it is."
    assert at(merged(cells, made), "draw").source == "Draw it.\n\nHere it is."


@pytest.mark.parametrize("path", sorted(ROOT.glob("source/*/*.ipynb")), ids=lambda path: path.stem)
def test_real_worksheets(path: Path) -> None:
    made = assignment.read(json.loads(path.read_text(encoding="utf-8")), "WS", path.stem)
    given = intake.notebook((ROOT / "release" / path.relative_to(ROOT / "source")).read_bytes()).notebook
    found = merge.merge(made, given)
    assert [one.item for one in found.cells] == list(made.items)
    assert found.notes == ()
    assert set(found.unanswered) == {item.id for item in made.items if item.role in ("answer", "written")}
    solved = intake.notebook(path.read_bytes()).notebook
    for one in solved["cells"]:
        one |= {"metadata": {}, "id": "same"}
    found = merge.merge(made, solved)
    assert [one.source for one in found.cells] == [item.source for item in made.items]
    assert found.unanswered == ()


# ---- whatever was done to it

TEXTS = st.sampled_from(["", "x = 1", "x = 1\n", "def f():\n    pass", "words of prose", STUB, "print(1)", "a b c d"])
ITEM = st.tuples(
    TEXTS,
    st.sampled_from(["prose", "given", "locked", "answer", "test", "written", "task"]),
    st.booleans(),
)
STEP = st.tuples(
    st.sampled_from(["delete", "copy", "move", "edit", "retype", "strip", "forge", "rename", "add", "tag"]),
    st.integers(0, 30),
    st.integers(0, 30),
    TEXTS,
)


def _instructors(items: list[tuple[str, str, bool]]) -> Assignment:
    flags: dict[str, dict[str, Any]] = {
        "locked": {"locked": True},
        "answer": {"solution": True},
        "test": {"grade": True, "locked": True, "points": 1},
        "written": {"solution": True, "grade": True, "points": 1},
        "task": {"task": True, "locked": True, "points": 1},
    }
    cells = []
    for number, (text, role, has_id) in enumerate(items):
        kind = "markdown" if role in ("prose", "written", "task") else "code"
        made = cell(text, kind, f"g{number}" if role in flags else "", f"i{number}", **flags.get(role, {}))
        if not has_id:
            del made["id"]
        cells.append(made)
    return instructor(cells)


def _done(cells: Cells, steps: list[tuple[str, int, int, str]]) -> Cells:
    cells = [json.loads(json.dumps(one)) for one in cells]
    for what, a, b, text in steps:
        if what == "add":
            cells.insert(a % (len(cells) + 1), cell(text, "code" if b % 2 else "markdown", own=f"n{a}"))
        elif cells:
            number, other = a % len(cells), b % len(cells)
            one = cells[number]
            if what == "delete":
                del cells[number]
            elif what == "copy":
                cells.insert(other, json.loads(json.dumps(one)))
            elif what == "move":
                cells.insert(other, cells.pop(number))
            elif what == "edit":
                one["source"] = text
            elif what == "retype":
                one["cell_type"] = ["code", "markdown", "raw"][b % 3]
            elif what == "strip":
                one["metadata"] = {}
            elif what == "forge":
                one["metadata"] = {"nbgrader": {"grade_id": f"g{b}", "grade": True, "points": 100, "solution": True}}
            elif what == "rename":
                one["id"] = f"i{b}"
            elif what == "tag":
                one["metadata"]["tags"] = ["skip-execution"]
    return cells


def _composed(made: Merged) -> Cells:
    """A merged notebook as a submission."""
    return [
        cell(one.source, one.type, own=one.id)
        | {"metadata": {"nbgrader": one.item.metadata.get("nbgrader", {})} if one.item else {}}
        for one in made.cells
    ]


@given(st.lists(ITEM, max_size=8), st.lists(STEP, max_size=8))
def test_whatever_was_done(items: list[tuple[str, str, bool]], steps: list[tuple[str, int, int, str]]) -> None:
    given_out = _instructors(items)
    cells = _done(release(given_out), steps)
    made = merged(cells, given_out)
    assert [one.item for one in made.cells if one.item] == list(given_out.items)
    assert len({one.id for one in made.cells}) == len(made.cells)
    for one in made.cells:
        assert one.item is None or one.type == one.item.type
        assert one.item is None or one.item.editable or one.source == one.item.source
    theirs = [one["source"] for one in cells]
    for one in made.cells:  # each of the student's cells at most once
        if one.item is None or (one.item.editable and one.source != one.item.released):
            theirs.remove(one.source)
    assert all(note.kind in ("restored", "duplicated", "reordered", "edited", "metadata") for note in made.notes)
    again = merged(_composed(made), given_out)
    assert [(one.item, one.type, one.source) for one in again.cells] == [
        (one.item, one.type, one.source) for one in made.cells
    ]
    assert not [note for note in again.notes if note.kind != "metadata"]
    if all(what == "add" for what, *_ in steps):  # one with the text of a cell without an id may stand in for it
        added = [text.strip() for *_, text in steps if text.strip()]
        assert sorted(one.source.strip() for one in made.cells if not one.item and one.source.strip()) == sorted(added)


def test_thousands_of_cells_take_no_time() -> None:
    import time

    made = instructor([cell(f"x = {n}", name=f"g{n}", solution=True) for n in range(200)])
    start = time.process_time()
    merged([cell(f"y = {n} + x", own="same") for n in range(4_900)], made)
    merged([cell("y" * 4_000, name="g5", own="same") for n in range(1_000)], made)
    assert time.process_time() - start < 5
