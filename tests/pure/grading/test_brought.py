"""What of a student's folder counts."""

import pytest

from coursemill.pure.grading import brought
from coursemill.pure.grading.brought import Given

GIVEN = Given(
    files=frozenset({"shop.py", "data/prices.csv", "tools/__init__.py", "mine.py"}),
    editable=frozenset({"mine.py"}),
    libraries=frozenset({"pandas", "bs4"}),
)


@pytest.mark.parametrize(
    "path",
    [
        "answer.csv",
        "helpers.py",
        "data/mine.csv",
        "pkg/json.py",
        "mine.py",
        "pandas/notes.txt",
        "json/a.json",
        "Queue.py",
        "log4j.properties",
        "pictures/a.png",
    ],
)
def test_what_students_may_bring(path: str) -> None:
    assert GIVEN.refusal(path.split("/")) == ""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("json.py", "Python's own `json`"),
        ("json.cpython-311-x86_64-linux-gnu.so", "Python's own `json`"),
        ("random/__init__.py", "Python's own `random`"),
        ("email/deep/er/a.py", "Python's own `email`"),
        ("pandas.py", "library `pandas`"),
        ("bs4/element.PY", "library `bs4`"),
        ("sitecustomize.py", "when it starts"),
        ("usercustomize.py", "when it starts"),
        ("lib/evil.pth", "when it starts"),
        ("conftest.py", "when it starts"),
        ("ipython_config.py", "when it starts"),
        ("ipython_kernel_config.json", "when it starts"),
        ("jupyter_notebook_config.py", "when it starts"),
        (".ipython/profile_default/startup/0.py", "when it starts"),
        (".pdbrc", "when it starts"),
        ("matplotlibrc", "when it starts"),
        ("venv/pyvenv.cfg", "when it starts"),
        ("shop.py", "a file of the instructor's"),
        ("SHOP.py", "a file of the instructor's"),
        ("shop.py/x", "a file of the instructor's"),
        ("data", "a file of the instructor's"),
        ("data/PRICES.csv", "a file of the instructor's"),
        ("shop/__init__.py", "the instructor's `shop`"),
        ("shop.so", "the instructor's `shop`"),
        ("tools.py", "the instructor's `tools`"),
        ("tools/more.py", "the instructor's `tools`"),
    ],
)
def test_what_they_may_not(path: str, why: str) -> None:
    assert why in GIVEN.refusal(path.split("/"))


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        (["a"], ["a.ipynb", "a (1).ipynb", "x/a.ipynb"], {"a": "a.ipynb"}),
        (["a", "b"], ["b.ipynb"], {"b": "b.ipynb"}),
        (["a", "b"], ["A.ipynb", "b.ipynb"], {"a": "A.ipynb", "b": "b.ipynb"}),
        (["é"], ["e\u0301.ipynb"], {"é": "e\u0301.ipynb"}),
        (["a"], ["ws/a.ipynb"], {"a": "ws/a.ipynb"}),
        (["a", "b"], ["x/a.ipynb", "y/a.ipynb"], {}),
        (["a", "b"], ["a (1).ipynb", "b-Copy1.ipynb"], {"a": "a (1).ipynb", "b": "b-Copy1.ipynb"}),
        (["a", "b"], ["a_final.ipynb", "b_solution (2).ipynb"], {"a": "a_final.ipynb", "b": "b_solution (2).ipynb"}),
        (["a", "a2"], ["a2.ipynb", "a.ipynb"], {"a": "a.ipynb", "a2": "a2.ipynb"}),
        (["a", "a2"], ["a2.ipynb"], {"a2": "a2.ipynb"}),
        (["a"], ["homework.ipynb"], {"a": "homework.ipynb"}),
        (["a"], ["homework.ipynb", "other.ipynb"], {}),
        (["a", "b"], ["homework.ipynb"], {}),
    ],
)
def test_which_file_is_which_notebook(wanted: list[str], there: list[str], found: dict[str, str]) -> None:
    assert brought.notebooks(wanted, there) == found


def test_names_of_modules() -> None:
    there = ["numpy", "six.py", "_cffi.cpython-311-x86_64-linux-gnu.so", "numpy-2.0.dist-info", "a.pth", "b.txt"]
    assert set(brought.libraries(there)) == {"numpy", "six", "_cffi"}
