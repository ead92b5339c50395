"""Files are replaced whole, and errors say which file and what to do."""

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from coursemill.effects import store
from coursemill.effects.store import Stamp
from coursemill.errors import CoursemillError


def test_write_and_copy_tell_how_the_file_is(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        written = store.write(tmp_path, "a/b/c.txt", b"text")
        copied = store.copy(tmp_path, "d.txt", tmp_path / "a/b/c.txt")
    finally:
        os.umask(mask)
    for stamp, path in ((written, tmp_path / "a/b/c.txt"), (copied, tmp_path / "d.txt")):
        assert path.read_bytes() == b"text"
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert stamp == Stamp(4, path.stat().st_mtime_ns, store.digest(path)) == store.stamp(path)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "link").symlink_to("other")
    store.write(tmp_path, "link", b"new")
    assert (tmp_path / "other").read_text() == "other"
    assert (tmp_path / "link").read_text() == "new"


def test_an_interrupted_copy_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    with pytest.raises(CoursemillError, match=r"gone: it cannot be read: No such file"):
        store.copy(tmp_path, "old", tmp_path / "gone")
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "old"


@pytest.mark.parametrize("path", ["file/x", "file/x/y"])
def test_a_file_in_the_way_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CoursemillError, match="a file stands where a folder is needed"):
        store.write(tmp_path, path, b"")


def test_remove_takes_the_folders_that_become_empty(tmp_path: Path) -> None:
    for path in ("release/WS/N.files/a/x", "release/WS/N.files/y"):
        store.write(tmp_path, path, b"")
    store.remove(tmp_path, "release/WS/N.files/a/x")
    assert not (tmp_path / "release/WS/N.files/a").exists()
    store.remove(tmp_path, "release/WS/N.files/y")
    assert [p.name for p in tmp_path.rglob("*")] == ["release"]
    store.remove(tmp_path, "release/WS/N.files/y")


def test_below_lists_files_only(tmp_path: Path) -> None:
    for path in ("top/a", "top/b/c", "top/.ipynb_checkpoints/a"):
        store.write(tmp_path, path, b"xy")
    (tmp_path / "top/link").symlink_to("/etc")
    found = store.below(tmp_path, "top")
    assert sorted(found) == ["top/a", "top/b/c", "top/link"]
    assert found["top/a"].st_size == 2
    assert store.below(tmp_path, "none") == {}


def test_one_at_a_time(tmp_path: Path) -> None:
    order = []

    def second() -> None:
        with store.locked(tmp_path / "build"):
            order.append("second")

    with store.locked(tmp_path / "build"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_stage_is_empty_at_first_and_gone_at_last(tmp_path: Path) -> None:
    (tmp_path / "build/stage/left").mkdir(parents=True)
    with store.scratch(tmp_path / "build") as stage:
        assert stage == tmp_path / "build/stage"
        assert list(stage.iterdir()) == []
        (stage / "x").mkdir()
    assert not stage.exists()
    with store.scratch() as elsewhere:
        assert elsewhere.is_dir()
    assert not elsewhere.exists()


def test_memory_comes_back_as_it_was(tmp_path: Path) -> None:
    store.remember(tmp_path, "build/x.json", {"a": [1, "ü", None]})
    assert store.recall(tmp_path / "build/x.json") == {"a": [1, "ü", None]}
    assert store.recall(tmp_path / "none") == {}


def test_sweep_takes_what_is_unfinished(tmp_path: Path) -> None:
    for path in ("top/a/.coursemill-x", "top/.coursemill-y", "top/a/file", "top/b/.coursemill-z", ".coursemill-other"):
        store.write(tmp_path, path, b"")
    store.sweep(tmp_path / "top")
    store.sweep(tmp_path / "nowhere")
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        ".coursemill-other",
        "top",
        "top/a",
        "top/a/file",
    ]
