"""An author writes, and the notebooks follow."""

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coursemill.config import Config
from coursemill.course.watch import Rebuilt, watch
from coursemill.errors import CoursemillError

Next = Callable[[], Rebuilt]


@pytest.fixture
def reports(vault: Any) -> Iterator[Next]:
    """Watch a course; each call gives the next report."""
    vault.put({"One.md": vault.note("one"), "Two.md": vault.note("two")})
    seen: queue.Queue[Rebuilt] = queue.Queue()
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(Config(vault.root), seen.put, stop))
    thread.start()
    yield lambda: seen.get(timeout=30)
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def settled(reports: Next, changed: str) -> Rebuilt:
    """The first report that names `changed`."""
    while changed not in (report := reports()).changed:
        pass
    return report


def test_changes_are_built_and_errors_survived(vault: Any, reports: Next) -> None:
    first = reports()
    assert first.changed == ()
    assert first.built
    assert len(first.built.built) == 2

    vault.put({"One.md": vault.note("one", text="New words.")})
    report = settled(reports, "notes/One.md")
    assert report.built
    assert report.built.built == ("notes/One.md",)

    vault.put({"One.md": vault.note("one").replace("### END SOLUTION", "")})
    report = settled(reports, "notes/One.md")
    assert report.built
    assert report.built.kept == ("notes/One.md",)
    assert b"New words." in vault.tree()["release/WS/One.ipynb"]

    for number in range(20):
        vault.put({"One.md": vault.note("one", text=f"Version {number}.")})
    while b"Version 19." not in vault.tree()["release/WS/One.ipynb"]:
        reports()

    (vault.root / "notes/Two.md").rename(vault.root / "notes/Zwei.md")
    report = settled(reports, "notes/Zwei.md")
    assert "notebooks/WS/Zwei.ipynb" in vault.tree()
    assert "notebooks/WS/Two.ipynb" not in vault.tree()


def test_what_editors_write_for_a_moment_is_nothing(vault: Any, reports: Next) -> None:
    reports()
    for name in (".One.md.swp", "One.md~", "4913", ".obsidian/workspace.json", "_diagrams/0123456789abcdef.svg"):
        vault.put({name: "x"})
    vault.put({"Three.md": vault.note("three")})
    assert reports().changed == ("notes/Three.md",)


def test_what_stops_a_build_is_reported_and_may_be_mended(vault: Any, reports: Next) -> None:
    reports()
    blocking = vault.root / "notebooks/WS/Three.ipynb"
    blocking.mkdir()
    vault.put({"Three.md": vault.note("three")})
    report = settled(reports, "notes/Three.md")
    assert report.built is None
    assert "a folder stands where the file belongs" in report.error
    blocking.rmdir()
    vault.put({"Three.md": vault.note("three", text="Again.")})
    report = settled(reports, "notes/Three.md")
    assert report.built
    assert report.built.built == ("notes/Three.md",)


def test_settings_that_come_change_and_go(vault: Any, reports: Next) -> None:
    reports()
    file = vault.root / "pyproject.toml"
    file.write_text("[tool.coursemill]\nbogus = 1\n")
    assert "has no key `bogus`" in settled(reports, "pyproject.toml").error
    other = vault.root / "pyproject.new"
    other.write_text("[tool.coursemill]\ntimeout = 60\n")
    other.rename(file)
    assert settled(reports, "pyproject.toml").built
    file.unlink()
    assert settled(reports, "pyproject.toml").built


def test_without_a_vault(tmp_path: Path) -> None:
    with pytest.raises(CoursemillError, match="no such folder"):
        watch(Config(tmp_path), lambda _: None)
