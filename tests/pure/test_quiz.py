import contextlib
import json
from itertools import chain, combinations
from typing import Any

import pytest

from coursemill.model import LETTERS, Option, Quiz, Span
from coursemill.pure import quiz

SPAN = Span("notes/a.md", 1, 4)
SINGLE = Quiz(
    "bs4-class",
    SPAN,
    "What?",
    "",
    1,
    (Option("`str`", False, 'it is "multi"-valued'), Option("a list\nof text", True), Option("`None`", False)),
)
MULTIPLE = Quiz(
    "2 odd.id",
    SPAN,
    "Which?",
    "",
    2,
    (Option("a", True, "ä"), Option("b", False), Option("c", True), Option("d", False, "no")),
)


def grade(question: Quiz, cell: str, *, marked: bool = True) -> str:
    """Run the answer's cell and the test; the error's message, empty when it passes."""
    names: dict[str, Any] = {}
    with contextlib.suppress(NotImplementedError):  # nbgrader goes on after an error
        exec(cell, names)
    try:
        exec(quiz.test(question, marked=marked), names)
    except (AssertionError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def released(source: str) -> str:
    """What nbgrader makes of a cell: solutions replaced, hidden tests gone."""
    lines, hiding = [], False
    for line in source.split("\n"):
        if "### BEGIN" in line:
            hiding = True
            if "SOLUTION" in line:
                indent = line[: len(line) - len(line.lstrip())]
                lines += [f"{indent}# YOUR CODE HERE", f"{indent}raise NotImplementedError()"]
        elif "### END" in line:
            hiding = False
        elif not hiding:
            lines.append(line)
    return "\n".join(lines)


def given(question: Quiz, value: object) -> str:
    return f"{quiz.variable(question)} = {value!r}"


@pytest.mark.parametrize("question", [SINGLE, MULTIPLE])
def test_only_the_right_answer_passes(question: Quiz) -> None:
    letters = LETTERS[: len(question.options)]
    for chosen in chain.from_iterable(combinations(letters, n) for n in range(len(letters) + 1)):
        passed = not grade(question, given(question, "".join(chosen)))
        assert passed == ("".join(chosen) == question.answer)


@pytest.mark.parametrize(
    "value", ["AC", "CA", "ac", " a , C ", "A, C", ["A", "C"], ["c", "a"], {"A", "C"}, ("A", "C"), "A and C"[:1] + "C"]
)
def test_order_case_spaces_and_containers_are_forgiven(value: object) -> None:
    assert not grade(MULTIPLE, given(MULTIPLE, value))


@pytest.mark.parametrize("value", ["b", " B ", ["B"], {"b"}, ("B",), "b."])
def test_one_letter_is_read_kindly(value: object) -> None:
    assert not grade(SINGLE, given(SINGLE, value))


@pytest.mark.parametrize("value", ["", "AB", "D", "answer", [], "ABC", "ß", "1"])
def test_the_form_is_asked_for(value: object) -> None:
    assert "write one letter from A to C, in quotes" in grade(SINGLE, given(SINGLE, value))


@pytest.mark.parametrize("value", [None, 2, True, 1.5, ["A", 1]])
def test_other_things_fail(value: object) -> None:
    assert grade(SINGLE, given(SINGLE, value))


@pytest.mark.parametrize("question", [SINGLE, MULTIPLE])
def test_the_stub_fails_what_students_see_and_the_solution_passes(question: Quiz) -> None:
    stub, visible = released(quiz.answer(question)), released(quiz.test(question, marked=True))
    names: dict[str, Any] = {}
    with pytest.raises(NotImplementedError):
        exec(stub, names)
    assert names[quiz.variable(question)] == ""
    with pytest.raises(AssertionError, match="write one"):
        exec(visible, names)
    assert not grade(question, quiz.answer(question))
    assert not grade(question, quiz.solved(question), marked=False)


def test_a_student_only_fills_the_quotes() -> None:
    stub = released(quiz.answer(SINGLE)).replace('""', '"B"', 1)
    assert not grade(SINGLE, stub)


@pytest.mark.parametrize("question", [SINGLE, MULTIPLE])
def test_what_is_released_is_the_same_whatever_is_right(question: Quiz) -> None:
    one = released(quiz.answer(question)) + released(quiz.test(question, marked=True)) + quiz.instruction(question)
    flipped = tuple(
        Option(o.text, n < 2 if question.multiple else n == 0, "other") for n, o in enumerate(question.options)
    )
    other = Quiz(question.id, SPAN, question.title, "", question.points, flipped)
    assert one == released(quiz.answer(other)) + released(quiz.test(other, marked=True)) + quiz.instruction(other)
    assert quiz.options(question) == quiz.options(other)


ALWAYS = """
class Always(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return hash("B")
    def __iter__(self): return iter([self])
    def upper(self): return self
    def isalpha(self): return True
    def join(self, other): return "B"
answer_bs4_class = {}
"""


@pytest.mark.parametrize("value", ["Always()", "Always('A')", "[Always('A')]", "{Always('C')}", "lambda *_: True"])
def test_an_object_that_equals_everything_is_no_answer(value: str) -> None:
    assert grade(SINGLE, ALWAYS.format(value))


def test_the_message_is_the_authors_remark() -> None:
    assert grade(SINGLE, given(SINGLE, "A")) == 'AssertionError: A is wrong: it is "multi"-valued; B is right'
    assert grade(MULTIPLE, given(MULTIPLE, "AD")) == "AssertionError: C is right; D is wrong: no"
    assert "A is right: ä" in grade(MULTIPLE, given(MULTIPLE, "C"))


def test_options_have_letters() -> None:
    assert quiz.options(SINGLE) == "- **A.** `str`\n- **B.** a list\n  of text\n- **C.** `None`"
    assert quiz.explanation(SINGLE).startswith('- **A** is wrong: it is "multi"-valued\n- **B** is right\n')


def test_variables_are_python_names() -> None:
    assert quiz.variable(SINGLE) == "answer_bs4_class"
    assert quiz.variable(MULTIPLE).isidentifier()
    assert json.loads(quiz.solved(MULTIPLE).partition(" = ")[2]) == "AC"
