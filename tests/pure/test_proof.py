"""What is a problem, where it is said to be, and how it counts."""

from typing import Any

import pytest

from coursemill.pure.proof import Mode, Outcome, Proof, Tried, proof, to_data
from coursemill.pure.trials import Kind, Source, Step, Trial, Variant

STEPS = (
    Step("a", "answer", Source("x = 1", (10,))),
    Step("a-test-1", "test", Source("assert x", (14,)), 1.0),
    Step("a-test-2", "test", Source("assert x == 1", (18,)), 2.0, given=True),
)


def judged(kind: Kind, first: float, second: float, deserved: float = 0, broken: str = "") -> list[str]:
    variant = Variant(kind, f"the {kind}", 9, {}, deserved)
    outcomes = (outcome("a-test-1", first, 1), outcome("a-test-2", second, 2))
    return [str(p) for p in made(variant, Tried(variant.name, kind, outcomes, broken)).problems]


def outcome(name: str, score: float, points: float) -> Outcome:
    return Outcome(name, "isolated", score) if score == points else Outcome(name, "isolated", score, "no", 77)


def made(variant: Variant, tried: Tried) -> Proof:
    return proof("notes/N.md", Trial("a", "A", 8, STEPS, (variant,)), [tried])


@pytest.mark.parametrize(
    ("kind", "first", "second", "deserved", "problems"),
    [
        ("solution", 1, 2, 3, []),
        ("solution", 1, 0, 3, ["notes/N.md:77: the solution gets 0 of 2 points in a-test-2: no"]),
        ("solution", 0.5, 2, 3, ["notes/N.md:77: the solution gets 0.5 of 1 point in a-test-1: no"]),
        ("stub", 0, 2, 0, []),
        (
            *("stub", 0, 0, 0),
            ["notes/N.md:18: the stub fails a-test-2, which is given: no (let the starter pass, or drop `given=true`)"],
        ),
        (
            *("stub", 1, 2, 0),
            [
                "notes/N.md:14: the stub gets 1 of 1 point in a-test-1 "
                "(test what the starter lacks, or mark the test `given=true`)"
            ],
        ),
        ("cheat", 0, 2, 0, []),
        (
            *("cheat", 1, 0, 0),
            [
                "notes/N.md:14: the cheat gets 1 of 1 point in a-test-1 "
                "(compare what the answer gives with a value (`==`), or its class and its parts)"
            ],
        ),
        ("wrong", 0, 2, 2, []),
        (
            *("wrong", 1, 0, 2),
            [
                "notes/N.md:9: the wrong gets 1 of 3 points, and deserves 2; it passes a-test-1; a-test-2 says no "
                "(say its score, or change the tests)"
            ],
        ),
        ("choice", 0, 0, 0, []),
        (
            *("choice", 1, 2, 0),
            [
                "notes/N.md:9: the choice gets 3 of 3 points, and deserves 0; it passes a-test-1, a-test-2 "
                "(look at the quiz's options)"
            ],
        ),
    ],
)
def test_problems(kind: Kind, first: float, second: float, deserved: float, problems: list[str]) -> None:
    assert judged(kind, first, second, deserved) == problems


@pytest.mark.parametrize(
    ("kind", "deserved", "problems"),
    [
        ("solution", 3, ["notes/N.md:9: the solution is late"]),
        ("stub", 0, []),
        ("cheat", 0, []),
        ("wrong", 0, []),
        (
            *("wrong", 1),
            [
                "notes/N.md:9: the wrong gets 0 of 3 points, and deserves 1 (is late) "
                "(say its score, or change the tests)",
            ],
        ),
    ],
)
def test_an_answer_without_an_end_gets_nothing(kind: Kind, deserved: float, problems: list[str]) -> None:
    assert judged(kind, 1, 2, deserved, broken="is late") == problems


@pytest.mark.parametrize(
    ("trial", "trouble", "told"),
    [
        (Trial("a", "A", 8, STEPS, ()), "", "a is not proven: it has no solution"),
        (Trial("a", "A", 8, STEPS[:1], (Variant("stub", "s", 1, {}),)), "", "a is not proven: it has no tests"),
        (Trial("a", "A", 8, STEPS, (Variant("stub", "s", 1, {}),)), "it rains", "a is not proven: it rains"),
    ],
)
def test_what_could_not_be_tried(trial: Trial, trouble: str, told: str) -> None:
    (problem,) = proof("notes/N.md", trial, [], trouble).problems
    assert str(problem) == f"notes/N.md:8: {told}"


def test_counts_and_modes() -> None:
    outcomes = (Outcome("a-test-1", "isolated", 1), Outcome("a-test-2", "in-candidate", 2))
    variants = (
        Variant("solution", "the solution", 9, {}, 3),
        Variant("wrong", "w 1", 9, {}),
        Variant("wrong", "w 2", 9, {}),
    )
    tried = [Tried("the solution", "solution", outcomes), Tried("w 1", "wrong"), Tried("w 2", "wrong", outcomes)]
    trial = Trial("a", "A", 8, STEPS, variants)
    found = proof("notes/N.md", trial, [tried[0], Tried("w 1", "wrong", broken="late"), tried[2]])
    assert found.modes == (1, 1)
    assert (found.counted("solution"), found.counted("wrong"), found.counted("cheat")) == ((1, 1), (1, 2), (0, 0))
    data: dict[str, Any] = to_data(found)
    assert (data["isolated"], data["in_candidate"], data["sound"]) == (1, 1, False)
    assert [a["score"] for a in data["answers"]] == [3, 0, 3]


@pytest.mark.parametrize(
    ("kind", "mode", "advice"),
    [
        ("stub", "isolated", "mark the test `given=true`"),
        ("cheat", "isolated", "compare what the answer gives with a value"),
        ("cheat", "in-candidate", "assert also what must be false"),
    ],
)
def test_what_to_do_about_points_for_nothing(kind: Kind, mode: Mode, advice: str) -> None:
    tried = Tried("it", kind, (Outcome("a-test-1", mode, 1), Outcome("a-test-2", mode, 2)))
    (problem,) = proof("notes/N.md", Trial("a", "A", 8, STEPS, (Variant(kind, "it", 1, {}),)), [tried]).problems
    assert advice in problem.fix
