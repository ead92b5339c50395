"""How each test of a notebook is examined: by a solution that runs in this process, and by one in the sandbox."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from coursemill.course.calibrate import calibrate
from coursemill.effects.grading import plans
from coursemill.effects.grading.examination import examine
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.plan import Given, Look, Plan
from coursemill.pure.grading.verdict import Outcome

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
Cells = tuple[str, ...]


def package(*cells: str, files: Mapping[str, bytes] | None = None, hidden: frozenset[int] = frozenset()) -> Package:
    """`given: x = 1`, `answer: y = 2`, `test: assert y`, with ids g0, a1, t2."""
    items = []
    for number, cell in enumerate(cells):
        role, _, source = cell.partition(": ")
        released = STUB if role == "answer" else source
        at = hidden if role == "test" else frozenset()
        place = f"notes/L.md:{10 * number}"
        items.append(Item(f"{role[0]}{number}", role, "code", source, released, 1.0, place=place, hidden=at))  # type: ignore[arg-type]
    return Package(Assignment("WS", "L", tuple(items)), files=files or {})


@dataclass(frozen=True)
class Run:
    """What one run of the solution told."""

    outcomes: tuple[Outcome, ...]
    seconds: Mapping[str, float]
    looks: Mapping[str, Look]
    values: Mapping[str, Mapping[str, bytes]]
    errors: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    liberties: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Here:
    """A solution that runs in this process, without a wall: JSON's values are plain data.

    `refuse` says of a look whether the wall would be in a test's way: `refuse("t2", look)`.
    """

    def __init__(self, refuse: Any = lambda test, look: False) -> None:
        self.refuse = refuse
        self.runs: list[list[str]] = []

    def __call__(self, package: Package, capture: Any, tries: Any, options: Options) -> Run:
        self.inside: dict[str, Any] = {"runs": len(self.runs), "get_ipython": lambda: self}
        self.beside: dict[str, Any] = {}
        plan, outcomes, looks, values = package.plan, [], {}, {}
        for item in package.assignment.items:
            if item.role == "test":
                outcome = None
                for look in (plan.looks[item.id], *tries.get(item.id, ())):
                    outcome = self.test(item, look)
                    if outcome.status == "passed":
                        looks[item.id] = look
                        break
                outcomes.append(outcome)
                exec(plan.looks[item.id].leaves, self.inside)
            else:
                given = plan.given.get(item.id, Given())
                exec(item.source, self.inside)
                names = capture.get(item.id, ())
                values[item.id] = {n: v for n in names if n in self.inside and (v := dumped(self.inside[n]))}
                self.give({**given.values, **values[item.id]}, given.define)
        self.runs.append([outcome.test for outcome in outcomes])
        return Run(tuple(outcomes), dict.fromkeys(values, 0.5), looks, values)

    def run_cell(self, source: str, **_: Any) -> None:
        with suppress(Exception):
            exec(source, self.inside)

    def give(self, values: Mapping[str, bytes], define: str) -> None:
        self.beside.update({name: json.loads(data) for name, data in values.items()})
        exec(define, self.beside)

    def test(self, item: Item, look: Look) -> Outcome:
        status, reason = "passed", ""
        try:
            if self.refuse(item.id, look):
                raise TypeError("it cannot cross")
            if look.mode == "isolated":
                exec(item.source, self.beside | {n: self.inside[n] for n in look.names if n in self.inside})
            else:
                exec(look.before, self.inside)
                exec(item.source, self.inside)
        except Exception as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        return Outcome(item.id, status, item.points, reason=reason, place=item.place)  # type: ignore[arg-type]


def dumped(value: Any) -> bytes:
    try:
        return json.dumps(value).encode()
    except TypeError:
        return b""


def plan(*cells: str, here: Here | None = None, **about: Any) -> Plan:
    return calibrate(package(*cells, **about), Options(), rehearse=here or Here())


def test_two_runs_are_enough_where_all_tests_are_isolated() -> None:
    here = Here()
    found = plan("given: import re\nwords = ['a']", "answer: f = len", "test: assert f(words) == 1", here=here)
    assert found.looks == {"t2": Look("isolated", ("f",))}
    assert found.given == {"g0": Given("", {"words": b'["a"]'})}
    assert found.imports == ("re",)
    assert found.seconds == {"g0": 0.5, "a1": 0.5}
    assert here.runs == [["t2"], ["t2"]]


def test_what_is_no_plain_data_is_looked_up() -> None:
    found = plan("given: words = {'a'}", "answer: f = len", "test: assert f(words) == 1")
    assert found.looks["t2"].names == ("f", "words")
    assert found.given == {}


def test_data_that_are_others_in_every_run_are_looked_up() -> None:
    found = plan("given: x = f'{runs}'\ny = [2]\nz = [x]", "answer: f = len", "test: assert f(x) == f(y) and z")
    assert found.looks["t2"].names == ("f", "x", "z")
    assert found.given == {"g0": Given("", {"y": b"[2]"})}


def test_data_that_the_solution_changes_are_looked_up() -> None:
    found = plan("given: rows = [3, 1]", "answer: rows.sort()", "test: assert rows == [1, 3]")
    assert found.looks["t2"].names == ("rows",)


@pytest.mark.parametrize(
    ("refuse", "expected"),
    [
        (lambda test, look: not look.files, Look("isolated", ("f",), files=True)),
        (lambda test, look: "C" not in look.names, Look("isolated", ("C", "f"))),
        (lambda test, look: not ("C" in look.names and look.files), Look("isolated", ("C", "f"), files=True)),
    ],
)
def test_tests_climb_as_far_as_they_must(refuse: Any, expected: Look) -> None:
    found = plan("given: class C: pass", "answer: f = len", "test: assert f([C()]) == 1", here=Here(refuse))
    assert found.looks["t2"] == expected


def test_a_test_that_needs_live_objects_has_twins_and_a_reason() -> None:
    here = Here(lambda test, look: test == "t2" and look.mode == "isolated")
    found = plan(
        "answer: f = len",
        "test: import math\nassert f([]) == 0",
        "test: assert f([1]) == 1 + 0 * math.pi and f",
        "given: x = 3",
        "test: assert f([1]) == 1",
        here=here,
    )
    look = found.looks["t2"]
    assert (look.mode, look.before, look.trouble) == ("in-candidate", "import math", "")
    assert look.why == "TypeError: it cannot cross"
    assert look.twins == ("assert f([1]) == ... and f", "assert f([1]) == 1 + 0 * math.pi and (not f)")
    assert found.looks["t1"].mode == found.looks["t4"].mode == "isolated"
    assert here.runs[2:4] == [["t2"], ["t1", "t4"]], "nothing behind it; then the others without it"
    assert here.runs[4:] == [["t2", "t2~twin-0", "t2~twin-1", "t2~twin-2"]]


def test_twins_that_pass_are_dropped() -> None:
    here = Here(lambda test, look: look.mode == "isolated")
    found = plan("answer: x = 3", "test: if x == 4:\n    assert x == 3", here=here)
    assert found.looks["t1"].twins == ()
    found = plan("answer: x = 3", "test: assert x == 3 and x < 5", here=here)
    assert found.looks["t1"].twins == (
        "assert x == 4 and x < 5",
        "assert x == 3 and x < -1e999",
        "assert x == ... and x < 5",
    )


def test_a_test_that_can_be_run_only_once_has_no_twins() -> None:
    here = Here(lambda test, look: look.mode == "isolated")
    found = plan("answer: rows = []", "test: rows.append(1)\nassert len(rows) == 1", here=here)
    assert (found.looks["t1"].mode, found.looks["t1"].twins, found.looks["t1"].trouble) == ("in-candidate", (), "")


def test_a_pass_that_earlier_tries_have_made_is_none() -> None:
    count = "answer: n = 0\ndef bump():\n    global n\n    n += 1"
    found = plan(count, "test: bump()\nassert n == 1", "test: bump()\nassert n == 2")
    assert [(look.mode, look.twins, look.trouble) for look in found.looks.values()] == [("in-candidate", (), "")] * 2


def test_a_test_that_the_solution_fails_is_named_with_its_place() -> None:
    found = plan("answer: x = 3", "test: assert x == 4", "test: assert x == 3")
    assert found.looks["t1"] == Look("isolated", ("x",), trouble="AssertionError: ")
    assert found.looks["t2"].trouble == ""


def test_a_test_that_passes_only_sometimes_is_named() -> None:
    found = plan("answer: x = runs", "test: assert x == 0, 'again'")
    assert found.looks["t1"].trouble == "it passes only sometimes: AssertionError: again"


def test_a_test_that_spoils_its_own_second_try_gets_another_chance() -> None:
    tried: Counter[int] = Counter()

    def once(test: str, look: Look) -> bool:
        tried[len(here.runs)] += 1
        return not look.files or tried[len(here.runs)] > 1

    here = Here(once)
    found = plan("answer: x = 3", "test: assert x == 3", here=here)
    assert found.looks["t1"] == Look("isolated", ("x",), files=True)


def test_what_later_cells_need_of_hidden_lines_puts_a_test_into_the_candidate() -> None:
    cells = ("answer: f = len", "test: n = f([])\nassert n == 0", "given: print(n)", "test: assert f([1]) == 1")
    found = plan("answer: n = 1", *cells[:2], "given: m = 1", "test: assert m")
    assert found.looks["t2"].mode == "isolated"
    found = calibrate(package(*cells, hidden=frozenset({1, 2})), Options(), rehearse=Tolerant())
    assert found.looks["t1"].mode == "in-candidate"
    assert "hidden lines" in found.looks["t1"].why
    assert found.looks["t3"].mode == "isolated"


class Tolerant(Here):
    """Goes on when a cell fails, as a kernel does."""

    def __call__(self, package: Package, capture: Any, tries: Any, options: Options) -> Run:
        items = tuple(
            item if item.role == "test" else Item(item.id, item.role, "code", _caught(item.source), item.released)
            for item in package.assignment.items
        )
        assignment = Assignment("WS", "L", items)
        return super().__call__(Package(assignment, package.plan, package.files), capture, tries, options)


def _caught(source: str) -> str:
    lines = "".join(f"    {line}\n" for line in (source or "pass").split("\n"))
    return f"try:\n{lines}except NameError:\n    pass"


def test_nothing_is_run_where_there_is_nothing_to_test() -> None:
    here = Here()
    assert plan("given: import json", here=here) == Plan(imports=("json",))
    assert here.runs == []


def test_plans_are_kept_until_something_changes(tmp_path: Path) -> None:
    cells = ("given: words = ['a']", "answer: f = len", "test: assert f(words) == 1")
    here = Here()
    first = calibrate(package(*cells), Options(), tmp_path, here)
    assert calibrate(package(*cells), Options(), tmp_path, here) == first
    assert calibrate(package(*cells), Options(timeout=5), tmp_path, here) == first
    assert len(here.runs) == 2
    for other in (package(cells[0], "answer: f = len ", cells[2]), package(*cells, files={"a.csv": b"1"})):
        calibrate(other, Options(), tmp_path, here)
    assert len(here.runs) == 6
    for data in (b"{", b'{"looks": 3}', b'{"looks": {"t": {}}}', b"[]"):
        for file in (tmp_path / plans.FOLDER).iterdir():
            file.write_bytes(data)
        assert calibrate(package(*cells), Options(), tmp_path, here) == first


def test_a_kept_plan_is_read_back_as_it_was() -> None:
    look = Look("in-candidate", ("a",), frozenset("b"), True, "import c", "d = 1", ("e",), "f", "g", frozenset("h"))
    plan = Plan({"t": look}, {"g": Given("h", {"i": b"\0"})}, ("j.py",), ("k",), {"g": 0.5})
    assert plans.from_data(json.loads(json.dumps(plans.to_data(plan)))) == plan


GIVEN = """given: import re
from dataclasses import dataclass
from os.path import *
import numpy as np
import pandas as pd
LIMIT = 3
noise = np.random.default_rng().random(3)
df = pd.DataFrame({"a": [1, 2, 3]})
@dataclass
class Node:
    value: int
    children: list
