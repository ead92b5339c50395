"""The worksheet under attack: a small stock nbgrader notebook with tests of every kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coursemill.pure.grading import assignment
from coursemill.pure.grading.assignment import Assignment

Notebook = dict[str, Any]
WORKSHEET, NAME = "WS", "Shop"
HELPER = b'''"""What the shop sells."""

from dataclasses import dataclass


@dataclass
class Item:
    name: str
    cost: float


def discounted(cost, share):
    return cost * (1 - share)
'''
FILES = {"shop.py": HELPER, "stock.csv": b"name,cost\ntea,2.5\nrice,1.25\n"}
SECRETS = ("31337", "rooibos", "hunter2", "8128", "6174", "MMXXIV")
"""What stands in hidden tests alone."""

GIVEN = """
import io
import subprocess
import unittest

import numpy as np
import pandas as pd
from shop import Item, discounted

RATES = {"EUR": 1.0, "USD": 1.25}
"""
ANSWERS = {
    "price": """
def price(text):
    return float(text[1:]) / RATES["USD" if text[0] == "$" else "EUR"]
""",
    "shares": """
def shares(values):
    values = np.array(values, dtype=float)
    return values / values.sum()
""",
    "totals": """
def totals(frame):
    return frame.groupby("name", as_index=False)["cost"].sum()
""",
    "basket": """
class Basket:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)

    def total(self):
        return sum(item.cost for item in self.items)

    def __len__(self):
        return len(self.items)
""",
    "visit": """
def visit(items, guest):
    for item in items:
        guest(item)
""",
    "limit": "limit = 42",
    "roman": """
def roman(number):
    found = ""
    for size, sign in ((1000, "M"), (10, "X"), (5, "V"), (4, "IV"), (1, "I")):
        while number >= size:
            found, number = found + sign, number - size
    return found
""",
    "greet": """
def greet(name):
    return f"Hello {name}!"
""",
    "label": """
def label(item):
    with open("label.txt", "w") as file:
        file.write(f"{item.name}: {item.cost}")
""",
    "made": "made = 7",
    "last": """
def last():
    return "honest"
""",
}
VISIBLE = {
    "price-test": (
        "price",
        1,
        """
assert isinstance(price("$5"), float), "a price is a float"
assert price("$50") == 40.0, "dollars become euros"
""",
    ),
    "price-unit": (
        "price",
        1,
        """
class TestPrice(unittest.TestCase):
    def test_euros(self):
        self.assertEqual(price("€5"), 5.0)

    def test_dollars(self):
        self.assertAlmostEqual(price("$2.5"), 2.0)

ran = unittest.TextTestRunner(io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(TestPrice))
assert ran.wasSuccessful(), "the unit tests pass"
""",
    ),
    "shares-test": (
        "shares",
        1,
        """
np.testing.assert_allclose(shares([1, 3]), [0.25, 0.75])
assert np.isclose(shares([2, 2])[0], 0.5)
""",
    ),
    "totals-test": (
        "totals",
        2,
        """
frame = pd.DataFrame({"name": ["tea", "rice", "tea"], "cost": [1.0, 2.0, 3.0]})
pd.testing.assert_frame_equal(totals(frame), pd.DataFrame({"name": ["rice", "tea"], "cost": [2.0, 4.0]}))
""",
    ),
    "totals-equals": (
        "totals",
        1,
        """
frame = pd.DataFrame({"name": ["a", "a"], "cost": [1, 2]})
assert totals(frame).equals(pd.DataFrame({"name": ["a"], "cost": [3]}))
""",
    ),
    "basket-test": (
        "basket",
        2,
        """
basket = Basket()
basket.add(Item("tea", 2.5))
basket.add(Item("rice", 1.5))
assert basket.total() == 4.0 and len(basket) == 2
""",
    ),
    "visit-test": (
        "visit",
        1,
        """
seen = []
visit(["a", "b"], seen.append)
assert seen == ["a", "b"], f"each item is visited once: {seen}"
""",
    ),
    "limit-test": ("limit", 1, "assert limit == 42"),
    "roman-zip": (
        "roman",
        1,
        """
for found, wanted in zip(map(roman, [1, 5, 14]), ["I", "V", "XIV"]):
    assert found == wanted
""",
    ),
    "roman-part": (
        "roman",
        2,
        """
right = 0
for number, wanted in {3: "III", 15: "XV", 1004: "MIV", 21: "XXI"}.items():
    right += 0.5 * (roman(number) == wanted)
