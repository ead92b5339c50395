"""The `coursemill` command, as a shell starts it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTE = "---\nworksheet: WS\n---\n# Nöte\n\n[[Bü]]\n"


def coursemill(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `root`."""
    command = [sys.executable, "-m", "coursemill", *arguments]
    shell = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(
        command, cwd=root, env=shell | environment, capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize(
    "locale", [{"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}], ids=["ASCII", "pipe"]
)
def test_names_mean_the_same_in_every_locale(tmp_path: Path, locale: dict[str, str]) -> None:
    """As in a locale of Latin-1, which few machines still have."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/Nöte.md").write_text(NOTE, encoding="utf-8")
    built = coursemill(tmp_path, "build", "notes/Nöte.md", LC_ALL="C", **locale)
    assert (built.returncode, built.stderr) == (0, "")
    assert built.stdout.startswith("built 1, unchanged 0, 1 warning")
    assert (tmp_path / "release/WS/Nöte.ipynb").is_file()
    checked = coursemill(tmp_path, "check", LC_ALL="C", **locale)
    assert checked.returncode == 0
    assert "CM401" in checked.stdout