tree = Node(1, [Node(2, []), Node(3, [])])
class Checker:
    def ok(self, f): return f(2) == 4
checker = Checker()
%matplotlib inline"""
HELPER = """given: %%writefile helper.py
def twice(x): return 2 * x"""
ANSWER = """answer: from pathlib import Path
def total(node): return node.value + sum(total(c) for c in node.children)
def square(x): return x * x
def make(): return Node(7, [])
def apply(f, xs): return [f(x) for x in xs]
def boom(): raise ValueError('no')
def write(path): Path(path).write_text('hi')
df['b'] = df.a * 2
counter = 0
def bump():
    global counter
    counter += 1"""
ISOLATED = {
    "an instance of a given class": "assert total(tree) == 6 and total(Node(1, [Node(5, [])])) == 6",
    "one that an answer makes": "assert make() == Node(7, []) and isinstance(make(), Node)",
    "a helper of the instructor's": "assert checker.ok(square)",
    "a module of the instructor's": "import helper\nassert helper.twice(square(2)) == 8",
    "names of a star import": "assert basename('a/b') == 'b' and square(2) == 4",
    "a frame that an answer changed": "assert list(df.b) == [2, 4, 6]",
    "data that no two runs share": "assert np.allclose(apply(lambda x: x, noise), noise)",
    "a callback": "assert apply(lambda x: x + LIMIT, [1]) == [4]",
    "an error": "try:\n    boom()\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'no'",
    "a name as a text": "assert 'square' in globals() and callable(square)",
    "what a magic binds": "%%capture out\nprint(square(3))",
    "what a magic has bound": "assert out.stdout == '9\\n'",
    "points in part": "0.5 if square(2) == 4 else 0",
}


@pytest.mark.sandbox
def test_what_crosses_the_wall() -> None:
    tests = [f"test: {source}" for source in ISOLATED.values()]
    files, live = "test: write('out')\nassert Path('out').read_text() == 'hi'", "test: bump()\nassert counter == 1"
    found = calibrate(package(GIVEN, HELPER, ANSWER, *tests, files, live, "test: assert square(2) == 5"), Options())
    looks = dict(zip([*ISOLATED, "files", "live", "wrong"], found.looks.values(), strict=True))
    assert {name: looks[name] for name in ISOLATED if looks[name].mode != "isolated" or looks[name].trouble} == {}
    assert {name for name in looks if looks[name].files} == {"files"}
    assert looks["a helper of the instructor's"].names == ("square",)
    assert "noise" in looks["data that no two runs share"].names
    assert looks["live"].mode == "in-candidate" or looks["live"].trouble == ""
    assert looks["wrong"].trouble.endswith("AssertionError in `assert square(2) == 5`")
    assert {name for name in looks if looks[name].trouble} == {"wrong"}


@pytest.mark.sandbox
def test_the_solution_gets_all_points_where_tests_use_what_others_have_made() -> None:
    """The second is in the candidate; the third uses its import, the fourth also what it has computed."""
    sheet = package(
        "answer: def f(x): return x * x",
        "test: import json\nassert f(2) == 4",
        "test: import dis, math\nmade = list(dis.get_instructions(f))\nassert made",
        "test: assert math.floor(f(2)) == 4 and json.dumps(f(1)) == '1'",
        "test: assert len(made) > 2",
        "test: assert f(3) == 9",
    )
    found = calibrate(sheet, Options())
    assert [look.mode[:2] for look in found.looks.values()] == ["is", "in", "is", "in", "is"]
    verdict = examine(replace(sheet, plan=found), Handed("ada", _handed(sheet)), Options())
    assert [outcome.status for outcome in verdict.outcomes] == ["passed"] * 5, verdict.outcomes


@pytest.mark.sandbox
def test_tests_in_the_candidate_may_follow_what_earlier_ones_did() -> None:
    account = "answer: class Account:\n    balance = 0\n    def put(self, n): self.balance += n\nmine = Account()"
    sheet = package(
        "given: import dis\nlimits = [1, 2]",
        account,
        "test: mine.put(5)\nassert mine.balance == 5",
        "test: assert mine.balance == 5 and list(dis.get_instructions(mine.put))",
        "test: mine.put(5)\nassert mine.balance == 10\nlimits.append(3)",
        "test: assert mine.balance == 10 and list(dis.get_instructions(mine.put))",
        "test: assert limits == [1, 2, 3]",
    )
    found = calibrate(sheet, Options())
    assert [look.mode[:2] for look in found.looks.values()] == ["is", "in", "is", "in", "is"]
    assert {look.trouble for look in found.looks.values()} == {""}
    verdict = examine(replace(sheet, plan=found), Handed("ada", _handed(sheet)), Options())
    assert [outcome.status for outcome in verdict.outcomes] == ["passed"] * 5, verdict.outcomes


def _handed(sheet: Package) -> bytes:
    """The solution as a student hands it in."""
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": item.id,
            "metadata": {"nbgrader": {"grade_id": item.id, "grade": item.role == "test", "schema_version": 3}},
            "source": item.source,
            "outputs": [],
            "execution_count": None,
        }
        for item in sheet.assignment.items
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
