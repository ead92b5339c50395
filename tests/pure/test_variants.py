"""What is tried of a lesson, and that the stub is nbgrader's."""

import pytest

from coursemill.effects import quick
from coursemill.model import Lesson
from coursemill.pure import editions, parse, variants
from coursemill.pure.trials import Owned, Part, Role, Source, Step, Trial
from coursemill.pure.vault import VaultMap

NOTE = """\
---
worksheet: WS_1
---
# Shop

```python
rows = []
```

> [!exercise|id=shop] A shop

```python role="solution"
import math

def area(r):
    ### BEGIN SOLUTION
    return math.pi * r * r
    ### END SOLUTION
```

```python role="solution" path="shop/tax.py"
RATE = 2
```

```python role="test" points=1 given=true
assert area
```

```python role="test" points=2 hidden=true
assert area(0) == 0
```

```python role="wrong" score=1
def area(r):
    return r
```

```python role="wrong" path="shop/tax.py" score=0.5
RATE = 3
```

> [!exercise|id=why points=2 grade=manual] Why?
> Say it.

```python
after = 1
```

> [!quiz|id=one points=1] One?
> - [ ] a
> - [x] b
"""


def understood(text: str) -> Lesson:
    lesson = parse.lesson("notes/Shop.md", text)
    assert [f for f in lesson.findings if f.severity == "error"] == []
    return lesson


def planned(text: str) -> tuple[Part, ...]:
    lesson = understood(text)
    return variants.parts(lesson, editions.instructor(lesson, editions.Context(VaultMap.of([lesson]), "WS_1")))


def trial(name: str) -> Trial:
    return next(p for p in planned(NOTE) if isinstance(p, Trial) and p.id == name)


def test_cells_and_exercises_stand_in_order() -> None:
    kinds = [p.id if isinstance(p, Trial) else p.source.text for p in planned(NOTE)]
    assert kinds == ["rows = []", "shop", "after = 1", "one"]


def test_tags_are_heeded() -> None:
    cells = '```python tags="skip-execution"\n1\n```\n\n```python tags="raises-exception"\n2\n```\n'
    note = f"---\nworksheet: W\n---\n{cells}"
    assert [(p.source.text, p.may_raise) for p in planned(note) if isinstance(p, Step)] == [("2", True)]


def test_the_steps_of_an_exercise() -> None:
    steps = trial("shop").steps
    assert [(s.role, s.file, s.points, s.given, s.source.line(1)) for s in steps] == [
        ("answer", "", 0, False, 13),
        ("code", "", 0, False, 21),
        ("answer", "shop/tax.py", 0, False, 22),
        ("test", "", 1, True, 26),
        ("test", "", 2, False, 30),
    ]


def test_the_answers_of_an_exercise() -> None:
    shop = trial("shop")
    assert [(v.kind, v.name, v.line, v.score) for v in shop.variants] == [
        ("solution", "the solution", 12, 3),
        ("stub", "the stub", 12, 0),
        ("wrong", "wrong answer 1", 33, 1),
        ("wrong", "wrong answer 2", 38, 0.5),
        ("cheat", "an object equal to everything", 12, 0),
        ("cheat", "a function that returns such objects", 12, 0),
    ]
    first, second = (v.answers for v in shop.variants[2:4])
    assert [s.text for s in first.values()] == ["def area(r):\n    return r", shop.steps[2].source.text]
    assert [s.text for s in second.values()] == [shop.steps[0].source.text, "%%writefile shop/tax.py\nRATE = 3"]
    assert [s.lines for s in second.values()][1] == (39, 39)


def test_cheats_bind_what_the_solution_defines() -> None:
    first, second = (list(v.answers.values()) for v in trial("shop").variants[-2:])
    assert first[0].text.startswith("import math\nclass Yes:")
    assert first[0].text.endswith("area = Yes()\n")
    assert first[1].text.startswith("%%writefile shop/tax.py\n\nclass Yes:")
    assert first[1].text.endswith("RATE = Yes()\n")
    assert "def area(*args, **kwargs):\n    return Yes()\n" in second[0].text


def test_every_choice_of_a_quiz_is_tried() -> None:
    quiz = trial("one")
    assert [(v.kind, v.name, v.score) for v in quiz.variants] == [
        ("solution", "the answer B", 1),
        ("stub", "the stub", 0),
        ("choice", "the answer A", 0),
        ("choice", "no answer", 0),
        ("cheat", "an object equal to everything", 0),
    ]


def test_an_exercise_without_solution_has_nothing_to_try() -> None:
    text = '---\nworksheet: W\n---\n> [!exercise|id=a] A\n\n```python role="test" points=1\nassert 1\n```\n'
    (part,) = planned(text)
    assert isinstance(part, Trial)
    assert part.variants == ()


STUBS = {
    "def f(x):\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n\nprint(1)": (
        "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n\nprint(1)"
    ),
    "### BEGIN SOLUTION\nx = 1\n### END SOLUTION": "# YOUR CODE HERE\nraise NotImplementedError()",
    "a = 1\n  # BEGIN SOLUTION\nb\n# END SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n": (
        "a = 1\n  # YOUR CODE HERE\n  raise NotImplementedError()\n# YOUR CODE HERE\nraise NotImplementedError()\n"
    ),
}


@pytest.mark.parametrize(("text", "expected"), STUBS.items())
def test_stub(text: str, expected: str) -> None:
    found = variants.stub(Source(text, tuple(range(1, text.count("\n") + 2))))
    assert found.text == expected
    assert len(found.lines) == expected.count("\n") + 1


@pytest.mark.nbgrader
@pytest.mark.parametrize("text", STUBS)
def test_the_stub_is_what_nbgrader_makes(text: str) -> None:
    with quick.imports():
        from nbformat.v4 import new_code_cell, new_notebook
        from nbgrader.preprocessors import ClearSolutions

    about = {"schema_version": 3, "solution": True, "grade": False, "locked": False, "task": False, "grade_id": "a"}
    notebook = new_notebook(cells=[new_code_cell(text, metadata={"nbgrader": about})])
    made, _ = ClearSolutions().preprocess(notebook, {})
    assert variants.stub(Source(text, tuple(range(text.count("\n") + 1)))).text == made.cells[0].source


def test_what_an_answer_owns() -> None:
    def step(role: Role, text: str) -> Step:
        return Step("x", role, Source(text, (1,)))

    owned = Owned()
    for one in (
        step("answer", "import re\ndef f(): ..."),
        step("code", "a = f()\nb = 1"),
        step("answer", "%%writefile shop/tax.py\nRATE = 1"),
        step("code", "from shop.tax import RATE\nimport math"),
    ):
        owned = owned.after(one, one.source)
    assert owned == Owned(frozenset({"re", "f", "a", "RATE"}), frozenset({"shop/tax.py"}))
