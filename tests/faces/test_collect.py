"""`coursemill collect` on the command line."""

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coursemill.faces import cli


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with a worksheet of one notebook, and an export."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    (tmp_path / "source/WS1").mkdir(parents=True)
    empty = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    (tmp_path / "source/WS1/nb.ipynb").write_text(empty)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("Jane Doe_1_assignsubmission_file_/nb.ipynb", empty)
        archive.writestr("Jane Doe_1_assignsubmission_onlinetext_/onlinetext.html", "")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("jane-doe/nb.ipynb", empty + " ")
        archive.writestr("../\x1b[2Jevil.ipynb", empty)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["collect", *arguments])


def test_it_shows_what_was_taken(here: Path) -> None:
    result = run("x.zip", "--worksheet", "WS1")
    assert result.exit_code == 0
    assert "jane-doe" in result.stdout
    assert result.stdout.endswith("WS1: 1 student: 1 taken, 1 skipped\n")
    assert (here / "submitted/jane-doe/WS1/nb.ipynb").is_file()


def test_it_shows_what_was_refused_and_why(here: Path) -> None:
    run("x.zip", "--worksheet", "WS1")
    result = run("bad.zip", "--worksheet", "WS1")
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "leaves the folder with `..`" in result.stdout
    assert "1 kept" in result.stdout


def test_a_dry_run(here: Path) -> None:
    result = run("x.zip", "--worksheet", "WS1", "--dry-run")
    assert "would be taken" in result.stdout
    assert not (here / "submitted").exists()


def test_json(here: Path) -> None:
    said = json.loads(run("x.zip", "bad.zip", "--worksheet", "WS1", "--json").stdout)
    assert [one["student"] for one in said["taken"]] == ["jane-doe"]
    assert said["refused"][0]["where"].startswith("bad.zip!")
    assert (said["complete"], said["dry_run"], said["skipped"]) == (False, False, 1)


@pytest.mark.parametrize(
    "arguments",
    [(), ("x.zip",), ("missing.zip", "--worksheet", "WS1"), ("x.zip", "--worksheet", "WS1", "--students", "no.csv")],
)
def test_wrong_usage(here: Path, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
