"""How tests end, and what may not happen in the examiner."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursemill.effects.sandbox.inmate import candidate, examiner
from coursemill.effects.sandbox.inmate.mirror import Mirror

ANSWER = """
import time
def f(x):
    return x + 1
def bad(x):
    raise ValueError("it was " + str(x))
def nap(seconds):
    time.sleep(seconds)
def loop():
    while True:
        pass
code = "__import__('os').getpid()"
expression = "1 + (2 * 3)"
effect = "import builtins; builtins.here = 1"
class Seen:
    def _repr_html_(self):
        raise SystemExit
    _ipython_display_ = __repr__ = _repr_html_
odd = Seen()
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Any]) -> Any:
    return open_notebook(ANSWER)


@pytest.mark.parametrize(
    ("source", "hidden", "expected"),
    [
        ("assert f(1) == 3, f'f(1) is {f(1)}'", [], ("failed", "f(1) is 2", 1, "examiner")),
        ("assert f(1) == 3, f'f(1) is {f(1)}'", [1], ("failed", "f(1) is …", 1, "examiner")),
        ("\n\n# x\nassert f(1) == 3", [], ("failed", "in `assert f(1) == 3`", 4, "examiner")),
        ("assert f(1) == 3", [1], ("failed", "AssertionError", 1, "examiner")),
        ("bad(7)", [], ("error", "ValueError: it was 7", 1, "candidate")),
        ("x = 1\nbad(7)", [2], ("error", "ValueError", 2, "candidate")),
        ("x = 1\nassert f(1) == 3, 'seen'\n\nbad(7)", [4], ("failed", "seen", 2, "examiner")),
        ("1 / 0", [1], ("error", "ZeroDivisionError", 1, "examiner")),
        ("assert f(", [], ("error", "SyntaxError: incomplete input", 1, "examiner")),
        ("%nothing here", [], ("error", "UsageError: Line magic function `%nothing` not found.", 1, "examiner")),
        ("def check(n):\n    assert n == 3, 'checked'\ncheck(f(1))", [1, 2, 3], ("failed", "checked", 2, "examiner")),
        ("raise SystemExit(3)", [], ("error", "SystemExit: 3", 1, "examiner")),
        ("import sys\nprint('x', file=sys.stderr)", [], ("passed", "", 0, "examiner")),
        ("import warnings\nwarnings.warn('x')", [], ("passed", "", 0, "examiner")),
        ("f(1)\nodd", [], ("passed", "", 0, "examiner")),
    ],
)
def test_what_is_told(notebook: Any, source: str, hidden: list[int], expected: tuple[Any, ...]) -> None:
    reply = notebook.test(source, lines=hidden)
    assert (reply["status"], reply["message"], reply["line"], reply["from"]) == expected


@pytest.mark.parametrize(
    ("last", "part"),
    [("f(1)", 2.0), ("0.5", 0.5), ("0.5;", None), ("f(1) == 2", None), ("-3", 0.0), ("None", None), ("x = 2", None)],
)
def test_a_number_on_the_last_line_is_a_part_of_the_points(notebook: Any, last: str, part: float | None) -> None:
    assert notebook.test(f"assert f(1) == 2\n{last}")["part"] == part


@pytest.mark.parametrize(
    "source",
    [
        *(f"import os\nos.{start}" for start in ("system('true')", "fork()", "posix_spawn('/bin/true', ['true'], {})")),
        *(f"import subprocess\nsubprocess.{start}(['true'])" for start in ("run", "Popen")),
        *("!true", "%%bash\ntrue", "eval(code)", "exec(code)", "eval('(' + code + ')')", "eval(expression)"),
        "compile(code, 'x', 'exec')",
        "import pickle\npickle.loads(b'cposix\\ngetpid\\n.')",
        "import marshal\nmarshal.loads(marshal.dumps(1))",
        "(lambda: 0).__code__.replace(co_name='x')",
        "import pandas as pd\npd.DataFrame({'a': [1]}).query('a == ' + expression)",
        "get_ipython().run_cell(code).raise_error()",
    ],
)
def test_what_the_examiner_does_not_do(notebook: Any, source: str) -> None:
    reply = notebook.test(source)
    assert (reply["status"], reply["kind"]) == ("error", "Forbidden"), reply
    assert "student's kernel" in reply["reason"] or "cannot become code" in reply["reason"]


def test_examples_of_an_answers_are_not_run(notebook: Any) -> None:
    run = "def g(): pass\ng.__doc__ = '>>> ' + effect\nimport doctest\ndoctest.run_docstring_examples(g, {})"
    notebook.passes(f"{run}\nimport builtins\nassert not hasattr(builtins, 'here')", ["effect"])


