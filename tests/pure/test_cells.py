import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.magic_arguments import parse_argstring
from IPython.core.magics import OSMagics

from coursemill.model import Span
from coursemill.pure import cells
from coursemill.pure.cells import Cell

SPAN = Span("notes/a.md", 10, 14)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ((7,), "7"),
        ((121, 122), "121-122"),
        ((0, 121, 122, 124, 125, 126, 127, 128, 129, 130), "0,121-122,124-130"),
        ((0, 0, 5, 0), "0,0,5,0"),
        ((0, 1, 2), "0,1-2"),
        ((3, 3, 2), "3,3,2"),
        ((), ""),
    ],
)
def test_ranges(lines: tuple[int, ...], text: str) -> None:
    assert cells.ranges(lines) == text


@given(st.lists(st.integers(0, 30)))
def test_ranges_say_every_line(lines: list[int]) -> None:
    found: list[int] = []
    for part in filter(None, cells.ranges(lines).split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    assert found == lines


def test_lines_above_and_below_are_generated() -> None:
    cell = cells.generated(cells.code("a\nb", 11, SPAN), ["%%writefile x"], ["# end", ""])
    assert cell.source == "%%writefile x\na\nb\n# end\n"
    assert cell.lines == (0, 11, 12, 0, 0)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("shop/items.py", "%%writefile shop/items.py"),
        ("my shop/items.py", '%%writefile "my shop/items.py"'),
        ("it's.csv", '%%writefile "it\'s.csv"'),
        ("-a.txt", '%%writefile "-a.txt"'),
    ],
)
def test_files_with_blanks_are_quoted(path: str, line: str) -> None:
    assert cells.writefile(path) == line
    assert parse_argstring(OSMagics.writefile, line.removeprefix("%%writefile ")).filename.strip('"') == path


def test_marked_lines_go_with_their_numbers() -> None:
    cell = cells.without_lines(cells.code("a\n  ### BEGIN X\nb\n# END X", 11, SPAN), "BEGIN X", "END X")
    assert (cell.source, cell.lines) == ("a\nb", (11, 13))


def test_ungraded_notebooks_have_no_metadata_of_nbgrader() -> None:
    cell = Cell("code", "x", SPAN, id="x", grading="test", points=2.0, lines=(11,))
    plain, graded = (cells.notebook([cell], "notes/a.md", graded=graded)["cells"][0] for graded in (False, True))
    assert plain["metadata"] == {"coursemill": {"source": "notes/a.md:10-14", "lines": "11"}}
    assert graded["metadata"]["nbgrader"] == {
        "grade": True,
        "grade_id": "x",
        "locked": True,
        "points": 2,
        "schema_version": 3,
        "solution": False,
        "task": False,
    }


def test_what_the_author_named_wins_whatever_the_order() -> None:
    derived = Cell("markdown", "a", SPAN, id="x")
    own = Cell("markdown", "b", SPAN, id="x", own=True)
    for order in ([derived, own], [own, derived]):
        made = cells.notebook(order, "notes/a.md", graded=False)["cells"]
        assert {cell["source"]: cell["id"] for cell in made} == {"a": "x-2", "b": "x"}
