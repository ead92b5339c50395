"""Modules lead to what was installed for them."""

import re
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

from coursemill.effects import environment


def test_modules_and_names_are_looked_up() -> None:
    found = environment.installed(["yaml", "rich.table", "no_such_module"], ["Rich[all]", "no-such-thing"])
    assert found.modules["yaml"][1] == version("pyyaml")
    assert found.modules["rich.table"] == ("rich", version("rich"))
    assert "no_such_module" not in found.modules
    assert found.versions == {"rich": version("rich")}


def test_the_state_stays_while_nothing_is_installed() -> None:
    assert environment.state() == environment.state()
    assert "site-packages" in environment.state()


def test_versions_are_those_that_the_records_hold() -> None:
    installed: dict[str, str] = {}
    for distribution in distributions():
        installed.setdefault(distribution.name, distribution.version)  # the first on the path counts
    assert environment.versions(installed) == {
        re.sub(r"[-_.]+", "-", name).lower(): found for name, found in installed.items()
    }


def test_records_of_old_installers_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Old_Thing-1.0.egg-info").mkdir()
    (tmp_path / "Old_Thing-1.0.egg-info/PKG-INFO").write_text("Name: Old-Thing\nVersion: 1.0\n", encoding="utf-8")
    (tmp_path / "new_thing-2.0+local.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    names = ["old-thing", "new-thing", "no-such-thing"]
    assert environment.versions(names) == {"old-thing": "1.0", "new-thing": "2.0+local"}