@pytest.mark.parametrize(
    "source",
    [
        "assert eval('1 + (2)') == 3\nexec('y = (3,)')",
        "from collections import namedtuple\nassert namedtuple('P', 'a b')(1, 2).b == 2",
        "import dataclasses\n@dataclasses.dataclass\nclass D:\n    x: int\nassert D(f(1)).x == 2",
        "import pickle, copy\nassert pickle.loads(pickle.dumps({1: {2}})) == copy.deepcopy({1: {2}})",
        "import ast\nast.parse('f(1)')",
        "import colorsys, wave",
        "import pandas as pd\nassert len(pd.DataFrame({'a': [1]}).query('a == 1 + (2 - 2)')) == 1\nexpression",
        "import tempfile, pathlib\nwith tempfile.TemporaryDirectory() as d:\n    pathlib.Path(d, 'x').write_text('y')",
    ],
)
def test_what_it_does(notebook: Any, source: str) -> None:
    notebook.passes(source)


def test_an_interrupt_ends_the_test_and_nothing_else(notebook: Any) -> None:
    process = notebook.processes[1]
    os.kill(process, signal.SIGINT)  # no test is running
    notebook.passes("assert f(1) == 2")
    timer = threading.Timer(0.5, lambda: os.kill(process, signal.SIGINT))
    timer.start()
    reply = notebook.test("while True: f(1)")
    assert (reply["status"], reply["kind"]) == ("error", "KeyboardInterrupt")
    notebook.passes("assert f(1) == 2")


def test_an_interrupt_of_the_candidate_ends_what_it_runs(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(ANSWER)
    process = notebook.processes[0]
    notebook.passes("assert f(1) == 2")
    timer = threading.Timer(0.5, lambda: os.kill(process, signal.SIGINT))
    timer.start()
    reply = notebook.test("loop()")
    assert (reply["status"], reply["kind"], reply["from"]) == ("error", "KeyboardInterrupt", "candidate")
    notebook.passes("import time\ntime.sleep(0.1)\nassert f(1) == 2")


def test_files_cross_with_each_request(open_notebook: Callable[..., Any], tmp_path: Path) -> None:
    folders = []
    for name in ("candidate", "examiner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "given.py").write_text("price = 3\n")
        folders.append(tmp_path / name)
    answer = """
def save(text):
    open('out.txt', 'w').write(text)
def read():
    return open('in.txt').read()
def spoil():
    open('given.py', 'w').write('price = 4')
    open('evil.py', 'w').write('raise SystemExit')
    open('colorsys.py', 'w').write('raise SystemExit')
def later(f):
    open('late.txt', 'w').write('x')
    return f()
"""

    def serve(wall: socket.socket, _: Any) -> None:
        import asyncio

        os.chdir(folders[0])
        names: dict[str, Any] = {}
        exec(answer, names)
        mirror = Mirror.of([str(folders[0])])
        while True:
            asyncio.run(candidate.serve(wall, names, mirror))

    usual = examiner.main

    def main(control: socket.socket, wall: socket.socket) -> None:
        os.chdir(folders[1])
        usual(control, wall, Mirror.of([str(folders[1])], guard=True))

    examiner.main = main  # type: ignore[assignment]  # for the fork that follows
    try:
        notebook = open_notebook(serve=serve)
    finally:
        examiner.main = usual
    names = ["save", "read", "spoil", "later"]
    notebook.passes("save('hello')\nassert open('out.txt').read() == 'hello'", names, files=True)
    notebook.passes("open('in.txt', 'w').write('hi')\nassert read() == 'hi'", names, files=True)
    notebook.passes("import os\nassert later(lambda: os.path.exists('late.txt'))", names, files=True)
    notebook.passes(
        "spoil()\nimport given\nassert given.price == 3\nimport colorsys\ncolorsys.rgb_to_hsv", names, files=True
    )
    for source in (
        "import evil",
        "import runpy\nrunpy.run_path('evil.py')",
        "%run evil.py",
        "exec(open('evil.py').read())",
    ):
        assert notebook.test(source, names, files=True)["kind"] == "Forbidden", source
    notebook.passes("open('mine.py', 'w').write('x = (1)')\nimport mine\nassert mine.x == 1", names, files=True)
    assert notebook.test("save('again')\nassert open('out.txt').read() == 'hello'", names)["status"] == "passed"


def test_it_is_quick(notebook: Any) -> None:
    began = time.monotonic()
    notebook.passes("for i in range(2000):\n    assert f(i) == i + 1")
    assert time.monotonic() - began < 2000 * 0.002  # on a busy machine; on a quiet one a tenth of that
