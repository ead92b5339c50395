"""The page on raw notes is true: its commands are run on its transcript, and print what stands there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "raw-notes.md"
FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<info>[^\n`]+)\n(?P<text>.*?)^(?P=ticks)$", re.MULTILINE | re.DOTALL)
SECONDS = re.compile(r"\b\d+\.\d+(?= s\b|[ ]+\d+[ ]+\d)")
INSTALLED = re.compile(r"\([\w.]+ is installed\)")


@pytest.mark.kernel
@pytest.mark.nbgrader
def test_the_commands_print_what_stands_on_the_page(tmp_path: Path) -> None:
    seen = []
    for fence in FENCE.finditer(PAGE.read_text(encoding="utf-8")):
        kind = fence["info"].split()[0]
        if kind == "text":
            (tmp_path / "chat.txt").write_text(fence["text"], encoding="utf-8")
        elif kind == "diff":
            subprocess.run(["git", "apply", "-"], input=fence["text"], cwd=tmp_path, text=True, check=True)
        elif kind == "console":
            command, _, shown = fence["text"].partition("\n")
            words = shlex.split(command.removeprefix("$ "))
            assert words[0] == "coursemill"
            assert plain(printed(words[1:], tmp_path)) == plain(shown), command
            seen.append(words[1])
    assert seen == ["unpack", "triage", "triage", "triage", "check", "build", "run", "check", "build", "run"]


def printed(arguments: list[str], here: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "coursemill", *arguments],
        cwd=here,
        env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(PAGE.parents[1] / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.replace(f"{here}/", "")


def plain(text: str) -> list[str]:
    """The lines less what differs from run to run: times and versions, and how wide they make a column."""
    text = INSTALLED.sub("(N is installed)", SECONDS.sub("N", text))
    return [" ".join(re.sub("─+", "─", line).split()) for line in text.splitlines() if line.strip()]
