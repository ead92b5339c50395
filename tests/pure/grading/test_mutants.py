import ast
import contextlib
from random import Random

import pytest

from coursemill.pure.grading import mutants, similar, styles

SOURCE = '''def price(rows, least=2):
    """Say it."""
    total = 0
    names = []
    for row in rows:
        if row["n"] >= least and not row.get("gone"):
            total += row["n"] * 2  # twice
            names.append(row["name"])
    shown = ", ".join(name for name in names if name)
    return total, shown
'''
ROWS = [{"n": 2, "name": "a"}, {"n": 1, "name": "b"}, {"n": 5, "name": "", "gone": True}, {"n": 3, "name": "c"}]


def answer(source: str) -> object:
    names: dict[str, object] = {}
    exec(source, names)
    return names["price"](ROWS)  # type: ignore[operator] # the function above


def test_mutants_are_programs_with_one_mistake() -> None:
    made = mutants.mutants(SOURCE)
    assert len(made) == len(set(made)) >= 10
    right, wrong = answer(SOURCE), 0
    for mutant in made:
        ast.parse(mutant)
        with contextlib.suppress(Exception):
            wrong += answer(mutant) != right
            continue
        wrong += 1
    assert wrong >= 8
    assert made == mutants.mutants(SOURCE)


def test_loops_without_an_end_are_left_alone() -> None:
    made = mutants.mutants("def f(n):\n    while n > 0:\n        n -= 1\n    return n + 1")
    assert made
    assert all("while" not in text or "while n > 0:\n        n -= 1" in text for text in made)


@pytest.mark.parametrize("source", ["no Python", "", "x = y", "%%bash\nls", "x = " + "+".join(["a"] * 3000)])
def test_what_cannot_be_changed_has_no_mutants(source: str) -> None:
    assert isinstance(mutants.mutants(source), tuple)
    assert styles.restyled(source, Random(1))


def test_files_stay_files() -> None:
    assert mutants.mutants("%%writefile a.py\nx = 1") == ("%%writefile a.py\nx = 2",)
    assert styles.restyled("%%writefile a.py\nx=1", Random(1)).startswith("%%writefile a.py\n")


@pytest.mark.parametrize("seed", range(8))
def test_another_style_does_the_same(seed: int) -> None:
    changed = styles.restyled(SOURCE, Random(seed))
    assert changed != SOURCE
    assert "total" not in changed
    assert answer(changed) == answer(SOURCE)
    assert similar.prints([changed]) == similar.prints([SOURCE])


def test_names_that_others_see_are_kept() -> None:
    source = (
        "def f(a):\n    global g\n    g = a\n    def inner():\n        return seen\n    seen = a\n    return locals\n"
    )
    changed = styles.restyled(source, Random(2))
    assert all(name in changed for name in ("global g", "g = a", "seen = a"))


def test_scratch_runs_and_differs() -> None:
    made = [styles.scratch(Random(seed)) for seed in range(20)]
    for source in made:
        exec(source, {})
    assert not similar.pairs({str(n): [source] for n, source in enumerate(made)})
    assert len(similar.prints(made[:1])) >= similar.OWN
