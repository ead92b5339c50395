import ast
import inspect
import json
import re
import textwrap
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import parse
from coursemill.pure.raw import uncomment
from coursemill.pure.raw.uncomment import live

FIXTURE = (Path(__file__).parent / "fixtures" / "uncomment.md").read_text(encoding="utf-8")
PAIRS = re.findall(
    r"^## (.+)\n\n`````before\n([\s\S]*?)\n`````$(?:\n\n`````after\n([\s\S]*?)\n`````$)?", FIXTURE, re.MULTILINE
)
MODULES = (inspect, json.decoder, json.encoder, textwrap, warnings, ast)


@pytest.mark.parametrize(("before", "after"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_pairs(before: str, after: str) -> None:
    assert live(before) == (after or before)
    assert live(after or before) == (after or before)


def test_every_pair_is_read() -> None:
    assert len(PAIRS) == FIXTURE.count("\n`````before\n") > 20


@pytest.mark.parametrize("line", next(before for name, before, _ in PAIRS if name == "Prose that parses").split("\n"))
def test_prose_alone(line: str) -> None:
    assert live(line) == line or line == "# key=value"  # nothing else tells what it is


def _at_margin(line: str) -> str:
    return f"# {line}" if line.strip() else "#"


def _gaps(line: str) -> str:
    return f"# {line}" if line.strip() else ""


def _tight(line: str) -> str:
    return f"#{line}" if line.strip() else ""


def _in_place(line: str) -> str:
    code = line.lstrip()
    return f"{line[: len(line) - len(code)]}# {code}" if code else ""


SOURCES = [inspect.getsource(module) for module in MODULES]
FUNCTIONS = [
    "\n".join(source.split("\n")[min([n.lineno, *(d.lineno for d in n.decorator_list)]) - 1 : n.end_lineno])
    for source in SOURCES
    for n in ast.parse(source).body
    if isinstance(n, ast.FunctionDef | ast.ClassDef)
]


@given(st.sampled_from(FUNCTIONS), st.sampled_from([_at_margin, _gaps, _tight]))
def test_real_code_comes_back(code: str, comment: Callable[[str], str]) -> None:
    commented = "\n".join(map(comment, code.split("\n")))
    assert ast.dump(ast.parse(live(commented))) == ast.dump(ast.parse(code))


@given(st.sampled_from([f for f in FUNCTIONS if '"""' not in f]))
def test_real_code_comes_back_from_its_place(code: str) -> None:
    commented = "\n".join(map(_in_place, code.split("\n")))
    bare = re.search(r"^ +\w+(\.\w+)+$", code, re.MULTILINE)  # a name alone is prose there
    assert bare or ast.dump(ast.parse(live(commented))) == ast.dump(ast.parse(code))


LINES = st.one_of(
    st.sampled_from([line for _, before, after in PAIRS for line in (before + "\n" + after).split("\n")]),
    st.sampled_from(["# Or:", "#", "", '"""', "# '", "# x = [", "# )", "# Output:", "\t# x = 1", "    # try:", "# \\"]),
    st.text(max_size=12),
)


@given(st.lists(LINES, max_size=30).map("\n".join))
def test_any_text(text: str) -> None:
    sound(text)


@given(st.sampled_from(FUNCTIONS), st.data())
def test_mangled_code(code: str, data: st.DataObject) -> None:
    lines = code.split("\n")[:40]
    marks = data.draw(st.lists(st.sampled_from(["", "", "# ", "#", "    ", "# # "]), min_size=len(lines), max_size=40))
    sound("\n".join(mark + line for mark, line in zip(marks, lines, strict=False)))


def sound(text: str) -> None:
    """Check what holds for every text: lines stay, marks are all that goes, what compiles does so still."""
    result = live(text)
    before, after = text.split("\n"), result.split("\n")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert new in {old, *(re.sub(r"#[ ]?", "", old, count=n) for n in (1, 2)), old.replace("#", "", 1)} or (
            set(old) >= set(new) and old.replace("#", "").replace(" ", "") == new.replace("#", "").replace(" ", "")
        )
    assert live(result) == result
    if uncomment.problem(text) is None:
        assert uncomment.problem(result) is None


@pytest.mark.parametrize(
    "text",
    [
        "# x = " + "(" * 20_000,
        "# x = " + "-" * 20_000 + "1",
        "# x = " + "+".join("1" * 10_000),
        "# x = " + "1" * 10_000,
        "# x = 1\0\n# y = 2",
        '# x = "\ud800"',
        "\n".join("# " + " " * n + "if x:" for n in range(400)),
        "\n".join("# " * n + "x = 1" for n in range(100)),
        "# x = foo(\n" * 2_000,
        "# see (below\n" * 2_000,
        "x = (\n" * 2_000,
        '# """\n' * 2_001,
        "# def f(a, a): pass\n" * 500,
    ],
    ids=range(13),
)
def test_odd_text(text: str) -> None:
    started = time.perf_counter()
    sound(text)
    assert time.perf_counter() - started < 20


def test_grows_linearly() -> None:
    lines = [_at_margin(line) for source in SOURCES for line in source.split("\n")][:5_000]
    started = time.process_time()
    live("\n".join(lines))
    assert time.process_time() - started < 5


def test_warnings_of_code_are_not_ours() -> None:
    assert live('# print("\\d" is 3)') == 'print("\\d" is 3)'


def test_real_notes(transcript: Path) -> None:
    blocks = [
        block
        for note in re.split(r"(?m)^Filename: ", transcript.read_text(encoding="utf-8"))[1:]
        for block in parse.lesson("n.md", re.split(r"(?m)^`{4,}\s*$", note.split("\n", 2)[2])[0]).blocks
        if block.language == "python"
    ]
    assert len(blocks) == 39
    for block in blocks:
        sound(block.text)
        assert uncomment.problem(live(block.text)) is None
