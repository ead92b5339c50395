"""The notebook for `autograded/`: nbgrader reads the same scores from it, and nothing hidden is in it."""

import json
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from nbgrader import utils
from nbgrader.nbgraderformat import MetadataValidator

from coursemill.pure.grading import autograded
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.merge import Merged, Placed
from coursemill.pure.grading.verdict import STATUSES, Note, Outcome

SECRET = "4711"


def graded(name: str, points: float | None = None, **flags: bool) -> dict[str, Any]:
    about = {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": about | flags | ({} if points is None else {"points": points})}


PROSE = Item("top", "prose", "markdown", "# Lesson", "# Lesson")
ANSWER = Item(
    "a",
    "answer",
    "code",
    f"### BEGIN SOLUTION\nx = {SECRET}\n### END SOLUTION",
    "x = ...",
    0,
    graded("a", solution=True),
)
SHOWN = Item("a-test-1", "test", "code", "assert x", "assert x", 1, graded("a-test-1", 1, grade=True, locked=True))
HIDDEN = Item(
    "a-test-2",
    "test",
    "code",
    f"# more\n### BEGIN HIDDEN TESTS\nassert x == {SECRET}\n### END HIDDEN TESTS",
    "# more",
    3,
    graded("a-test-2", 3, grade=True, locked=True),
    hidden=frozenset({2, 3, 4}),
)
WRITTEN = Item("w", "written", "markdown", "Write here", "Write here", 2, graded("w", 2, grade=True, solution=True))
ASSIGNMENT = Assignment("WS", "Lesson", (PROSE, ANSWER, SHOWN, HIDDEN, WRITTEN))


def merged(*cells: Placed, notes: tuple[Note, ...] = ()) -> Merged:
    theirs = {cell.id: cell for cell in cells}
    own = [theirs.pop(i.id, Placed(i.id, i.type, i.source, i)) for i in ASSIGNMENT.items]
    return Merged((*own[:1], *theirs.values(), *own[1:]), notes)


def valid(notebook: dict[str, Any]) -> nbformat.NotebookNode:
    node = nbformat.from_dict(notebook)
    nbformat.validate(node)
    MetadataValidator().validate_nb(node)
    return node


def cell(node: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    return next(one for one in node.cells if one.id == name)


def outcome(status: str = "passed", **about: Any) -> Outcome:
    return Outcome(**{"test": "a-test-2", "status": status, "points": 3.0, **about})


OUTCOMES = [
    outcome(),
    outcome(part=1.5),
    outcome(part=3),
    outcome(part=7),
    outcome(part=-1),
    outcome(part=0),
    outcome(twin="passed"),
    outcome(twin="failed"),
    *(outcome(status, message="because of\nthis") for status in STATUSES if status != "passed"),
    *(outcome(status) for status in STATUSES if status != "passed"),
]


@pytest.mark.parametrize("one", OUTCOMES, ids=lambda o: f"{o.status}-{o.part}-{o.twin}-{bool(o.message)}")
def test_nbgrader_reads_the_same_score_from_a_test(one: Outcome) -> None:
    node = valid(autograded.compose(ASSIGNMENT, merged(), {}, [one]))
    test = cell(node, "a-test-2")
    assert utils.determine_grade(test) == (one.score, one.points)
    assert test.metadata.nbgrader.checksum == utils.compute_checksum(test)
    if one.status != "passed":
        assert test.outputs[0].output_type == "error"
        assert "".join(test.outputs[0].traceback).strip()


def test_a_test_is_as_it_was_released_and_nothing_hidden_is_left() -> None:
    node = valid(autograded.compose(ASSIGNMENT, merged(), {}, [outcome("failed", message="no")]))
    assert cell(node, "a-test-2").source == "# more"
    theirs = merged(Placed("a", "code", "x = 1", ANSWER))
    text = json.dumps(autograded.compose(ASSIGNMENT, theirs, {}, [outcome("error", reason=SECRET)]))
    assert SECRET not in text
    assert "BEGIN" not in text


@pytest.mark.parametrize("status", ["unreadable", "missing"])
def test_without_a_notebook_there_are_the_released_cells_and_the_reason(status: str) -> None:
    notebook = autograded.compose(ASSIGNMENT, None, {}, [outcome(status)], trouble="It is no <b>notebook</b>")
    node = valid(notebook)
    assert "It is no" in node.cells[0].source
    assert "<b>" not in node.cells[0].source
    assert [c.id for c in node.cells[1:]] == [item.id for item in ASSIGNMENT.items]
    assert SECRET not in json.dumps(notebook)
    assert node.metadata.coursemill.trouble == "It is no <b>notebook</b>"


def test_an_answer_left_as_it_was_is_known_to_nbgrader_as_no_response() -> None:
    node = valid(autograded.compose(ASSIGNMENT, merged(Placed("w", "markdown", "Write here", WRITTEN)), {}, []))
    assert utils.determine_grade(cell(node, "w")) == (0, 2)
    node = valid(autograded.compose(ASSIGNMENT, merged(Placed("w", "markdown", "Mine", WRITTEN)), {}, []))
    assert utils.determine_grade(cell(node, "w")) == (None, 2)


def test_what_was_put_right_and_what_was_added_is_said() -> None:
    notes = (Note("restored", "a-test-1", "The test `a-test-1` was deleted"), Note("file", "numpy.py", "left out"))
    node = valid(
        autograded.compose(ASSIGNMENT, merged(Placed("mine", "code", "1"), notes=notes[:1]), {}, [], notes[1:])
    )
    assert "was deleted" in node.cells[0].source
    assert "1 cell was added" in node.cells[0].source
    assert cell(node, "a-test-1").metadata.coursemill.notes[0].kind == "restored"
    assert cell(node, "mine").metadata.coursemill.added is True
    assert node.metadata.coursemill.notes == {"file": 1, "restored": 1}


def test_an_untouched_submission_has_no_word_about_it() -> None:
    assert valid(autograded.compose(ASSIGNMENT, merged(), {}, [])).cells[0].source == "# Lesson"


def test_ids_are_made_fit_and_stay_apart() -> None:
    cells = (Placed("top", "code", "1"), Placed("ä" * 99, "code", "2"), Placed("ö" * 99, "code", "3"))
    whole = merged()
    node = valid(autograded.compose(ASSIGNMENT, replace(whole, cells=(*whole.cells, *cells)), {}, []))
    assert len({c.id for c in node.cells}) == len(node.cells) == 8


STREAM = {"output_type": "stream", "name": "stdout", "text": "x"}


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"output_type": "update_display_data", "data": {"text/plain": "x"}},
        {"output_type": "stream", "name": "stdout", "text": 5},
        {"output_type": "display_data", "data": []},
        {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}},
        {"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}},
        {"output_type": "display_data", "data": {"image/png": "bm90IGEgcGljdHVyZQ=="}},
    ],
)
def test_outputs_of_no_known_kind_are_left_out(output: dict[str, Any]) -> None:
    assert autograded.tamed([output, STREAM], 1) == [STREAM]


