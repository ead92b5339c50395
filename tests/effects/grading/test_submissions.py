"""Folders that students filled: read without following a link, opening a pipe, or running out of anything."""

import errno
import os
import socket
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from coursemill.config import Config
from coursemill.effects.grading import courses, folders, submissions
from coursemill.effects.grading.courses import Course, Worksheet
from coursemill.effects.grading.submissions import Submission
from coursemill.errors import CoursemillError
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.quotas import Quotas

SHEET = Worksheet("WS", (Assignment("WS", "one", ()), Assignment("WS", "two", ())), {"shop.py": b"price = 1"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ann's, with both notebooks."""
    made = tmp_path / "submitted" / "ann" / "WS"
    made.mkdir(parents=True)
    (made / "one.ipynb").write_bytes(b"1")
    (made / "two.ipynb").write_bytes(b"2")
    return made


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return courses.course(Config(tmp_path))


def take(course: Course, quotas: Quotas | None = None, student: str = "ann") -> Submission:
    return submissions.handed(course, SHEET, student, quotas)


def left_out(made: Submission) -> dict[str, str]:
    return {note.cell: note.text for note in made.notes}


def test_notebooks_files_and_time(course: Course, folder: Path) -> None:
    (folder / "timestamp.txt").write_text("2015-02-02 15:58:23.948203 America/Los_Angeles\n")
    (folder / "shop.py").write_bytes(b"price = 1")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "data.csv").write_bytes(b"a,b")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "one-checkpoint.ipynb").write_bytes(b"old")
    (folder / ".DS_Store").write_bytes(b"")
    made = take(course)
    assert made.notebooks == {"one": b"1", "two": b"2"}
    assert made.files == {"deep/er/data.csv": b"a,b"}
    assert made.timestamp == datetime(2015, 2, 2, 23, 58, 23, 948203)
    assert made.notes == ()
    assert made.handed("two").content == b"2"


@pytest.mark.parametrize("text", ["yesterday", "\0\0", "9" * 5000, "2015-99-99"])
def test_a_time_that_is_none_does_not_count(course: Course, folder: Path, text: str) -> None:
    (folder / "timestamp.txt").write_text(text)
    made = take(course)
    assert made.timestamp is None
    assert "timestamp.txt" in left_out(made)


def test_what_is_missing_is_none(course: Course, folder: Path) -> None:
    (folder / "two.ipynb").unlink()
    assert take(course).notebooks == {"one": b"1", "two": None}
    assert take(course, student="nobody").notebooks == {"one": None, "two": None}


def test_no_link_is_followed(course: Course, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key.txt").write_bytes(b"hidden")
    (folder / "two.ipynb").unlink()
    (folder / "two.ipynb").symlink_to(secret / "key.txt")
    (folder / "folder").symlink_to(secret)
    (folder / "dangling").symlink_to("/nowhere")
    (folder / "loop").symlink_to(folder)
    made = take(course)
    assert made.notebooks == {"one": b"1", "two": None}
    assert made.files == {}
    assert set(left_out(made)) == {"two.ipynb", "folder", "dangling", "loop"}
    assert all("links are not followed" in text for text in left_out(made).values())


@pytest.mark.parametrize("part", ["ann", "ann/WS"])
def test_a_folder_that_is_a_link_is_not_followed(course: Course, folder: Path, tmp_path: Path, part: str) -> None:
    place = tmp_path / "submitted" / part
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert submissions.roll(course, "WS").students == ("ann",)
    made = take(course)
    assert made.notebooks == {"one": None, "two": None}
    assert "links are not followed" in left_out(made)[""]


def test_pipes_sockets_and_devices_are_not_opened(
    course: Course, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "three.ipynb")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        start = time.monotonic()
        made = take(course)
    assert time.monotonic() - start < 5
    assert left_out(made) == {
        "pipe": "it is left out: it is a pipe",
        "three.ipynb": "it is left out: it is a pipe",
        "socket": "it is left out: it is a socket",
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"\xff\xfe.txt", "not UTF-8"),
        (b"a\nb.txt", "cannot be shown"),
        ("cod\u202etxt.exe".encode(), "direction"),
        (b"\x1b[31mred", "cannot be shown"),
    ],
)
def test_names_that_nobody_should_have(course: Course, folder: Path, name: bytes, why: str) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"x")
    made = take(course)
    assert made.files == {}
    (note,) = made.notes
    assert why in note.text
    assert note.cell.isprintable()


def test_names_that_differ_in_how_accents_are_composed(course: Course, folder: Path) -> None:
    (folder / "e\u0301.txt").write_bytes(b"1")
    (folder / "\u00e9.txt").write_bytes(b"2")
    made = take(course)
    assert list(made.files) == ["é.txt"]
    assert len(made.notes) == 1


def test_what_steers_python_is_left_out(course: Course, folder: Path) -> None:
    for path in ("json.py", "numpy/__init__.py", "sitecustomize.py", "a.pth", ".ipython/profile_default/startup/0.py"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"evil")
    (folder / "shop.py").write_bytes(b"price = 0")
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_bytes(b"price = 0")
    (folder / "helpers.py").write_bytes(b"fine")
    made = take(course)
    assert made.files == {"helpers.py": b"fine"}
    assert len(made.notes) == 7
    assert left_out(made)["shop.py"] == "it was changed: the instructor's is used"


