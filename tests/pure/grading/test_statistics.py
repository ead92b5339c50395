from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import exercises, statistics
from coursemill.pure.grading.answers import Declared
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.papers import Paper
from coursemill.pure.grading.statistics import Choice, Statistics
from coursemill.pure.grading.verdict import Outcome, Verdict

FORESEEN = Declared("wrong answer 1", "notes/N.md:30", 1.0, ("def price(html):\n    return 49.99",))


@pytest.fixture(scope="module")
def found(assignment: Assignment, papers: Sequence[Paper]) -> Statistics:
    return statistics.of(exercises.of(assignment), papers, {"N/price": [FORESEEN]})


def test_exercises_are_found(assignment: Assignment) -> None:
    price, tea, why = exercises.of(assignment)
    assert (price.key, price.title, price.points) == ("N/price", "Read the price", 4)
    assert (tea.key, tea.title, [item.id for item in tea.tests]) == ("N/tea", "Tea?", ["tea-test-1"])
    assert (why.key, why.title, why.parts, why.answers) == ("N/why", "Why?", ("N/why",), ())


def test_exercises_of_any_nbgrader_notebook() -> None:
    items = [
        Item("top", "prose", "markdown", "# Problem set", "# Problem set"),
        Item("squares", "answer", "code", "s", "r"),
        Item("helper", "answer", "code", "s", "r"),
        Item("given", "given", "code", "x = 1", "x = 1"),
        Item("t1", "test", "code", "assert 1", "assert 1", 1),
        Item("t2", "test", "code", "assert 2", "assert 2", 2),
        Item("sum", "answer", "code", "s", "r"),
        Item("t3", "test", "code", "assert 3", "assert 3", 2),
        Item("essay", "written", "markdown", "*Answer*", "*Answer*", 3),
        Item("proof", "written", "code", "s", "r", 1),
        Item("practice", "answer", "code", "s", "r"),
    ]
    made = exercises.of(Assignment("ps1", "p", tuple(items)))
    assert [(e.id, e.title, e.points) for e in made] == [
        ("squares", "Problem set", 3),
        ("sum", "Problem set", 2),
        ("essay", "Problem set", 3),
        ("proof", "Problem set", 1),
    ]
    assert [item.id for item in made[0].answers] == ["squares", "helper"]


def test_the_class(found: Statistics) -> None:
    assert (found.handed, found.absent, found.points) == (5, ("fay",), 7)
    assert found.totals == {"ada": 6.5, "bob": 2.0, "cyd": 1.0, "dan": 0.0, "eve": 0.0}
    assert found.spread
    assert (found.spread.median, found.spread.mean) == (1.0, 1.9)
    assert found.outcomes == {"passed": 6, "failed": 9}
    assert found.seconds
    assert found.seconds.mean == 2.0


def test_an_exercise(found: Statistics) -> None:
    price = found.exercises[0]
    assert (price.full, price.unanswered, price.pending) == (1, 1, 0)
    assert price.figures.difficulty == pytest.approx(6 / 20)
    # Scores 4 1 1 0 0, the rest (the quiz) 1 1 0 0 0.
    assert price.figures.correlation == pytest.approx(0.65 / 0.9)  # covariance 0.65, variances 2.7 and 0.3
    assert price.figures.index == 1.0  # the best earned 4 of 4, the two weakest nothing
    assert [t.figures.difficulty for t in price.tests] == pytest.approx([0.6, 0.2])
    assert price.tests[1].outcomes == {"passed": 1, "failed": 4}


def test_common_wrong_answers_are_recognized(found: Statistics) -> None:
    first, second = found.exercises[0].wrong
    assert (first.students, first.low, first.high, first.declared) == (("bob", "cyd"), 1.0, 1.0, FORESEEN)
    assert (second.students, second.source, second.declared) == (("eve",), "def price(html): return None", None)


def test_choices_of_a_quiz_are_counted(found: Statistics) -> None:
    assert found.exercises[1].choices == (
        Choice("B", "Green", True, 2),
        Choice("A", "Black", False, 1),
        Choice("AC", "Black + None", False, 1),
        Choice("C", "None", False, 0),
        Choice("", "", False, 1),
    )
    assert not found.exercises[0].choices


def test_what_a_person_has_not_graded_counts_nowhere(found: Statistics) -> None:
    why = found.exercises[2]
    assert (why.figures.graded, why.pending, why.figures.difficulty) == (1, 4, 0.75)
    assert (why.figures.correlation, why.figures.why) == (None, "fewer than 3 students")
    assert found.reliability.exercises == 2
    assert found.reliability.alpha == pytest.approx(2 * (1 - 3.0 / 4.3))  # variances 2.7 and 0.3, of the totals 4.3


def test_the_gradebook_has_the_last_word(assignment: Assignment, papers: Sequence[Paper]) -> None:
    marked = replace(papers[4], marks={"N/price-test-1": 1.0, "N/why": 2.0}, penalty=0.5)
    assert marked.total(exercises.of(assignment)) == 2.5
    assert replace(marked, penalty=9.0).total(exercises.of(assignment)) == 0.0
    assert marked.pending(exercises.of(assignment)) == 0


def test_a_class_of_nobody_and_of_one(assignment: Assignment, papers: Sequence[Paper]) -> None:
    nobody = statistics.of(exercises.of(assignment), papers[5:])
    assert (nobody.handed, nobody.spread, nobody.exercises[0].figures.difficulty) == (0, None, None)
    assert nobody.exercises[0].figures.why == "nobody's is graded yet"
    one = statistics.of(exercises.of(assignment), papers[:1])
    assert (one.exercises[0].figures.correlation, one.reliability.why) == (None, "it takes at least 3 students")
    assert one.exercises[0].figures.why == "fewer than 3 students"


def test_it_says_why_there_is_no_correlation(assignment: Assignment, papers: Sequence[Paper]) -> None:
    same = [replace(papers[0], student=f"s{n}") for n in range(4)]
    found = statistics.of(exercises.of(assignment), same)
    assert found.exercises[0].figures.why == "all have the same score"
    assert found.reliability.why == "all students have the same points"
    none = statistics.of([], papers)
    assert (none.points, none.reliability.why) == (0, "it takes at least two exercises that are graded for all")


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.floats(0, 3), st.floats(0, 2)), min_size=1, max_size=25))
def test_sums_agree_whatever_a_class_does(rows: list[tuple[float, float, float]]) -> None:
    items = [
        Item("a", "answer", "code", "", ""),
        Item("t", "test", "code", "", "", 1),
        Item("u", "test", "code", "", "", 3),
    ]
    items += [Item("b", "answer", "code", "", ""), Item("v", "test", "code", "", "", 2)]
    tasks = exercises.of(Assignment("WS", "N", tuple(items)))
    class_ = [
        Paper(str(n), verdicts=(Verdict(str(n), "WS", "N", tuple(map(_part, "tuv", (1, 3, 2), row))),))
        for n, row in enumerate(rows)
    ]
    found = statistics.of(tasks, class_)
    assert sum(found.totals.values()) == pytest.approx(sum(map(sum, rows)))
    first, second = found.exercises
    assert first.figures.mean is not None
    assert second.figures.mean is not None
    assert first.figures.mean + second.figures.mean == pytest.approx(found.spread.mean if found.spread else 0)
    assert sum(found.outcomes.values()) == 3 * len(rows)
    for one in (*found.exercises, *(t for e in found.exercises for t in e.tests)):
        assert (one.figures.correlation is None) == bool(one.figures.why)


def _part(name: str, points: float, got: float) -> Outcome:
    return Outcome(name, "passed", points, part=got)
