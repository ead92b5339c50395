"""What the sandbox shows of the machine."""

import sys
from pathlib import Path

import pytest

from coursemill.effects.sandbox import view


def shown(*, root: bool = False) -> list[str]:
    return list(view.command(view.View({"A": "1"}), ["python"], root=root))


def test_of_a_python_in_a_courses_folder_only_its_parts_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("prefix", "exec_prefix"):
        monkeypatch.setattr(sys, name, str(tmp_path))
    words = shown()
    assert str(tmp_path) not in words
    assert {word for word in words if word.startswith(f"{tmp_path}/")} == {f"{tmp_path}/{p}" for p in view.PYTHON}


def test_settings_of_jupyter_and_the_exchange_are_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "HIDDEN", (str(tmp_path), str(tmp_path / "missing")))
    words = shown()
    assert words[words.index(str(tmp_path)) - 1] == "--tmpfs"
    assert str(tmp_path / "missing") not in words


def test_root_is_dropped_before_the_sandbox_is_made() -> None:
    words = shown(root=True)
    assert words.index("setpriv") < len(words) - 1 - words[::-1].index("bwrap")
    assert words[words.index("--reuid") + 1] == str(view.NOBODY)
    assert "setpriv" not in shown()


def test_everything_is_read_only_and_the_environment_empty() -> None:
    words = shown()
    assert "--clearenv" in words
    assert words[-4:] == ["--remount-ro", "/", "--", "python"]
    assert not {"--bind", "--dev-bind"} & set(words)
