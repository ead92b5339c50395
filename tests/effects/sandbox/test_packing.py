"""What a kernel finds in its folder: a copy of files and links, of bounded size, whatever stands there."""

import os
import tarfile
from pathlib import Path

import pytest

from coursemill.effects.sandbox import packing
from coursemill.errors import CoursemillError

MB = 1 << 20


def names(folder: Path | None, most: int = MB) -> dict[str, bytes]:
    with (
        packing.packed(folder, most) as descriptor,
        os.fdopen(os.dup(descriptor), "rb") as file,
        tarfile.open(fileobj=file) as archive,
    ):
        found = {}
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            found[member.name] = content.read() if content else member.linkname.encode()
        return found


def test_files_folders_and_links_are_in(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ä.csv").write_text("a")
    (tmp_path / "link").symlink_to("/etc/shadow")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert names(tmp_path) == {
        "data": b"",
        "data/ä.csv": b"a",
        "link": b"/etc/shadow",
        "loop": str(tmp_path).encode(),
    }


def test_no_folder_is_empty(tmp_path: Path) -> None:
    assert names(None) == {}
    assert names(tmp_path / "missing") == {}


def test_a_link_to_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("a")
    (tmp_path / "link").symlink_to("real")
    assert names(tmp_path / "link") == {"a": b"a"}


def test_a_file_with_two_names_is_in_twice(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("same")
    os.link(tmp_path / "a", tmp_path / "b")
    assert names(tmp_path) == {"a": b"same", "b": b"same"}


def test_pipes_and_sockets_are_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a").write_text("a")
    assert names(tmp_path) == {"a": b"a"}


def test_a_large_file_with_holes_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(10 << 40)
    with pytest.raises(CoursemillError, match="more than 1 MB do not fit"):
        names(tmp_path)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MOST_FILES", 10)
    for n in range(11):
        (tmp_path / str(n)).touch()
    with pytest.raises(CoursemillError, match="more than 10 files do not fit"):
        names(tmp_path)


def test_notebooks_with_tests_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "graded.ipynb").write_text('{"metadata": {"nbgrader": {"grade": true}}}')
    (tmp_path / "other.ipynb").write_text("{}")
    (tmp_path / "empty.ipynb").touch()
    assert set(names(tmp_path)) == {"other.ipynb", "empty.ipynb"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0)
    (tmp_path / "a").write_text("a")
    assert names(tmp_path) == {"a": b"a"}


def test_its_owner_can_write_to_the_copy(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0o444)
    with (
        packing.packed(tmp_path, MB) as descriptor,
        os.fdopen(os.dup(descriptor), "rb") as file,
        tarfile.open(fileobj=file) as archive,
    ):
        (member,) = archive
    assert member.mode & 0o600 == 0o600
    assert (member.uid, member.uname) == (0, "")
