"""What tests see: the lesson's own names untouched, the answer's through the wall; in real workers."""

from collections.abc import Sequence

import pytest

from coursemill.effects import prover
from coursemill.effects.prover import Order
from coursemill.pure.proof import Tried
from coursemill.pure.trials import Source, Step, Trial, Variant

SETUP = """
from collections import UserList
from dataclasses import dataclass

rows = [1, 2]

class Model:
    def __init__(self):
        self.weights = [0]

    def predict(self):
        return self.weights[0]

model, other = Model(), Model()

@dataclass
class Point:
    x: int

def twice(x):
    return 2 * x
"""


def source(text: str) -> Source:
    return Source(text, (1,) * (text.count("\n") + 1))


def tried(answers: Sequence[str], tests: Sequence[str], between: str = "") -> list[Tried]:
    """Try answers, the solution first, on tests of a point each."""
    steps = [Step("a", "answer", source(answers[0]))]
    steps += [Step("between", "code", source(between))] if between else []
    steps += [Step(f"t{n}", "test", source(test), 1.0) for n, test in enumerate(tests)]
    variants = [Variant("wrong" if n else "solution", f"{n}", n, {"a": source(a)}) for n, a in enumerate(answers)]
    order = Order((Step("s", "code", source(SETUP)), Trial("a", "A", 1, tuple(steps), tuple(variants))))
    found = prover.prove(order)
    assert found.stopped is None, found.stopped
    return [found.tried[key] for key in sorted(found.tried)]


def modes(one: Tried) -> str:
    assert [o.reason for o in one.outcomes] == [""] * len(one.outcomes)
    return "".join(o.mode[0] for o in one.outcomes)


@pytest.mark.parametrize(
    ("answer", "test", "mode"),
    [
        ("def f(x):\n    return x + 1", "assert f(1) == 2", "isolated"),
        ("def f(x):\n    return Point(x)", "p = f(1)\nassert p.x == 1 and isinstance(p, Point)", "isolated"),
        ("def f(x):\n    return Point(x)", "assert f(1) == Point(1)", "isolated"),
        ("def f(xs):\n    xs.sort()", "xs = [2, 1]\nf(xs)\nassert xs == [1, 2]", "in-candidate"),
        ("def f(g):\n    return g(3)", "assert f(lambda x: x * 2) == f(twice) == 6", "isolated"),
        ("def f(m):\n    m.weights = [7]", "f(other)\nassert other.predict() == 7", "isolated"),
        ("rows.append(3)", "assert rows == [1, 2, 3]", "in-candidate"),
        ("rows = [*rows, 3]", "assert rows == [1, 2, 3]", "isolated"),
        ("model.weights = [5]", "assert model.predict() == 5", "isolated"),
        ("import math\nroot = math.sqrt(4)", "assert math.floor(root) == 2", "isolated"),
        ("from math import floor as f", "assert f(2.5) == 2", "isolated"),
        ("async def f():\n    return 1", "assert await f() == 1", "isolated"),
        ("def f():\n    yield from rows", "assert list(f()) == [1, 2]", "isolated"),
        ("open('made.txt', 'w').write('x')", "assert open('made.txt').read() == 'x'", "isolated"),
        ("f = UserList([1])", "assert f[0] == 1 and isinstance(f, UserList)", "isolated"),
        ("def f():\n    return sum(rows)", "%time total = f()\nassert total == 3", "isolated"),
        ("f = lambda: 1", "!echo x > y.txt\nassert f() == 1", "isolated"),
    ],
)
def test_how_a_test_can_look(answer: str, test: str, mode: str) -> None:
    (solution,) = tried([answer], [test])
    assert [(o.reason, o.mode) for o in solution.outcomes] == [("", mode)]


def test_tests_share_their_names_in_both_modes() -> None:
    answer = "class Bag(list):\n    pass"
    tests = ["def same(a, b):\n    return a == b\nassert same(1, 1)", "assert same(Bag([1]), [1])", "assert same(2, 2)"]
    (solution,) = tried([answer], tests)
    assert modes(solution) == "iii"


def test_what_the_lesson_makes_of_an_answer_is_the_answers() -> None:
    answers = ["def f(x):\n    return x", "class Yes:\n    __eq__ = lambda s, o: True\nf = lambda x: Yes()"]
    solution, wrong = tried(answers, ["assert made == [1]\nassert made[0] == 1"], between="made = [f(1)]")
    assert modes(solution) == "i"
    assert wrong.score == 0


@pytest.mark.parametrize(
    "wrong",
    [
        "rows = [1, 2, 3]\nf = lambda: 0",
        "rows.append(0)\nf = lambda: 0",
        "twice = lambda x: 0\nf = lambda: 0",
        "sum = lambda x: 0\nf = lambda: 0",
        "import builtins\nf = lambda: 0\nbuiltins.sorted = lambda x: [0]\nmodel = None",
    ],
)
def test_an_answer_cannot_change_what_the_solution_leaves_alone(wrong: str) -> None:
    tests = ["assert f() == sum(rows)", "assert f() == twice(0) + 6", "assert sorted([2, 1]) == [1, 2] and f() == 6"]
    solution, tampered = tried(["def f():\n    return 6", wrong], ["assert f() == 2 * sum(rows)", *tests[1:]])
    assert modes(solution) == "iii"
    assert tampered.score == 0
