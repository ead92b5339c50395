"""Whatever stands in a vault, reading it ends, and says what is wrong and where."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.effects import vault
from coursemill.errors import CoursemillError


@pytest.fixture
def course(tmp_path: Path) -> Config:
    (tmp_path / "notes").mkdir()
    return Config(tmp_path)


def put(course: Config, name: str, data: bytes | str = "# A note\n") -> Path:
    path = course.path("notes", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def found(course: Config) -> tuple[list[str], dict[str, str]]:
    """The notes that were read, and the code for each file that was not."""
    read = vault.read(course)
    return [n.path for n in read.notes], {f.path: f.code for f in read.findings}


def test_notes_come_in_the_order_of_their_paths(course: Config) -> None:
    for name in ("b.md", "a/z.md", "a.md", "Ä.md", "no.txt"):
        put(course, name)
    assert found(course) == (["notes/a.md", "notes/a/z.md", "notes/b.md", "notes/Ä.md"], {})


@pytest.mark.parametrize(
    "name",
    [".obsidian/x.md", ".trash/x.md", "_worksheets/ws/x.md", "_diagrams/x.md", "Note.files/x.md", "a/.x.md", "...md"],
)
def test_what_editors_and_lessons_keep_is_no_note(course: Config, name: str) -> None:
    put(course, name)
    assert found(course) == ([], {})


@pytest.mark.parametrize("name", ["templates/New.md", "_Templates/a/New.md", "99 - Template/New.md"])
def test_templates_can_be_linked_to_and_are_not_read(course: Config, name: str) -> None:
    put(course, name, "<%* tp.file.title %>\n---\n: [")
    read = vault.read(course)
    assert (read.notes, read.listing.templates, read.findings) == ((), (f"notes/{name}",), ())


@pytest.mark.parametrize(
    "name",
    ["a b.md", "it's.md", 'say "hi".md', "[draft].md", "a+b.md", "a..b.md", "Café.md", "Cafe\u0301.md", "日本.md"],
)
def test_unusual_names_are_names(course: Config, name: str) -> None:
    put(course, name)
    assert found(course) == ([f"notes/{name}"], {})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.md", "notes/a\\nb.md"),
        ("a\\b.md", "notes/a\\b.md"),
        (" a.md", "notes/ a.md"),
        ("x" * 250 + ".md", "notes/" + "x" * 250 + ".md"),
        (os.fsdecode(b"\xff.md"), "notes/\\udcff.md"),
    ],
)
def test_names_that_no_notebook_can_have(course: Config, name: str, shown: str) -> None:
    put(course, name)
    assert found(course) == ([], {shown: "CM108"})


@pytest.mark.parametrize(
    ("data", "place", "says"),
    [
        (b"ok\nab\xff\n", "notes/x.md:2:3: CM101", "byte 5 (0xff)"),
        ("# ä\n".encode("utf-16"), "notes/x.md:1:1: CM101", "UTF-16"),
        ("größe: ä\n".encode("latin-1"), "notes/x.md:1:3: CM101", "byte 2 (0xf6)"),
        (b"x" * (vault.LARGEST + 1), "notes/x.md:1:1: CM106", "5,000,001 bytes"),
    ],
)
def test_text_that_cannot_be_had(course: Config, data: bytes, place: str, says: str) -> None:
    put(course, "x.md", data)
    put(course, "y.md")
    read = vault.read(course)
    assert [n.path for n in read.notes] == ["notes/y.md"]
    (finding,) = read.findings
    assert str(finding).startswith(place)
    assert says in str(finding)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf# x\r\n", b"a\0b"])
def test_text_comes_as_it_stands(course: Config, data: bytes) -> None:
    put(course, "x.md", data)
    (note,) = vault.read(course).notes
    assert note.text.encode() == data


def test_nothing_blocks_and_links_do_not_lead_away(course: Config, tmp_path: Path) -> None:
    outside = tmp_path / "secret.md"
    outside.write_text("secret")
    notes = course.path("notes")
    put(course, "real.md")
    put(course, "X.md/inside.md")
    os.mkfifo(notes / "pipe.md")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(notes / "socket.md"))
    for name, target in {
        "out.md": outside,
        "null.md": "/dev/null",
        "gone.md": "nowhere",
        "loop.md": "loop.md",
        "alias.md": "real.md",
        "folder.md": "X.md",
        "round": ".",
    }.items():
        (notes / name).symlink_to(target)
    read, codes = found(course)
    assert read == ["notes/X.md/inside.md", "notes/alias.md", "notes/real.md"]
    bad = ["folder.md", "gone.md", "loop.md", "null.md", "out.md", "pipe.md", "round", "socket.md"]
    assert codes == {f"notes/{name}": "CM107" for name in bad}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_note_without_permission_is_named(course: Config) -> None:
    put(course, "x.md").chmod(0)
    assert found(course) == ([], {"notes/x.md": "CM107"})


def test_a_note_that_vanishes_while_it_is_read(course: Config) -> None:
    put(course, "x.md")
    (entry,) = vault.walk(course).notes
    course.path("notes", "x.md").unlink()
    gone = vault.note(course, entry)
    assert "CM107" in str(gone)
    assert "No such file" in str(gone)


def test_very_deep_folders(course: Config) -> None:
    folder = os.fspath(course.path("notes"))
    for _ in range(1200):
        folder += "/d"
        os.mkdir(folder)  # noqa: PTH102 - pathlib recurses
    Path(folder, "x.md").write_text("x")
    try:
        assert found(course) == (["notes/" + "d/" * 1200 + "x.md"], {})
    finally:  # pytest's own removal recurses, and gives up
        subprocess.run(["rm", "-r", course.path("notes/d")], check=True)


def test_what_is_no_note_is_listed_as_files(course: Config) -> None:
    for name in ("N.files/b.csv", "N.files/a/c.md", "N.files/.DS_Store", "N.files/__pycache__/x.pyc", "pictures/x.png"):
        put(course, name)
    put(course, "_worksheets/ws/helper.py")
    course.path("notes/N.files/passwd").symlink_to("/etc/passwd")
    listing = vault.walk(course)
    assert [e.path for e in listing.files] == [
        "notes/N.files/a/c.md",
        "notes/N.files/b.csv",
        "notes/_worksheets/ws/helper.py",
        "notes/pictures/x.png",
    ]
    assert listing.below("notes/N.files") == listing.files[:2]
    assert "notes/_worksheets/ws" in listing.folders
    assert [(f.path, f.code) for f in listing.findings] == [("notes/N.files/passwd", "CM107")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("N.files/x.ipynb", "notes/N.files/x.ipynb"),
        ("_worksheets/ws/x.ipynb", "notes/_worksheets/ws/x.ipynb"),
        ("N.files/a\tb.csv", "notes/N.files/a\\tb.csv"),
        (os.fsdecode(b"\xff/N.md"), "notes/\\udcff/N.md"),
    ],
)
def test_files_that_cannot_come_along(course: Config, name: str, shown: str) -> None:
    put(course, name)
    assert found(course) == ([], {shown: "CM108"})
    assert vault.walk(course).files == ()


def test_without_a_vault(tmp_path: Path) -> None:
    with pytest.raises(CoursemillError, match="notes/: there is no such folder"):
        vault.read(Config(tmp_path))
