"""Tracebacks as IPython 9 writes them; the kernel tests have real ones."""

from typing import Any

import pytest

from coursemill.pure import traces


def cell(
    name: str, source: str, lines: str, count: int | None = None, outputs: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "source": source,
        "execution_count": count,
        "metadata": {"coursemill": {"source": "notes/L.md:10-99", "lines": lines}},
        "outputs": list(outputs),
    }


def error(name: str, value: str, *traceback: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": list(traceback)}


def stderr(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": text}


@pytest.mark.parametrize(
    ("lines", "line", "expected"),
    [
        ("121-123", 1, 121),
        ("121-123", 3, 123),
        ("121-122,130", 3, 130),
        ("0,121", 1, 121),
        ("121,0", 2, 121),
        ("121-123", 9, 123),
        ("0", 1, 10),
        ("", 1, 10),
    ],
)
def test_a_cells_line_is_the_notes(lines: str, line: int, expected: int) -> None:
    assert traces.place(cell("c", "", lines), line) == f"notes/L.md:{expected}"


def test_a_cell_that_no_note_knows_is_named_by_its_id() -> None:
    assert traces.place({"id": "x", "metadata": {}}, 1) == "cell x"


HELPER = cell("helper", "def f(x):\n    return 1 / x", "20-21", 1)
DIVISION = """\
\x1b[31mZeroDivisionError\x1b[39m                         Traceback (most recent call last)
\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[2]\x1b[39m\x1b[32m, line 2\x1b[39m
      1 x = 0
----> 2 f(x)

\x1b[36mCell \x1b[39m\x1b[32mIn[1]\x1b[39m\x1b[32m, line 2\x1b[39m, in \x1b[36mf\x1b[39m\x1b[34m(x)\x1b[39m
      1 def f(x):
----> 2     return 1 / x

ZeroDivisionError: division by zero"""


def test_an_error_in_a_helper_names_its_line_and_the_call() -> None:
    broken = cell("use", "x = 0\nf(x)", "30-31", 2, (error("ZeroDivisionError", "division by zero", DIVISION),))
    assert traces.explain(broken, [HELPER, broken]) == traces.Trace(
        "notes/L.md:21",
        "ZeroDivisionError: division by zero",
        ("notes/L.md:31: f(x)", "notes/L.md:21 in f: return 1 / x"),
    )


def test_only_the_last_error_of_a_chain_and_the_end_of_the_libraries_are_told() -> None:
    text = (
        "Cell In[1], line 2, in f(x)\n\nDuring handling of the above exception, another exception occurred:\n\n"
        "ValueError   Traceback (most recent call last)\nCell In[2], line 1\n----> 1 f(0)\n\n"
        "File ~/.venv/lib/python3.11/site-packages/pkg/core.py:10, in g(self, *a)\n     9 x\n\n"
        "File /usr/lib/python3.11/json/decoder.py:353, in JSONDecoder.raw_decode(self, s)\n   1 y\n\nValueError: no"
    )
    broken = cell("use", "f(0)", "30", 2, (error("ValueError", "no", text),))
    assert traces.explain(broken, [HELPER, broken]) == traces.Trace(
        "notes/L.md:30", "ValueError: no", ("notes/L.md:30: f(0)", "…/json/decoder.py:353 in JSONDecoder.raw_decode")
    )


def test_a_syntax_error_has_a_line_and_no_made_up_file() -> None:
    text = "  Cell In[1], line 2\n    x = = 2\n        ^\nSyntaxError: invalid syntax\n"
    broken = cell(
        "c", "y = 1\nx = = 2", "30-31", 1, (error("SyntaxError", "invalid syntax (3218543084.py, line 2)", text),)
    )
    told = traces.explain(broken, [broken])
    assert (told.place, told.message) == ("notes/L.md:31", "SyntaxError: invalid syntax")


def test_lines_of_a_file_that_a_cell_wrote_are_the_notes() -> None:
    written = cell("file", "%%writefile shop/items.py\ndef hh():\n    raise KeyError('k')", "0,40-41", 1)
    text = "Cell In[2], line 1\n----> 1 hh()\n\nFile /tmp/x/lesson/shop/items.py:2, in hh()\n      1 def hh():\n"
    broken = cell("use", "hh()", "50", 2, (error("KeyError", "'k'", text),))
    told = traces.explain(broken, [written, broken])
    assert told.place == "notes/L.md:41"
    assert told.lines == ("notes/L.md:50: hh()", "notes/L.md:41 in hh: raise KeyError('k')")


def test_a_program_that_failed_is_told_by_its_last_words_and_the_line_of_a_written_file() -> None:
    written = cell("file", "%%writefile h.py\nraise KeyError('k')", "0,40", 1)
    text = "Cell In[2], line 1\n----> 1 run()\n\nFile /usr/lib/python3.11/subprocess.py:571, in run(a)\n"
    noise = "Traceback (most recent call last):\n  File \"/tmp/x/h.py\", line 1, in <module>\nKeyError: 'k'\n"
    failed = error("CalledProcessError", "Command '['python', 'h.py']' returned non-zero exit status 1.", text)
    broken = cell("use", "run()", "50", 2, (stderr(noise), failed))
    told = traces.explain(broken, [written, broken])
    assert told.place == "notes/L.md:40"
    assert told.message == "a program ended with exit status 1: KeyError: 'k'"


@pytest.mark.parametrize(
    ("noise", "place", "lines"),
    [("bash: line 2: nosuch: command not found\n", 52, ("notes/L.md:52: nosuch",)), ("", 51, ("notes/L.md:51",))],
)
def test_bash_names_its_own_line(noise: str, place: int, lines: tuple[str, ...]) -> None:
    text = "Cell In[1], line 1\n----> 1 get_ipython().run_cell_magic('bash', '-e', 'cd\\nnosuch\\n')\n"
    failed = error("CalledProcessError", "Command 'b'cd\\nnosuch\\n'' returned non-zero exit status 127.", text)
    broken = cell("sh", "%%bash -e\ncd\nnosuch", "0,51-52", 1, (stderr(noise), failed))
    told = traces.explain(broken, [broken])
    assert (told.place, told.lines) == (f"notes/L.md:{place}", lines)
    assert told.message.startswith("a program ended with exit status 127")


def test_code_below_a_cell_magic_is_found() -> None:
    text = "Cell In[2], line 1\n----> 1 get_ipython().run_cell_magic('time', '', 'f(0)')\n\nFile <timed exec>:1\n"
    broken = cell("c", "%%time\nf(0)", "0,60", 2, (error("ZeroDivisionError", "division by zero", text),))
    assert traces.explain(broken, [HELPER, broken]).place == "notes/L.md:60"


def test_recursion_and_long_messages_are_cut() -> None:
    steps = "\n".join(f"Cell In[1], line {1 + n % 2}, in f(x)" for n in range(3000))
    broken = cell("c", "def f(x):\n    f(x)", "20-21", 1, (error("RecursionError", "deep\n" * 100, steps),))
    told = traces.explain(broken, [broken])
    assert len(told.lines) == traces.MOST_FRAMES + 1
    assert len(told.message.splitlines()) == traces.MOST_MESSAGE + 1


def test_a_misused_magic_is_told_by_stderr() -> None:
    broken = cell("c", "%nosuch", "20", 1, (stderr("UsageError: Line magic function `%nosuch` not found.\n"),))
    assert traces.explain(broken, [broken]).message == "UsageError: Line magic function `%nosuch` not found."


def test_a_group_of_exceptions_is_told_by_its_head() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/v/IPython/core/interactiveshell.py", line 3823, in run_code\n'
        "  |     exec(code_obj, self.user_global_ns, self.user_ns)\n"
        '  |   File "/tmp/c/tmp/ipykernel_26238/1848839716.py", line 2, in <module>\n'
        "  |     raise many\n"
        "  | ExceptionGroup: many (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ValueError: 1\n"
        "    +------------------------------------\n"
    )
    broken = cell("c", "x = 1\nraise many", "20-21", 1, (stderr(text),))
    assert traces.explain(broken, [broken]) == traces.Trace(
        "notes/L.md:21", "ExceptionGroup: many (2 sub-exceptions)", ("notes/L.md:21: raise many",)
    )


@pytest.mark.parametrize(
    ("source", "line"), [("import sys\nsys.exit(4)", 21), ("raise SystemExit", 20), ("exit(1)\nexit(2)", 20)]
)
def test_the_line_that_ends_the_program(source: str, line: int) -> None:
    said = error("SystemExit", "4", "An exception has occurred, use %tb to see the full traceback.\n", "SystemExit: 4")
    broken = cell("c", source, "20-21", 1, (said,))
    assert traces.explain(broken, [broken]).place == f"notes/L.md:{line}"
