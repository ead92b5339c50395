import pytest

from coursemill.pure.grading import answers, choices
from coursemill.pure.grading.answers import Cluster, Declared, Given

SAME = [
    ("x=1", "x = 1  # one"),
    ("def f(a):\n    return a", 'def f(a):\n\n    """Say it."""\n    return (a)'),
    ("def f(): pass", 'def f():\n    "Later."'),
    ("def f(a):\n    b = a\n    c = b\n    return c", "def f(a):\n    c = a\n    b = c\n    return b"),
    ("'text'\nx = 'a'", 'x = "a"'),
    ("%%writefile a.py\nx=1", "%%writefile a.py\nx = 1\n\n# end"),
    ("%time f(1)", "%time f(1)  "),
    ("!ls", "!ls\n\n"),
    ("this is no Python", "this is no Python  \n# a comment\n\n"),
]
OTHER = [
    ("x = 1", "x = 2"),
    ("x = 1", "x = 1.0"),
    ("x = 1", "y = 1"),
    ("%%writefile a.py\nx=1", "%%writefile b.py\nx=1"),
    ("x = 1", "%%writefile x.py\nx = 1"),
    ("", "x = 1"),
    ("def f(:", "def g(:"),
    ("def f(a):\n    return a", "def f(b):\n    return b"),
    ("def f(a):\n    b = a\n    return b", "def f(a):\n    b = a\n    return a"),
    ("def f():\n    global b\n    b = 1", "def f():\n    global c\n    c = 1"),
    ("def f():\n    b = 1\n    return locals()", "def f():\n    c = 1\n    return locals()"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_formatting_makes_no_difference(one: str, other: str) -> None:
    assert answers.normal(one) == answers.normal(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_code_makes_one(one: str, other: str) -> None:
    assert answers.normal(one) != answers.normal(other)


def test_the_same_answers_are_put_together() -> None:
    given = [
        Given("ada", ("x = 49.99",), 1),
        Given("bob", ("x=49.99 # read off",), 1),
        Given("cyd", ("x = 49.99",), 0),
        Given("dan", ("x = None",), 0),
    ]
    foreseen = Declared("wrong answer 1", "notes/N.md:12", 1, ("x   =   49.99",))
    assert answers.clusters(given, [foreseen]) == (
        Cluster("x = 49.99", ("ada", "bob", "cyd"), 0, 1, foreseen),
        Cluster("x = None", ("dan",), 0, 0),
    )


@pytest.mark.parametrize(
    "source", ["x" * 300_000, "(" * 5000, "x = " + "-" * 90_000 + "1", "\udc80", "x\0y", "é = '\u2028'"]
)
def test_hostile_sources_have_a_normal_form(source: str) -> None:
    assert answers.normal(source) == answers.normal(source)
    assert choices.taken(source, "x") is None


@pytest.mark.parametrize(
    ("source", "letters"),
    [
        ('a = "B"', "B"),
        ('a = "c, a"', "AC"),
        ('a = ["A", "C"]', "AC"),
        ('a = {"C", "A"}', "AC"),
        ('a = ""\nif not a:\n    a = "B"', "B"),
        ('a = "D"  # the letter\nif not a:\n    raise NotImplementedError()', "D"),
        ('a: str = "A"', "A"),
        ('a = "A"\na = "B"', "B"),
        ('a = ""', None),
        ("a = input()", None),
        ("a = 3", None),
        ('b = "A"', None),
        ("a = (", None),
    ],
)
def test_what_was_chosen(source: str, letters: str | None) -> None:
    assert choices.taken(source, "a") == letters


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ('def f(a):\n    """By Ada."""\n    return a  # Ada', "def f(a):\n    return a"),
        ("%%writefile a.py\nx=1 # Ada", "%%writefile a.py\nx = 1"),
        ("# Ada\nno Python at all\n", "no Python at all"),
    ],
)
def test_names_in_comments_go(source: str, bare: str) -> None:
    assert answers.bare(source) == bare
