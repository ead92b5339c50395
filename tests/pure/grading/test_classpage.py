import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from coursemill.pure.grading import classpage, exercises, statistics
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.classpage import ClassReport, Row
from coursemill.pure.grading.flags import flags
from coursemill.pure.grading.papers import Paper
from coursemill.pure.grading.statistics import Reliability

HOSTILE = '<script>alert("1")</script>$x$'
VOID = {"meta", "br", "wbr", "path", "use", "rect", "line", "circle", "polygon", "polyline"}


def made(assignment: Assignment, papers: Sequence[Paper]) -> ClassReport:
    tasks = exercises.of(assignment)
    found = statistics.of(tasks, papers)
    rows = tuple(
        Row(
            p.student, p.name, found.totals.get(p.student), p.pending(tasks), {}, 1.0, 0, {"feedback": f"f/{p.student}"}
        )
        for p in papers
    )
    return ClassReport("WS", "2026-01-02T03:04:05+00:00", found, flags(papers), rows)


@pytest.fixture(scope="module")
def report(assignment: Assignment, papers: Sequence[Paper]) -> ClassReport:
    return made(assignment, papers)


@pytest.fixture(scope="module")
def page(report: ClassReport) -> str:
    return classpage.page(report, {"f/ada": "../f/ada"})


class Reader(HTMLParser):
    """Collects what a browser would load, and looks that tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_page_is_complete_in_itself(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    assert set(reader.addresses) - {"../f/ada"} == {a for a in reader.addresses if a.startswith("#")}
    assert len(reader.ids) == len(set(reader.ids))
    assert {a[1:] for a in reader.addresses if a.startswith("#")} <= set(reader.ids)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_pictures_have_titles_units_and_words(page: str) -> None:
    assert page.count('role="img"') == 4
    titles = re.findall(r'<title id="[\w-]+-title">([^<]+)</title>', page)
    assert titles[0] == "How many points students have"
    assert "Histogram of the points of 5 students, from 0 to 6.5 of 7; the median is 1, the mean 1.9." in page
    for unit in (">points (of 7)<", ">students<", ">points earned by the class (%)<"):
        assert unit in page


def test_it_shows_what_was_found(page: str) -> None:
    for text in (
        "price-test-2: the test was deleted",
        "nothing was handed in",
        "4 answers wait",
        "B (right)",
        "α = 0.60",
    ):
        assert text in page
    assert "foreseen" not in page
    assert page.count('href="../f/ada"') == 1


def test_names_and_answers_do_nothing(assignment: Assignment, papers: Sequence[Paper]) -> None:
    bad = replace(papers[1], student=HOSTILE, name=HOSTILE)
    verdict = replace(bad.verdicts[0], trouble=HOSTILE)
    cell = {"cell_type": "code", "source": f"x = '{HOSTILE}'", "metadata": {"nbgrader": {"grade_id": "price"}}}
    verdict = replace(verdict, autograded={"cells": [cell]})
    found = classpage.page(made(assignment, [papers[0], replace(bad, verdicts=(verdict,)), *papers[2:]]))
    assert "<script>alert" not in found
    assert "&lt;script&gt;alert" in found


def test_it_is_the_same_each_time(report: ClassReport, page: str) -> None:
    assert classpage.page(report, {"f/ada": "../f/ada"}) == page


def test_an_anonymous_page_names_nobody(report: ClassReport) -> None:
    rows = tuple(replace(row, student=f"Student {n}", name="", links={}) for n, row in enumerate(report.rows))
    nobody = classpage.page(replace(report, anonymous=True, rows=rows, flags=()))
    assert "Students are numbered, not named" in nobody
    assert "f/ada" not in nobody


def test_a_class_of_nobody_has_a_page(assignment: Assignment, papers: Sequence[Paper]) -> None:
    page = classpage.page(made(assignment, papers[5:]))
    assert "There is nothing to draw yet." in page
    assert "fewer than" not in classpage.reading(Reliability(0.9, 1.0, 4))


def test_data_are_json(report: ClassReport) -> None:
    found = json.loads(json.dumps(classpage.data(report)))
    assert (found["handed_in"], found["absent"], found["distribution"]["median"]) == (5, ["fay"], 1.0)
    assert found["exercises"][0]["wrong_answers"][0]["count"] == 2
    assert found["flags"][0]["kind"] == "changed"


@pytest.mark.parametrize(
    ("alpha", "words"), [(0.85, "agree well"), (0.7, "fairly well"), (0.3, "agree little"), (-0.4, "agree little")]
)
def test_reliability_is_said_in_words(alpha: float, words: str) -> None:
    said = classpage.reading(Reliability(alpha, 1.5, 5))
    assert words in said
    assert "less than 1.5 points" in said


def test_long_answers_are_shown_in_part(report: ClassReport) -> None:
    source = "\n".join(f"line_{n} = {n}" for n in range(99))
    (first, *others), one = report.statistics.exercises[0].wrong, report.statistics.exercises[0]
    figures = replace(one, wrong=(replace(first, source=source), *others))
    found = replace(report.statistics, exercises=(figures, *report.statistics.exercises[1:]))
    page = classpage.page(replace(report, statistics=found))
    assert f"line_{classpage.LINES - 1}" in page
    assert f"line_{classpage.LINES} " not in page
    assert "… 69 more lines" in page


def test_titles_show_code_as_code(report: ClassReport) -> None:
    one = report.statistics.exercises[0]
    named = replace(one, exercise=replace(one.exercise, title="What is `<b>`?"))
    page = classpage.page(replace(report, statistics=replace(report.statistics, exercises=(named,))))
    assert page.count("What is <code>&lt;b&gt;</code>?") == 2
