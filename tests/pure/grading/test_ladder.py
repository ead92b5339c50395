"""From what is known of tests to plans."""

from coursemill.pure.grading import ladder
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.looks import Learnt, Sight, Survey
from coursemill.pure.grading.plan import Given, Look


def test_the_strictest_look_comes_first() -> None:
    sight = Sight(frozenset("fn"), frozenset("n"), frozenset("C"), frozenset("u"), "import a", "b = 1")
    strict, files, wide, all_ = ladder.ladder(sight)
    assert strict == Look("isolated", ("f", "n"), frozenset("n"), leaves="import a")
    assert wide.names == ("C", "f", "n", "u")
    assert (files.files, files.names, all_.files, all_.names) == (True, strict.names, True, wide.names)
    assert ladder.inside(sight, "why") == Look("in-candidate", leaves="import a", before="b = 1", why="why")


def test_data_are_given_where_they_change() -> None:
    survey = Survey(
        sights={"t": Sight()},
        define={"a": "import x", "t": "y = 1"},
        order=("a", "b", "c", "d", "t"),
        learnt=Learnt({cell: frozenset("p") for cell in "abcd"}),
    )
    values = {"a": {"p": b"1", "q": b"0"}, "b": {"p": b"1"}, "c": {"p": b"2"}, "d": {"p": b"1"}}
    given = {"a": Given("import x", {"p": b"1"}), "c": Given("", {"p": b"2"}), "d": Given("", {"p": b"1"})}
    assert ladder.givens(survey, values, {"t": Look()}) == given
    assert ladder.givens(survey, values, {"t": Look("in-candidate")}) == {**given, "t": Given("y = 1", {})}


def test_what_two_runs_show() -> None:
    survey = Survey(
        capture={"a": ("p", "q"), "b": ("p",), "c": ("p",)},
        touched={"b": frozenset("p"), "c": frozenset("p")},
        order=("a", "b", "c"),
    )
    values = {"a": {"p": b"1", "q": b"1"}, "b": {"p": b"1"}, "c": {"p": b"2"}}
    once = ladder.learnt(survey, values)
    assert once == Learnt({"a": frozenset("pq"), "b": frozenset("p"), "c": frozenset("p")}, {"c": frozenset("p")})
    twice = ladder.learnt(survey, values, {"a": {"p": b"1", "q": b"2"}, "b": {}, "c": {"p": b"2"}})
    assert twice.plain == {"a": frozenset("p"), "b": frozenset(), "c": frozenset("p")}


def test_a_notebook_as_far_as_it_is_wanted() -> None:
    items = [
        Item("g", "given", "code", "x = 1", "x = 1"),
        Item("t", "test", "code", "import a; assert x", ""),
        Item("u", "test", "code", "assert y", ""),
        Item("v", "test", "code", "assert z", ""),
    ]
    looks = {"t": Look(leaves="import a"), "u": Look("in-candidate")}
    found = ladder.replayed(Assignment("WS", "L", tuple(items)), ["u"], {"u": ["assert not y"]}, looks)
    assert [(i.id, i.role, i.source) for i in found.items] == [
        ("g", "given", "x = 1"),
        ("t", "given", "import a"),
        ("u", "test", "assert y"),
        ("u~twin-0", "test", "assert not y"),
    ]


def test_twins_that_fail_are_kept_as_far_as_needed() -> None:
    assert ladder.telling("u", ["a", "b", "c", "d", "e", "f"], ["u~twin-1", "u"]) == ("a", "c", "d", "e")