right
""",
    ),
    "limit-part": ("limit", 1, "limit / 42"),
    "greet-starts": (
        "greet",
        1,
        """
assert greet("Ada").startswith("Hello Ada")
assert greet("Bob").endswith("!")
""",
    ),
    "label-test": (
        "label",
        1,
        """
label(Item("tea", 2.5))
with open("label.txt") as file:
    assert file.read() == "tea: 2.5"
""",
    ),
    "label-shell": (
        "label",
        1,
        """
label(Item("tea", 2.5))
assert subprocess.check_output(["cat", "label.txt"], text=True) == "tea: 2.5", "the label can be read by others"
""",
    ),
    "made-test": ("made", 1, "assert get_ipython().user_ns['made'] == 7"),
    "last-test": ("last", 1, 'assert last() == "honest"'),
}
HIDDEN = {
    "price-hidden": ("price", 2, "assert price('€31337') == 31337, f\"got {price('€31337')}\""),
    "totals-hidden": (
        "totals",
        2,
        """
frame = pd.DataFrame({"name": ["rooibos", "rooibos"], "cost": [4000, 4128]})
assert totals(frame).cost.tolist() == [8128]
""",
    ),
    "greet-hidden": ("greet", 2, 'assert greet("hunter2") == "Hello hunter2!", "greets everybody"'),
    "roman-hidden": ("roman", 2, 'assert roman(2024) == "MMXXIV"'),
    "label-hidden": (
        "label",
        1,
        """
label(Item("rooibos", 31337))
written = subprocess.check_output(["cat", "label.txt"], text=True)
assert written == "rooibos: 31337", "the label names it and its cost"
""",
    ),
    "made-hidden": ("made", 1, "assert get_ipython().user_ns['made'] + 6167 == 6174"),
}
POINTS = sum(points for _, points, _ in (VISIBLE | HIDDEN).values())
HONEST = 1.0
"""What `last`, the answer that every attacker has right, gives."""
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def instructors() -> Notebook:
    """The notebook in `source/`."""
    cells = [_cell(GIVEN.strip(), "start", locked=True)]
    for name, solution in ANSWERS.items():
        head, body = _split(solution.strip())
        source = f"{head}{_indented(body, head, '### BEGIN SOLUTION', '### END SOLUTION')}"
        cells.append(_cell(source, name, solution=True))
        for test, (of, points, code) in (VISIBLE | HIDDEN).items():
            if of == name:
                hidden = f"# Hidden.\n### BEGIN HIDDEN TESTS\n{code.strip()}\n### END HIDDEN TESTS"
                source = hidden if test in HIDDEN else code.strip()
                cells.append(_cell(source, test, grade=True, locked=True, points=points))
    return _notebook(cells)


def released() -> Notebook:
    """The notebook that students get."""
    cells = []
    for item in read().items:
        cells.append(_cell(item.released, item.id, **item.metadata["nbgrader"]))
    return _notebook(cells)


def read() -> Assignment:
    """The instructor's notebook as the grader knows it."""
    return assignment.read(instructors(), WORKSHEET, NAME)


def handed_in(answers: Mapping[str, str]) -> Notebook:
    """A submission with these answers; the others are as they were released."""
    made = released()
    for cell in made["cells"]:
        name = cell["metadata"]["nbgrader"]["grade_id"]
        if name in answers:
            cell["source"] = answers[name]
    return made


def added(source: str, name: str = "mine") -> dict[str, Any]:
    """A cell of the student's own."""
    made = _cell(source, name)
    return {**made, "metadata": {}}


def _split(solution: str) -> tuple[str, str]:
    """The line that students keep, and what they write."""
    head, line, body = solution.partition("\n")
    return (f"{head}\n", body) if line and head.endswith(":") else ("", solution)


def _indented(body: str, head: str, begin: str, end: str) -> str:
    space = "    " if head else ""
    return f"{space}{begin}\n{body}\n{space}{end}"


def _cell(source: str, name: str, **about: Any) -> dict[str, Any]:
    labels = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False, "grade_id": name}
    metadata = {"nbgrader": {**labels, **about}}
    cell = {"cell_type": "code", "id": name, "metadata": metadata, "source": source}
    return {**cell, "outputs": [], "execution_count": None}


def _notebook(cells: list[dict[str, Any]]) -> Notebook:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.loads(
        json.dumps({"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5})
    )
