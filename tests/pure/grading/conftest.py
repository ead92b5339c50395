"""A small class, graded: one exercise with two tests, a quiz, a question that a person grades."""

from dataclasses import replace
from typing import Any

import pytest

from coursemill.model import Option, Quiz, Span
from coursemill.pure import quiz
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.papers import Paper
from coursemill.pure.grading.verdict import Note, Outcome, Status, Verdict

SPAN = Span("notes/N.md", 1, 2)
CHOICE = Quiz("tea", SPAN, "Tea?", "", 1, (Option("Black", False), Option("Green", True), Option("None", False)))
RIGHT = "def price(html):\n    return 1\n"
STUB = "def price(html):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
ANSWERS = {
    "ada": (RIGHT, "B", (1.0, 3.0, 1.0)),
    "bob": ("def price(html):\n    return 49.99", "B", (1.0, 0.0, 1.0)),
    "cyd": ("def price(html):\n    return 49.99  # read off", "A", (1.0, 0.0, 0.0)),
    "dan": (STUB, "", (0.0, 0.0, 0.0)),
    "eve": ("def price(html): return None", "AC", (0.0, 0.0, 0.0)),
}


def _prompt(task: str, text: str) -> Item:
    return Item(f"{task}-prompt", "prose", "markdown", text, text, metadata={"coursemill": {"task": task}})


def _graded(task: str) -> dict[str, Any]:
    return {"coursemill": {"task": task}}


@pytest.fixture(scope="session")
def assignment() -> Assignment:
    """The instructor's notebook."""
    tea = quiz.test(CHOICE, marked=True)
    options = f"#### ❓ Quiz: Tea? (1 point)\n\n{quiz.options(CHOICE)}"
    return Assignment(
        "WS",
        "N",
        (
            _prompt("price", "<div>\n\n#### ✏️ Exercise: Read the <b>price</b> (4 points)\n\nDo it."),
            Item("price", "answer", "code", RIGHT, STUB, metadata=_graded("price")),
            Item("price-test-1", "test", "code", "assert price('')", "assert price('')", 1, _graded("price")),
            Item("price-test-2", "test", "code", "assert price('') == 1", "", 3, _graded("price")),
            _prompt("tea", options),
            Item("tea", "answer", "code", quiz.answer(CHOICE), 'answer_tea = ""', metadata=_graded("tea")),
            Item("tea-test-1", "test", "code", tea, "", 1, _graded("tea")),
            Item("why", "task", "markdown", "#### ✏️ Question: Why? (2 points)", "#### Why?", 2, _graded("why")),
        ),
    )


@pytest.fixture(scope="session")
def papers() -> tuple[Paper, ...]:
    """Five students' work, and one who handed nothing in."""
    made = [_paper(name, *about) for name, about in ANSWERS.items()]
    absent = [_outcome(name, points, 0, "missing") for name, points in (("price-test-1", 1), ("tea-test-1", 1))]
    made[0] = replace(made[0], marks={"N/why": 1.5})
    return (*made, Paper("fay", verdicts=(Verdict("fay", "WS", "N", tuple(absent), trouble="nothing was handed in"),)))


def _paper(student: str, source: str, letters: str, earned: tuple[float, ...]) -> Paper:
    tests = (("price-test-1", 1), ("price-test-2", 3), ("tea-test-1", 1))
    outcomes = tuple(_outcome(name, points, got) for (name, points), got in zip(tests, earned, strict=True))
    cells = [_cell("price", source), _cell("tea", f'answer_tea = "{letters}"')]
    unanswered = ("price", "tea") if source == STUB else ()
    notes = (Note("removed", "price-test-2", "the test was deleted"),) if student == "eve" else ()
    verdict = Verdict(
        student, "WS", "N", outcomes, notes, unanswered, autograded={"cells": cells}, seconds=2.0, own=1.0
    )
    return Paper(student, student.title(), (verdict,))


def _outcome(name: str, points: float, got: float, status: Status | None = None) -> Outcome:
    return Outcome(name, status or ("passed" if got else "failed"), points, message="no" * (not got))


def _cell(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": {"grade_id": name}}}
