"""Cells run as in a notebook, in a process that can still be forked; a child process each, as a shell is one's own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DRIVER = """
import json, os, sys
from pathlib import Path
from coursemill.effects.forks import threads
from coursemill.effects.shell import Shell, explain
from coursemill.pure.trials import Source
shell = Shell(Path("errors.log"))
errors = os.open("errors.log", os.O_WRONLY | os.O_APPEND)
out = os.dup(1)
os.dup2(os.open("output.log", os.O_WRONLY | os.O_CREAT), 1)
os.dup2(errors, 2)
found = []
for number, text in enumerate(json.loads(sys.argv[1])):
    ran = shell.run(f"<{number}>", text)
    cells = {f"<{number}>": Source(text, tuple(range(100, 101 + text.count("\\n"))))}
    told = explain(ran.error, cells) if ran.error else None
    found.append([told, repr(ran.value), ran.stderr])
os.write(out, json.dumps([found, threads(), sorted(n for n in shell.names if n in "abcdef")]).encode())
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    (tmp_path / "errors.log").touch()

    def call(*cells: str) -> Any:
        ended = subprocess.run(
            [sys.executable, "-c", DRIVER, json.dumps(cells)], cwd=tmp_path, capture_output=True, check=False
        )
        assert ended.stdout, (tmp_path / "errors.log").read_text()
        return json.loads(ended.stdout)

    return call


def test_cells_share_names_and_start_no_thread(run: Any, tmp_path: Path) -> None:
    found, threads, names = run(
        "a = 1",
        "b = a + 1\nb",
        "import asyncio\nc = await asyncio.sleep(0, 'slept')\nc",
        "%%writefile d.txt\ntext",
        "d = !cat d.txt\nd[0]",
        "%%bash -e\ncat d.txt > e.txt",
        "%%sh\ntouch f.txt",
        "%time e = open('e.txt').read()",
        "%%capture f\nprint(e)",
        "1 + 1;",
    )
    assert [one[0] for one in found] == [None] * 10
    assert [one[1] for one in found[1:3]] == ["2", "'slept'"]
    assert found[4][1] == "'text'"
    assert (tmp_path / "f.txt").exists()
    assert threads == 1
    assert names == list("abcdef")


@pytest.mark.parametrize(
    ("cell", "line", "told"),
    [
        ("a = 1\nassert a == 2", 101, "AssertionError in `assert a == 2`"),
        ("\n\nassert 0, 'no luck'", 102, "AssertionError: no luck"),
        ("def f():\n    return 1 / 0\n\nf()", 101, "ZeroDivisionError: division by zero"),
        ("import json\njson.loads('x')", 101, "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("a = 1\nb = )", 101, "SyntaxError: unmatched ')'"),
        ("raise SystemExit(3)", 100, "SystemExit: 3"),
        ("raise KeyboardInterrupt", 100, "KeyboardInterrupt in `raise KeyboardInterrupt`"),
        ("%%bash -e\nexit 4", 100, "CalledProcessError: Command '%%bash' returned non-zero exit status 4."),
        (
            "class E(Exception):\n  def __str__(self): return 1/0\nraise E",
            102,
            "E: <ZeroDivisionError while it was shown>",
        ),
    ],
)
def test_an_error_is_told_by_the_notes_line(run: Any, cell: str, line: int, told: str) -> None:
    ((found,), _, _) = run(cell)
    assert found[0][0] == line
    assert found[0][1] == told


def test_what_goes_to_stderr_is_told(run: Any) -> None:
    found, _, _ = run("import os, sys\nprint('a', file=sys.stderr)\nos.write(2, b'b')", "1", "!echo c >&2")
    assert [one[2] for one in found[:2]] == ["a\nb", ""]
