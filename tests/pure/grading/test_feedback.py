"""The page that a student gets back: everything that is theirs, nothing that is hidden."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from coursemill.pure.grading import assignment as assignments
from coursemill.pure.grading import autograded, feedback, phrases
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.merge import Merged, Placed
from coursemill.pure.grading.standing import Mark
from coursemill.pure.grading.verdict import STATUSES, Note, Outcome, Verdict

SECRETS = ("SOLUTION", "HIDDENSOURCE", "EXPECTED", "MODELANSWER", "RUBRIC", "REASON", "notes/Secret.md")


def cell(kind: str, name: str, source: str, of: str = "", **grading: Any) -> dict[str, Any]:
    about = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, "grade_id": name}
    metadata: dict[str, Any] = {"nbgrader": about | grading} if grading else {}
    metadata["coursemill"] = {"source": "notes/Secret.md:1", "task": of} if of else {}
    return {"cell_type": kind, "id": name, "metadata": metadata, "source": source}


HINT = "<details><summary><b>💡 Hint: Look closely</b></summary>\n\nThe class is **current-price**.\n\n</details>"
HIDDEN = "# more\n### BEGIN HIDDEN TESTS\nassert price('HIDDENSOURCE') == 'EXPECTED'\n### END HIDDEN TESTS"
TASK = "### Question: Why?\n\n### BEGIN MARK SCHEME\nMODELANSWER\n\nRUBRIC: 1 pt\n### END MARK SCHEME"
CELLS = [
    cell("markdown", "top", "# Lesson"),
    cell(
        "markdown", "price-prompt", "<div>\n\n### ✏️ Exercise: Read the `price` (6 points)\n\nDo it.\n\n</div>", "price"
    ),
    cell("markdown", "price-hint-1", HINT, "price"),
    cell("code", "price", "### BEGIN SOLUTION\nSOLUTION = 1\n### END SOLUTION", "price", solution=True),
    cell("code", "price-test-1", "assert price('') is None, 'none'", "price", grade=True, locked=True, points=1),
    cell("code", "price-test-2", HIDDEN, "price", grade=True, locked=True, points=2),
    cell("code", "price-test-3", HIDDEN, "price", grade=True, locked=True, points=3),
    cell("code", "given", "import this"),
    cell("markdown", "why", TASK, "why", task=True, locked=True, points=2),
    cell("markdown", "free", "Write here", grade=True, solution=True, points=4),
]
ASSIGNMENT = assignments.read({"cells": CELLS, "metadata": {}}, "WS_One", "The_Lesson")
TESTS = {item.id: item for item in ASSIGNMENT.tests}


def outcome(name: str, status: str = "passed", message: str = "", **about: Any) -> Outcome:
    item = TESTS[name]
    return Outcome(name, status, item.points, message=message, reason="REASON", hidden=bool(item.hidden), **about)  # type: ignore[arg-type]


def sheet(
    *outcomes: Outcome,
    theirs: dict[str, str] | None = None,
    added: tuple[Placed, ...] = (),
    outputs: dict[str, list[dict[str, Any]]] | None = None,
    notes: tuple[Note, ...] = (),
    **about: Any,
) -> feedback.Sheet:
    answers = theirs or {"price": "def price(html): return 'mine'", "free": "My *words*"}
    cells = [
        Placed(i.id, i.type, answers.get(i.id, i.released if i.editable else i.source), i) for i in ASSIGNMENT.items
    ]
    cells[5:5] = added
    merged = Merged(tuple(cells), notes, tuple(i.id for i in ASSIGNMENT.items if i.editable and i.id not in answers))
    made = autograded.compose(ASSIGNMENT, merged, outputs or {}, outcomes)
    verdict = Verdict("eva", "WS_One", "The_Lesson", outcomes, notes, merged.unanswered, autograded=made)
    scores = {one.test: one.score for one in outcomes}
    marks = {
        i.id: Mark(i.points, scores.get(i.id), pending=i.role != "test")
        for i in ASSIGNMENT.items
        if i.role in ("test", "task", "written")
    }
    return feedback.Sheet(ASSIGNMENT, verdict, **({"marks": marks} | about))


ALL = tuple(outcome(name) for name in TESTS)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipping += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.skipping -= tag in ("style", "script")
        if tag in ("p", "li", "h1", "h2", "h3", "h4", "td", "th", "tr", "div", "pre"):
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.said.append(data)


def text(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return re.sub(r"[ \t]+", " ", "".join(parser.said))


def test_it_says_what_was_reached_and_why() -> None:
    hidden = outcome("price-test-2", "failed", "no price: return None")
    page = text(feedback.page("eva", "Eva Groß", [sheet(ALL[0], hidden, ALL[2])]))
    assert "Feedback on WS_One" in page
    assert "Eva Groß" in page
    assert "4 of 12 points so far" in page
    assert "6 points wait for a person" in page
    assert "Read the price (4 of 6 points)" in page
    assert "Test: ✓ passed, 1 of 1 point" in page
    assert "Hidden test 1 of 2: ✗ failed, 0 of 2 points" in page
    assert "no price: return None" in page
    assert "Hidden test 2 of 2: ✓ passed, 3 of 3 points" in page
    assert "def price(html): return 'mine'" in page
    assert "My words" in page


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("message", ["", "so it is"])
def test_nothing_hidden_is_on_it_however_a_test_ends(status: str, message: str) -> None:
    outcomes = tuple(outcome(name, status, "" if status == "passed" else message) for name in TESTS)
    made = sheet(*outcomes)
    gone = feedback.Sheet(
        ASSIGNMENT,
        replace(made.verdict, autograded=autograded.compose(ASSIGNMENT, None, {}, outcomes, trouble="It is broken")),
        made.marks,
    )
    for one in (made, gone):
        page = feedback.page("eva", "", [one])
        assert not [secret for secret in SECRETS if secret in page]
        assert "BEGIN" not in page
    assert feedback.WORDS[status][1] in text(feedback.page("eva", "", [made]))


def test_every_failing_status_says_something() -> None:
    for status in STATUSES[1:]:
        page = text(feedback.page("eva", "", [sheet(outcome("price-test-3", status))]))
        assert autograded.REASONS[status] in page


def test_hints_come_with_failed_tests_only() -> None:
    assert "current-price" not in feedback.page("eva", "", [sheet(*ALL)])
    page = text(feedback.page("eva", "", [sheet(outcome("price-test-1", "failed", "no"), *ALL[1:])]))
    assert "Hint: Look closely" in page
    assert "current-price" in page


def test_rubrics_come_when_they_are_asked_for_and_graded() -> None:
    options = feedback.Options(rubrics=True)
    made = sheet(*ALL)
    assert "MODELANSWER" not in feedback.page("eva", "", [made], options), "nobody has graded it yet"
    marks = {**made.marks, "why": Mark(2, 1.5, manual=True)}
    graded = replace(made, marks=marks)
    page = text(feedback.page("eva", "", [graded], options))
    assert "MODELANSWER" in page
    assert "RUBRIC: 1 pt" in page
    assert "MARK SCHEME" not in page
    assert "MODELANSWER" not in feedback.page("eva", "", [graded])
    assert "Why? (1.5 of 2 points)" in page
    assert "graded by a person, 1.5 of 2 points" in page


def test_comments_penalties_and_changed_scores_are_shown() -> None:
    made = sheet(*ALL, comments={"price": "Well **done** <script>alert(1)</script>"}, penalty=1.5)
    made = replace(made, marks={**made.marks, "price-test-2": Mark(2, 0.5, manual=True)})
    page = feedback.page("eva", "", [made])
    assert "<strong>done</strong>" in page
    assert "<script" not in page
    assert "3 of 12 points so far" in text(page)
    assert "1.5 points were taken off because it was handed in late" in text(page)
    assert "(as a person decided)" in page


def test_what_was_put_right_and_added_is_shown() -> None:
    notes = (
        Note("restored", "price-test-1", "the test was deleted <b>"),
        Note("file", "os.py", "`os.py` was left out"),
    )
    added = (Placed("added-1", "code", "helper = 1"), Placed("added-2", "markdown", "*note*"))
    page = text(feedback.page("eva", "", [sheet(*ALL, notes=notes, added=added)]))
    assert "the test was deleted <b>" in page
    assert "`os.py` was left out" in page
    assert page.count("A cell that you added") == 2
    assert page.index("helper = 1") < page.index("Hidden test")


def test_a_cell_below_a_question_is_its_answer() -> None:
    made = sheet(*ALL)
    cells = list(made.verdict.autograded["cells"])
    place = next(n for n, one in enumerate(cells) if one["id"] == "why")
    about = {"coursemill": {"added": True}}
    cells.insert(place + 1, {"cell_type": "markdown", "id": "x", "metadata": about, "source": "Because of *that*"})
    verdict = replace(made.verdict, autograded={**made.verdict.autograded, "cells": cells})
    page = text(feedback.page("eva", "", [replace(made, verdict=verdict)]))
    assert re.search(r"Why\? \(0 of 2 points\)[\s\S]*Your answer\s+Because of that", page)


def test_an_untouched_answer_is_said_to_be_one() -> None:
    page = text(feedback.page("eva", "", [sheet(*ALL, theirs={"free": "x"})]))
    assert "You left this cell as it was." in page
    assert "NotImplementedError" not in page


def test_a_failing_cell_of_the_lesson_is_shown_with_its_error() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mNameError\x1b[0m: this"]}
    page = feedback.page("eva", "", [sheet(*ALL, outputs={"given": [error]})])
    assert "A cell of the lesson, which failed in your notebook" in page
    assert '<span class="ansi-red">NameError</span>: this' in page
    assert "import this" not in text(feedback.page("eva", "", [sheet(*ALL)]))


@pytest.mark.parametrize("status", ["missing", "unreadable"])
def test_a_notebook_that_is_not_there_says_so(status: str) -> None:
    outcomes = tuple(outcome(name, status) for name in TESTS)
    made = autograded.compose(ASSIGNMENT, None, {}, outcomes, trouble="It is no notebook")
    verdict = Verdict("eva", "WS_One", "The_Lesson", outcomes, trouble="It is no <i>notebook</i>", autograded=made)
    page = text(feedback.page("eva", "", [feedback.Sheet(ASSIGNMENT, verdict, {})]))
    assert "It is no <i>notebook</i>" in page
    assert feedback.WORDS[status][1] in page
    assert "Your answer\n" not in page


@pytest.mark.parametrize(
    "name", ["Jörg Weiß", "O'Neil <b>", "محمد علي", "יוסי כהן", "Zoë \u202eevil", "李小龍", "a" * 300]
)
def test_names_survive(name: str) -> None:
    page = feedback.page("s1", name, [sheet(*ALL)])
    shown = html.escape(name.replace("\u202e", "")).replace("&#x27;", "&#39;")
    assert f"<bdi>{shown}</bdi>" in page


def test_two_notebooks_are_one_page() -> None:
    one = sheet(*ALL)
    page = feedback.page("eva", "", [one, replace(one, penalty=1.0)])
    assert "11 of 24 points" in text(page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_page_is_complete_in_itself_and_stays_the_same() -> None:
    page = feedback.page("eva", "", [sheet(*ALL)])
    assert page == feedback.page("eva", "", [sheet(*ALL)])
    assert not re.search(r"<script|<link|<iframe|https?://(?!www\.w3\.org)|@import|url\(", page)
    assert "default-src 'none'" in html.unescape(page)


def test_stock_notebooks_without_our_metadata_work() -> None:
    cells = [{**one, "metadata": {k: v for k, v in one["metadata"].items() if k == "nbgrader"}} for one in CELLS]
    stock = assignments.read({"cells": cells, "metadata": {}}, "WS", "N")
    outcomes = tuple(Outcome(i.id, "failed", i.points, message="no", hidden=bool(i.hidden)) for i in stock.tests)
    merged = Merged(tuple(Placed(i.id, i.type, i.released if i.editable else i.source, i) for i in stock.items))
    made = autograded.compose(stock, merged, {}, outcomes)
    page = feedback.page("eva", "", [feedback.Sheet(stock, Verdict("eva", "WS", "N", outcomes, autograded=made), {})])
    assert "Hidden test 2 of 2" in page
    assert not [secret for secret in SECRETS if secret in page]


def test_an_assignment_that_changed_since_does_not_break_the_page() -> None:
    made = sheet(*ALL)
    fewer = Assignment("WS_One", "The_Lesson", tuple(i for i in ASSIGNMENT.items if i.id != "price-test-2"))
    assert "Hidden test: ✓ passed" in text(feedback.page("eva", "", [replace(made, assignment=fewer)]))
    extra = replace(TESTS["price-test-3"], id="price-test-4")
    more = Assignment("WS_One", "The_Lesson", (*ASSIGNMENT.items[:7], extra, *ASSIGNMENT.items[7:]))
    assert "Hidden test 3 of 3: – not run" in text(feedback.page("eva", "", [replace(made, assignment=more)]))


def test_an_answer_that_took_too_long_says_so() -> None:
    page = feedback.page("eva", "", [sheet(*ALL, outputs={"price": [autograded.ended("timeout")]})])
    assert "Timeout: This took too long and was stopped." in text(page)


def test_a_wrong_choice_is_called_one(assignment: Assignment) -> None:
    outcomes = tuple(Outcome(i.id, "failed", i.points, message="AssertionError") for i in assignment.tests)
    verdict = Verdict("eva", assignment.worksheet, assignment.name, outcomes)
    said = text(feedback.page("eva", "", [feedback.Sheet(assignment, verdict, {})]))
    assert said.count(phrases.WRONG_CHOICE) == 1
    assert said.count(autograded.REASONS["failed"]) == len(outcomes) - 1
    assert "AssertionError" not in said.replace("assert", "")


def test_a_stub_that_raises_is_no_answer() -> None:
    outcomes = tuple(outcome(name, "error", "NotImplementedError") for name in TESTS)
    assert "NotImplementedError" not in text(feedback.page("eva", "", [sheet(*outcomes, theirs={"free": "mine"})]))
    assert "NotImplementedError" in text(feedback.page("eva", "", [sheet(*outcomes)]))
