"""Nobody is asked again to grade what is the same."""

from typing import Any

import pytest

from coursemill.pure.grading import seen


def cell(source: Any, kind: str = "markdown", ours: dict[str, Any] | None = None, **labels: Any) -> dict[str, Any]:
    metadata = {**({"nbgrader": labels} if labels else {}), **({"coursemill": ours} if ours is not None else {})}
    return {"cell_type": kind, "source": source, "metadata": metadata}


def book(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells)}


WHY = {"grade_id": "why", "grade": True, "solution": True}
ADDED = {"added": True}
NOW = book(cell("# Title", ours={}), cell("Because.", **WHY, ours={}), cell("mine", ours=ADDED))


@pytest.mark.parametrize(
    ("before", "answer", "all_of_it"),
    [
        (NOW, True, True),
        (book(cell("# Titel", ours={}), *NOW["cells"][1:]), True, True),
        (book(cell("About", ours={"about": True}), *NOW["cells"]), True, True),
        (book(cell(["# ", "Title"]), cell(["Because."], **WHY), cell("mine")), True, True),
        (book(cell("# Title"), cell("Because.", **WHY), cell("yours")), True, False),
        (book(*NOW["cells"][:2]), True, False),
        (book(NOW["cells"][0], cell("It is.", **WHY, ours={}), NOW["cells"][2]), False, False),
        (book(*NOW["cells"][::2]), False, False),
        ({}, False, False),
        ({"cells": "none"}, False, False),
        ({"cells": [1, {"cell_type": 3, "source": 4, "metadata": 5}]}, False, False),
    ],
)
def test_what_is_the_same(before: dict[str, Any], answer: bool, all_of_it: bool) -> None:
    assert (seen.same(before, NOW, "why"), seen.same(before, NOW)) == (answer, all_of_it)


def test_a_task_that_is_not_locked_is_an_answer() -> None:
    task = {"grade_id": "task", "task": True}
    open_one, other = (book(cell(text, **task, locked=False, ours={})) for text in ("one", "two"))
    assert not seen.same(open_one, other)
    locked, mended = (book(cell(text, **task, locked=True, ours={})) for text in ("one", "two"))
    assert seen.same(locked, mended)


def test_a_picture_counts() -> None:
    drawn = {**cell("![](attachment:x)", **WHY, ours={}), "attachments": {"x": {"image/png": "AA"}}}
    other = {**drawn, "attachments": {"x": {"image/png": "BB"}}}
    assert seen.same(book(drawn), book(drawn), "why")
    assert not seen.same(book(drawn), book(other), "why")
