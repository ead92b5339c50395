"""A folder comes back as it was, whatever was done to it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursemill.effects.rewind import Rewind


@pytest.fixture
def rewind(tmp_path: Path) -> Rewind:
    folder = tmp_path / "lesson"
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "data" / "a.txt").write_text("a")
    (folder / "data" / "deep" / "b.txt").write_text("bb")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("data/a.txt")
    (folder / "empty").mkdir()
    return Rewind(folder, tmp_path / "copy")


def content(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = "folder"
        else:
            found[name] = (path.read_bytes(), path.stat().st_mode)
    return found


def same_size_and_time(folder: Path) -> None:
    file = folder / "data" / "a.txt"
    status = file.stat()
    file.write_text("z")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES: list[Callable[[Path], object]] = [
    lambda folder: (folder / "new.txt").write_text("new"),
    lambda folder: (folder / "data" / "a.txt").write_text("z"),
    same_size_and_time,
    lambda folder: (folder / "data" / "a.txt").unlink(),
    lambda folder: shutil.rmtree(folder / "data"),
    lambda folder: (folder / "run.sh").chmod(0o600),
    lambda folder: [(folder / "link").unlink(), (folder / "link").symlink_to("run.sh")],
    lambda folder: [(folder / "empty").rmdir(), (folder / "empty").write_text("a file now")],
    lambda folder: [shutil.rmtree(folder / "data"), (folder / "data").symlink_to("/")],
    lambda folder: (folder / "new" / "deep").mkdir(parents=True),
    lambda folder: (folder / "data" / "a.txt").rename(folder / "moved.txt"),
    lambda folder: (folder / "run.sh").write_text((folder / "run.sh").read_text()),
]


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_undone(rewind: Rewind, change: Callable[[Path], object]) -> None:
    before = content(rewind.folder)
    rewind.mark()
    for _ in range(2):
        change(rewind.folder)
        rewind.back()
        assert content(rewind.folder) == before


@settings(max_examples=20)  # each mark waits for the kernel's clock
@given(st.lists(st.lists(st.sampled_from(range(len(CHANGES))), max_size=3), max_size=4))
def test_any_changes_are_undone(tmp_path_factory: pytest.TempPathFactory, rounds: list[list[int]]) -> None:
    root = tmp_path_factory.mktemp("rewind")
    folder = root / "lesson"
    (folder / "data").mkdir(parents=True)
    for name in ("data/a.txt", "run.sh"):
        (folder / name).write_text(name)
    (folder / "link").symlink_to("data/a.txt")
    (folder / "empty").mkdir()
    rewind = Rewind(folder, root / "copy")
    for changes in rounds:
        rewind.mark()
        before = content(folder)
        for number in changes:
            try:
                CHANGES[number](folder)
            except OSError:  # an earlier change took away what this one needs
                continue
        rewind.back()
        assert content(folder) == before


def test_what_changed_between_two_marks_stays(rewind: Rewind) -> None:
    rewind.mark()
    (rewind.folder / "data" / "a.txt").write_text("second")
    (rewind.folder / "run.sh").unlink()
    rewind.mark()
    (rewind.folder / "data" / "a.txt").write_text("third")
    rewind.back()
    assert (rewind.folder / "data" / "a.txt").read_text() == "second"
    assert not (rewind.folder / "run.sh").exists()
