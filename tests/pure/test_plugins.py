"""Fences of plugins: which are asked, which are drawn, and how an answer looks."""

import pytest

from coursemill.model import FrontMatter, Lesson
from coursemill.pure import plugins
from coursemill.pure.dataview import Result
from coursemill.pure.expressions import Note
from coursemill.pure.links import Place
from coursemill.pure.vault import VaultMap

BARS = Lesson("notes/Bars.md", "Bars", "a | b", FrontMatter(worksheets=("WS",)), ())
PLACE = Place("notes/Lesson.md", "WS", VaultMap.of([BARS]))


@pytest.mark.parametrize(
    ("info", "asks", "plugin"),
    [
        ("dataview", True, ""),
        ("DataviewJS  x", True, ""),
        ('tasks role="show"', False, ""),
        ("plantuml", False, "PlantUML"),
        ("Dot", False, "Graphviz"),
        ("ad-warning", False, "Admonition"),
        ('dot role="show"', False, ""),
        ("python", False, ""),
        ("mermaid", False, ""),
        ("", False, ""),
    ],
)
def test_what_a_fence_is(info: str, asks: bool, plugin: str) -> None:
    assert plugins.asks(info) == asks
    assert plugins.plugin(info) == plugin


def test_a_list() -> None:
    rows = ((Note("notes/Bars.md"), ("x", 2.0, True, None)), (Note("nobody"), "[[Bars|it]]"))
    shown = plugins.listing(Result("list", ("Note", "x"), rows), PLACE)
    assert shown == "- [a \\| b](Bars.ipynb): x, 2, true, –\n- *nobody*: [it](Bars.ipynb)"
    assert plugins.listing(Result("list", ("Note",), ()), PLACE) == "*No note is listed here yet.*"


def test_bars_part_no_cells_of_a_table() -> None:
    rows = ((Note("notes/Bars.md"), "x | y\nz"),)
    shown = plugins.listing(Result("table", ("Note", "a|b"), rows), PLACE)
    assert shown == "| Note | a\\|b |\n| --- | --- |\n| [a \\| b](Bars.ipynb) | x \\| y z |"
