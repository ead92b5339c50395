"""`coursemill links` on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coursemill.faces import cli

NOTES = {
    "_MOC.md": "[[Soup]] [[Soup#Tags]]\n",
    "Web/Soup.md": "## Tags\n[[MOC]] [[Nothing]] [[Twice]]\n",
    "Web/Spider.md": "[[Nothing]]\n",
    "a/Twice.md": "",
    "b/Twice.md": "",
    "Alone.md": "Text.\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in NOTES.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def links(*arguments: str) -> Result:
    result = CliRunner().invoke(cli.cli, ["links", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def rows(output: str) -> list[str]:
    return [" ".join(line.split()) for line in output.splitlines() if line.strip(" ─")]


@pytest.mark.usefixtures("root")
def test_the_whole_vault() -> None:
    result = links()
    assert result.exit_code == 0
    assert rows(result.output) == [
        "Notes",
        "note links missing ambiguous backlinks",
        "notes/Alone.md",
        "notes/Web/Soup.md 3 2 1 2",
        "notes/Web/Spider.md 1 1",
        "notes/_MOC.md 2",
        "notes/a/Twice.md 1",
        "notes/b/Twice.md",
        "Missing notes, the most wanted first",
        "missing links in did you mean",
        "Nothing 2 Soup, Spider",
        "MOC 1 Soup _MOC",
        "Links to make clear",
        "place link",
        "notes/Web/Soup.md:2:21 [[Twice]] may be notes/a/Twice.md or notes/b/Twice.md",
        "Orphans: no link to them, none from them:",
        "notes/Alone.md",
        "notes/b/Twice.md",
        "Nobody links to:",
        "notes/Web/Spider.md",
        "notes/_MOC.md",
        "6 notes, 6 links: 2 resolved, 1 ambiguous, 3 missing (2 notes); 2 orphans",
    ]


@pytest.mark.usefixtures("root")
def test_one_note() -> None:
    assert rows(links("Soup").output) == [
        "notes/Web/Soup.md: 3 links, 2 backlinks",
        "line kind link to",
        "2:1 link [[MOC]] no such note, did you mean _MOC?",
        "2:9 link [[Nothing]] no such note",
        "2:21 link [[Twice]] may be notes/a/Twice.md or notes/b/Twice.md",
        "linked from kind as",
        "notes/_MOC.md:1:1 link [[Soup]]",
        "notes/_MOC.md:1:10 link [[Soup#Tags]]",
    ]


@pytest.mark.usefixtures("root")
def test_lines_to_mend_and_orphans() -> None:
    assert links("--missing").output.splitlines() == [
        "notes/Web/Soup.md:2:1: [[MOC]]: no such note, did you mean _MOC?",
        "notes/Web/Soup.md:2:9: [[Nothing]]: no such note",
        "notes/Web/Soup.md:2:21: [[Twice]]: may be notes/a/Twice.md or notes/b/Twice.md",
        "notes/Web/Spider.md:1:1: [[Nothing]]: no such note",
    ]
    assert len(links("--missing", "Spider").output.splitlines()) == 1
    assert "notes/Alone.md" in links("--orphans").output
    assert links("--orphans", "_MOC").output.split("\n")[:2] == ["Nobody links to:", "  notes/_MOC.md"]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--strict",), 1), (("--strict", "_MOC"), 0)])
def test_exit_codes(arguments: tuple[str, ...], code: int) -> None:
    assert links(*arguments).exit_code == code


@pytest.mark.usefixtures("root")
def test_json() -> None:
    told = json.loads(links("--json").output)
    assert (told["version"], len(told["nodes"]), len(told["edges"])) == (1, 6, 6)
    one = json.loads(links("--json", "Spider").output)
    assert [edge["source"] for edge in one["edges"]] == ["notes/Web/Spider.md"]
    assert one["totals"] == told["totals"]


def test_a_name_that_means_nothing(root: Path) -> None:
    result = CliRunner().invoke(cli.cli, ["links", "Sup"])
    assert result.exit_code == 1
    assert "there is no note `Sup`" in str(result.exception)


def test_a_report_of_many_notes_is_short(root: Path) -> None:
    for n in range(60):
        (root / "notes" / f"N{n}.md").write_text(f"[[Missing {n:02}]]\n")
    output = links().output
    assert len(output.splitlines()) < 150
    assert "more: name notes" in output
    assert len(links("--missing").output.splitlines()) == 64


def test_an_empty_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert links().output == "0 notes, 0 links: 0 resolved, 0 ambiguous, 0 missing (0 notes); 0 orphans\n"
