import json
import re
import subprocess
import sys

import pytest

from coursemill.faces import terminal
from coursemill.model import Finding

WRONG = Finding("notes/A, b.md", 3, 1, "CM205", "the code does not parse: 50%\nsecond", "mend it")
MINOR = Finding("notes/A.md", 2, 5, "CM401", "no note has that name", severity="warning")


def test_findings_are_sorted_lines_that_name_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_findings([MINOR, WRONG])
    assert capsys.readouterr().out == (
        "notes/A, b.md:3:1: CM205 the code does not parse: 50%\nsecond (mend it)\n"
        "notes/A.md:2:5: CM401 no note has that name\n"
    )


def test_findings_as_json_keep_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_findings([WRONG], "json")
    assert json.loads(capsys.readouterr().out) == [
        {
            "path": "notes/A, b.md",
            "line": 3,
            "col": 1,
            "code": "CM205",
            "message": "the code does not parse: 50%\nsecond",
            "fix": "mend it",
            "severity": "error",
        }
    ]


def test_annotations_escape_what_would_end_a_property_or_the_line() -> None:
    assert terminal.annotation(WRONG) == (
        "::error file=notes/A%2C b.md,line=3,col=1,title=CM205 syntax::"
        "the code does not parse: 50%25%0Asecond (mend it)"
    )
    assert terminal.annotation(MINOR).startswith("::warning file=notes/A.md,line=2,col=5,")


def test_a_table_folds_long_names_and_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    name = "Spark_Ecosystem_Components_Purpose_Advantages"
    columns = ["lesson", terminal.Column("status", keep=True), terminal.Column("seconds", right=True)]
    terminal.show(terminal.table(columns, [(name, "passed (cached)", 1.25)], total=("1 lesson", "", 1.25)))
    out = capsys.readouterr().out
    assert all(len(line) <= 40 for line in out.splitlines())
    assert "passed (cached)" in out
    first = "".join(line.strip().split(" ")[0] for line in out.splitlines())
    assert name in first
    assert "1.25" in out


def test_text_is_not_markup_and_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show("[bold]x[/bold] :smile: \x1b[2J" + "y" * 200)
    assert capsys.readouterr().out == "[bold]x[/bold] :smile: �[2J" + "y" * 200 + "\n"


def test_progress_without_a_terminal_is_a_line_for_each_that_ended(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress("running", 1) as display:
        display.update("A", 1, 3)
        display.finish("A", "passed A 1.0 s")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "passed A 1.0 s\n")


def test_a_narrow_terminal_gets_the_table_without_what_can_be_spared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [
        terminal.Column("worksheet", spare=1),
        "lesson",
        terminal.Column("status", keep=True),
        terminal.Column("seconds", right=True),
    ]
    row = ("WS_WebScraping_1", "A_lesson_with_a_rather_long_name", "unavailable", "12.5")
    for width, spared in ((100, False), (50, True)):
        monkeypatch.setenv("COLUMNS", str(width))
        terminal.show(terminal.table(columns, [row]))
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        assert ("worksheet" not in lines[1]) is spared
        assert any("unavailable" in line and "12.5" in line for line in lines)


def test_names_stay_whole_and_columns_go_one_by_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: list[terminal.Column | str] = [
        "lesson",
        terminal.Column("shown", right=True, spare=1),
        terminal.Column("statements", right=True),
        terminal.Column("points", right=True, spare=2),
    ]
    rows = [("Keras_Saving_and_Loading", 1, 20, 3)]
    seen = []
    for width in (60, 50, 40, 30):
        monkeypatch.setenv("COLUMNS", str(width))
        terminal.show(terminal.table(columns, rows, total=["12 lessons: 9 passed, 1 failed, 2 died", 1, 20, 3]))
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        end = next(n for n, line in enumerate(lines[3:]) if not line.strip()) + 3
        seen.append((lines[1].split()[1:], [line.split() for line in lines[3:end]]))
    assert seen == [
        (["shown", "statements", "points"], [["Keras_Saving_and_Loading", "1", "20", "3"]]),
        (["shown", "statements"], [["Keras_Saving_and_Loading", "1", "20"]]),
        (["statements"], [["Keras_Saving_and_Loading", "20"]]),
        (["statements"], [["Keras_Saving_", "20"], ["and_Loading"]]),
    ]


def test_colours_are_for_terminals_and_who_asks_for_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show_findings([MINOR])
    plain = capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    terminal.show_findings([MINOR])
    coloured = capsys.readouterr().out
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_lines_in_a_pipe_need_no_rich() -> None:
    code = "import sys; from coursemill.faces import terminal; terminal.show('x'); sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "x\n"
