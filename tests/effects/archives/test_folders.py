"""Folders that somebody else filled."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

from coursemill.effects.archives.archive import Broken, Meter
from coursemill.effects.archives.folders import Folder
from coursemill.pure.grading.quotas import Quotas

Reading = Callable[..., object]


def test_files_are_read_and_junk_is_not(around: Path, read: Reading) -> None:
    for path in ("a/nb.ipynb", "b.txt", ".git/config", "__MACOSX/x", "a/.ipynb_checkpoints/nb.ipynb"):
        (around / path).parent.mkdir(exist_ok=True, parents=True)
        (around / path).write_text(path)
    assert read(around).files == {"a/nb.ipynb": b"a/nb.ipynb", "b.txt": b"b.txt"}


def test_links_are_not_followed(around: Path, read: Reading) -> None:
    (around / "nb.ipynb").symlink_to("/etc/passwd")
    (around / "up").symlink_to("../..")
    (around / "gone").symlink_to("nowhere")
    (around / "round").symlink_to("round")
    found = read(around)
    assert found.files == {}
    assert found.refused == dict.fromkeys(("nb.ipynb", "up", "gone", "round"), "it is a link")


def test_pipes_and_sockets_are_refused_and_do_not_block(around: Path, read: Reading) -> None:
    os.mkfifo(around / "nb.ipynb")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(around / "s"))
        found = read(around)
    assert found.files == {}
    assert set(found.refused) == {"nb.ipynb", "s"}


def test_a_link_that_comes_later_is_not_followed_either(around: Path) -> None:
    (around / "a").mkdir()
    (around / "a/nb.ipynb").write_text("{}")
    folder = Folder(around, Meter(Quotas()))
    (around / "a").rename(around / "was")
    (around / "a").symlink_to("was")
    said = ""
    for _, chunks in folder.contents({0}):
        try:
            b"".join(chunks)
        except Broken as error:
            said = str(error)
    folder.close()
    assert "cannot be read" in said


def test_deep_folders_end(around: Path, read: Reading) -> None:
    deep = around
    for _ in range(50):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "nb.ipynb").write_text("{}")
    found = read(around)
    assert found.files == {}
    assert "folders deep" in next(iter(found.refused.values()))


def test_names_that_are_not_utf8_are_refused(around: Path, read: Reading) -> None:
    (Path(os.fsdecode(os.fsencode(around) + b"/\xff.ipynb"))).write_text("{}")
    assert "not UTF-8" in next(iter(read(around).refused.values()))


def test_large_files_are_not_read(around: Path, read: Reading) -> None:
    with (around / "nb.ipynb").open("wb") as stream:
        stream.truncate(1 << 40)
    found = read(around)
    (around / "nb.ipynb").unlink()
    assert found.files == {}
    assert "larger than 64 MB" in found.refused["nb.ipynb"]
