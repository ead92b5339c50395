"""Code that is shown and not run says why."""

from __future__ import annotations

import pytest

from coursemill.pure import callouts, parse, rules
from coursemill.pure.prose import Page, render
from coursemill.pure.vault import VaultMap

PAGE = Page("notes/L.md", "WS", VaultMap({}))


def box(said: str, *code: str) -> str:
    return callouts.box(f"⏸️ Not run: {said}", "\n".join(code), callouts.GREY)


@pytest.mark.parametrize(
    ("note", "jupyter"),
    [
        ('```python role="show" why="m is no model"\nm()\n```', box("m is no model.", "```python", "m()", "```")),
        ('~~~python role="show" why="No `x_1`!"\n\nx\n~~~', box("No \\`x_1\\`!", "~~~python", "", "x", "~~~")),
        ('```python role="show"\nx\n```', "```python\nx\n```"),
        ('```python role="show" why=""\nx\n```', "```python\nx\n```"),
        ('```text why="x"\nx\n```', "```text\nx\n```"),
    ],
)
def test_the_reason_stands_above_the_code(note: str, jupyter: str) -> None:
    assert render(note, PAGE) == jupyter


def test_it_keeps_its_place_in_lists_and_callouts() -> None:
    note = '- item\n  ````python role="show" why="no"\n  a\n    b\n  ````\n- next\n\n'
    note += '> [!note] N\n> ```py role="show" why="no"\n> c\n> ```'
    shown = render(note, PAGE)
    lines = shown.split("\n")
    assert lines[0] == "- item"
    first = lines.index("  ````python")
    assert lines[first : first + 4] == ["  ````python", "  a", "    b", "  ````"]
    assert lines[first - 2] == "  <b>⏸️ Not run: no.</b>"
    assert "- next" in lines
    assert shown.count("⏸️ Not run: no.") == 2


def test_check_takes_the_attribute() -> None:
    lesson = parse.lesson("notes/L.md", '---\nworksheet: WS\n---\n```python role="show" why="a \\" b"\nx\n```\n')
    assert rules.check(lesson, rules.Known.of(VaultMap.of([lesson]))) == []
