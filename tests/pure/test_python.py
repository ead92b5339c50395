"""Code is compiled as IPython would have it, every line stays where it is, and hostile code is just refused."""

import ast
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import python
from coursemill.pure.python import Problem

FINE = {
    "nothing": "",
    "plain": "x = 1\n",
    "await": "await coroutine\nasync for x in y: pass\n",
    "line magic": "%matplotlib inline\nx = 1\n",
    "shell": "!ls 'a (\nfiles = !ls *.py\n",
    "magic in a block": "if x:\n    %pwd\n    y = %timeit -o f()\n",
    "help": "len?\n?len\nlen??\n",
    "continued magic": "%run a \\\n  b\nx = 1\n",
    "python inside of a cell magic": "%%time\nx = 1\n",
    "something else inside of a cell magic": "%%bash\nfor x in (\n",
    "only looks like magic": "text = '''\n%s\n!\n'''\nx = (5\n  % 3)\n",
    "many magics": "x = 1\n%pwd\n" * 1_000,
    "surrogates in an escape": "x = '\\ud800'\n",
}
WRONG = {
    "bracket": ("x = (1\n", 1, 5),
    "below magics": ("%pwd\n!ls (\ndef f(:\n", 3, 7),
    "below a continued magic": ("%run a \\\n  b\nx = (1\n", 3, 5),
    "below a cell magic": ("\n%%time\n\nx = (1\n", 4, 5),
    "return": ("x = 1\nreturn x\n", 2, 1),
    "indentation": ("def f():\nx = 1\n", 2, 1),
    "NUL": ("x = 1\x00\n", 1, 1),
    "surrogate": ("x = '\ud800'\n", 1, 1),
}
DEEP = {
    "brackets": "(" * 100_000,
    "minus": "-" * 100_000 + "1",
    "sum": "1" + "+1" * 100_000,
    "attributes": "x" + ".a" * 100_000,
    "calls": "f" + "()" * 100_000,
    "blocks": "".join(" " * n + "if x:\n" for n in range(200)),
    "elif": "if x: pass\n" + "elif x: pass\n" * 15_000,
    "long": "x = 1\n" * 2_000_000,
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_what_a_cell_may_hold(text: str) -> None:
    assert python.look(text).problem is None
    assert python.tree(text) is not None


@pytest.mark.parametrize(("text", "line", "col"), WRONG.values(), ids=WRONG)
def test_where_a_cell_is_wrong(text: str, line: int, col: int) -> None:
    problem = python.look(text).problem
    assert problem is not None
    assert (problem.line, problem.col) == (line, col)
    assert python.tree(text) is None


def test_a_file_is_plain_python() -> None:
    assert python.look("x = 1\n%pwd\n", cell=False).problem == Problem(2, 1, "invalid syntax")
    assert python.look("await x\n", cell=False).problem is not None
    assert python.look("x = 1\n", cell=False).problem is None


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_hostile_code_is_refused_and_not_at_length(text: str) -> None:
    start = time.monotonic()
    assert python.look(text).problem is not None
    assert python.tree(text) is None
    assert time.monotonic() - start < 60


def test_code_that_would_compute_for_ages_is_not_executed() -> None:
    assert python.look("x = 'a' * 10**12\ny = 9**9**9\nwhile True: pass\n").problem is None


def test_warnings_are_told_apart_from_mistakes() -> None:
    found = python.look("%pwd\nx = '\\d'\nassert (x, 'always true')\n").warnings
    assert [(one.line, one.message.partition(" ")[0]) for one in found] == [(2, "invalid"), (3, "assertion")]
    assert python.look("x = '\\d'\nx = (\n").warnings == ()


@given(st.text(alphabet="ax1 =:()[]{}'\"\\#%!?\n\t\r\x00\u00e9\ud800", max_size=60), st.booleans())
def test_no_text_raises(text: str, cell: bool) -> None:
    problem = python.look(text, cell=cell).problem
    assert problem is None or (problem.line >= 1 and problem.col >= 1 and problem.message)
    tree = python.tree(text, cell=cell)
    assert isinstance(tree, ast.Module) if problem is None else tree is None


def test_an_indentation_that_fits_nowhere_beside_a_magic_is_a_problem() -> None:
    assert python.look("  !a\n x = 1\nif x:\n    y\n  z").problem


def test_other_line_breaks_than_pythons_stay_in_their_line() -> None:
    found = python.look('x = "a\u2028b\x85"\n%time y = 1\n1 +\n')
    assert found.problem is not None
    assert found.problem.line == 3