def test_files_that_students_are_to_change(course: Course, folder: Path) -> None:
    (folder / "shop.py").write_bytes(b"price = 0")
    sheet = Worksheet("WS", SHEET.assignments, SHEET.files, frozenset({"shop.py"}))
    assert submissions.handed(course, sheet, "ann").files == {"shop.py": b"price = 0"}


def test_quotas(course: Course, folder: Path) -> None:
    for number in range(5):
        (folder / f"{number}.txt").write_bytes(b"x" * 40)
    with (folder / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    made = take(course, Quotas(file=50, student=110, student_files=6))
    assert made.notebooks == {"one": b"1", "two": b"2"}
    assert list(made.files) == ["0.txt", "1.txt"]
    (said,) = set(left_out(made).values())
    assert said.startswith("it is left out: it is too large, ")
    made = take(course, Quotas(student_files=4))
    assert list(made.files) == ["0.txt", "1.txt"]
    assert "more than 4 files" in made.notes[0].text


def test_a_folder_with_too_many_files_is_not_read_to_its_end(course: Course, folder: Path) -> None:
    for number in range(300):
        (folder / f"{number:03}").touch()
    made = take(course, Quotas(student_files=20))
    assert len(made.files) <= 20
    assert len(made.notes) <= 201


def test_a_deep_folder_ends(course: Course, folder: Path) -> None:
    deep = folder
    for _ in range(40):
        deep = deep / "a"
        deep.mkdir()
        (deep / "x").write_bytes(b"1")
    made = take(course)
    assert len(made.files) == 31
    assert "folders deep" in made.notes[0].text


def test_a_file_that_becomes_a_link_while_it_is_read(
    course: Course, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(b"hidden")
    (folder / "a.txt").write_bytes(b"a")
    (folder / "b.txt").write_bytes(b"b")
    (folder / "sub").mkdir()
    (folder / "sub" / "c.txt").write_bytes(b"c")
    real = os.open

    def swapped(path: Any, flags: int, *more: Any, **about: Any) -> int:
        if path == "a.txt":
            (folder / path).unlink()
            (folder / path).symlink_to(tmp_path / "secret")
        elif path == "b.txt":
            (folder / path).unlink()
            os.mkfifo(folder / path)
        elif path == "sub":
            (folder / path).rename(folder / "old")
            (folder / path).symlink_to("/etc")
        return real(path, flags, *more, **about)

    monkeypatch.setattr(folders.os, "open", swapped)
    made = take(course)
    assert made.files == {}
    assert set(left_out(made)) == {"a.txt", "b.txt", "sub"}


def test_a_file_that_grows_without_end(course: Course, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.txt").write_bytes(b"a")
    monkeypatch.setattr(folders.os, "read", lambda _, count: b"x" * count)
    made = take(course, Quotas(file=1 << 22))
    assert made.files == {}
    expected = "it is left out: it is too large, 4 MB of a file are read, 256 MB of all"
    assert left_out(made)["a.txt"] == expected


def test_what_cannot_be_read_is_noted(course: Course, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.read

    def failing(file: int, count: int) -> bytes:
        data = real(file, count)
        if data == b"2":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return data

    monkeypatch.setattr(folders.os, "read", failing)
    made = take(course)
    assert made.notebooks == {"one": b"1", "two": None}
    assert "input/output error" in left_out(made)["two.ipynb"]


def test_descriptors_are_given_back(course: Course, folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").symlink_to("a")
    take(course)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - their number alone
    for _ in range(5):
        take(course)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - the same


def test_notebooks_under_other_names(course: Course, folder: Path) -> None:
    (folder / "one.ipynb").rename(folder / "One (1).ipynb")
    (folder / "Untitled.ipynb").write_bytes(b"u")
    made = take(course)
    assert made.notebooks == {"one": b"1", "two": b"2"}
    assert left_out(made)["One (1).ipynb"] == "it is taken as `one`"
    assert "no notebook of this name" in left_out(made)["Untitled.ipynb"]


def test_who_handed_in(course: Course, folder: Path, tmp_path: Path) -> None:
    for name in ("bob", "zoë", "a\nb"):
        (tmp_path / "submitted" / name / "WS").mkdir(parents=True)
    (tmp_path / "submitted" / "cyd" / "other").mkdir(parents=True)
    (tmp_path / "submitted" / ".hidden" / "WS").mkdir(parents=True)
    (tmp_path / "submitted" / "file").write_bytes(b"")
    found = submissions.roll(course, "WS")
    assert found.students == ("ann", "bob", "zoë")
    assert list(found.refused) == ["a\\nb"]
    assert submissions.roll(course, "WS", ["bob", "bob"]).students == ("bob",)
    with pytest.raises(CoursemillError, match="did you mean `ann`"):
        submissions.roll(course, "WS", ["annn"])


@pytest.mark.parametrize("student", ["..", "../ann", "", ".", "/etc"])
def test_a_student_is_no_path(course: Course, folder: Path, student: str) -> None:
    assert set(take(course, student=student).notebooks.values()) == {None}