def test_outputs_are_bounded() -> None:
    long = {**STREAM, "text": "line\n" * 5000}
    (one,) = autograded.tamed([long], 1)
    assert one["text"].count("\n") < autograded.LINES
    assert one["text"].endswith("... Output truncated ...")
    assert len(autograded.tamed([STREAM] * 5000, 1)) == 1
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["line"] * 500}
    assert len(autograded.tamed([error], 1)[0]["traceback"]) == autograded.TRACEBACK
    wide = [{**STREAM, "name": name, "text": "x" * 3_000_000} for name in ("stdout", "stderr")]
    assert sum(len(o["text"]) for o in autograded.tamed(wide, 1)) < autograded.CELL


def test_a_whole_notebook_is_bounded() -> None:
    added = [Placed(f"x{n}", "code", "1") for n in range(12)]
    outputs = {one.id: [{**STREAM, "text": "x" * 3_000_000}] for one in added}
    notebook = autograded.compose(ASSIGNMENT, merged(*added), outputs, [])
    assert len(json.dumps(notebook)) < 5.2 * autograded.CELL
    valid(notebook)


def test_half_characters_can_be_written() -> None:
    notebook = autograded.compose(
        ASSIGNMENT, merged(Placed("a", "code", "'\ud800'", ANSWER)), {"a": [{**STREAM, "text": "\udfff"}]}, []
    )
    valid(notebook)
    json.dumps(notebook, ensure_ascii=False).encode()


def test_other_points_change_points_and_checksums_alone() -> None:
    before = autograded.compose(ASSIGNMENT, merged(), {}, [outcome(part=2.0)])
    priced = replace(ASSIGNMENT, items=tuple(replace(i, points=i.points * 2) for i in ASSIGNMENT.items))
    items = {item.id: item for item in priced.items}
    cells = (replace(one, item=items[one.id]) for one in merged().cells)
    after = autograded.repriced(before, priced, [outcome(part=2.0, points=6.0)])
    assert after == autograded.compose(priced, Merged(tuple(cells)), {}, [outcome(part=2.0, points=6.0)])
    assert utils.determine_grade(cell(valid(after), "a-test-2")) == (2, 6)
    assert cell(valid(before), "a-test-2").metadata.nbgrader.points == 3
