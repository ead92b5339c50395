"""Files that cross from one side of the wall to the other."""

import json
import os
from pathlib import Path

import pytest

from coursemill.effects.sandbox.inmate import mirror
from coursemill.effects.sandbox.inmate.mirror import Mirror


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """The candidate's folders, and the examiner's, each with the instructor's `data.txt`."""
    for side in ("candidate", "examiner"):
        for name in ("home", "tmp"):
            (tmp_path / side / name).mkdir(parents=True)
        (tmp_path / side / "home" / "data.txt").write_text("the instructor's")
    return tmp_path / "candidate", tmp_path / "examiner"


def made(side: Path, guard: bool = False) -> Mirror:
    return Mirror.of([str(side / "home"), str(side / "tmp")], guard=guard)


def test_what_one_side_writes_the_other_one_has(sides: tuple[Path, Path]) -> None:
    ours, theirs = sides
    one, other = made(ours), made(theirs, guard=True)
    (ours / "home/out/deep").mkdir(parents=True)
    (ours / "home/out/deep/a.bin").write_bytes(b"\0\xff")
    (ours / "home/empty").mkdir()
    (ours / "tmp/b.txt").write_text("b")
    other.apply(one.changes())
    assert (theirs / "home/out/deep/a.bin").read_bytes() == b"\0\xff"
    assert (theirs / "tmp/b.txt").read_text() == "b"
    assert (theirs / "home/empty").is_dir()
    assert (one.changes(), other.changes()) == (b"", b""), "nothing goes back and forth"


def test_changes_go_both_ways_however_quick(sides: tuple[Path, Path]) -> None:
    ours, theirs = sides
    one, other = made(ours), made(theirs)
    for number in range(5):
        (ours / "home/a.txt").write_text(f"{number}")
        other.apply(one.changes())
        assert (theirs / "home/a.txt").read_text() == f"{number}"
        (theirs / "home/a.txt").write_text(f"-{number}")
        one.apply(other.changes())
        assert (ours / "home/a.txt").read_text() == f"-{number}"


def test_what_is_removed_here_is_removed_there(sides: tuple[Path, Path]) -> None:
    ours, theirs = sides
    one, other = made(ours), made(theirs, guard=True)
    (ours / "home/d").mkdir()
    (ours / "home/d/a.txt").write_text("a")
    other.apply(one.changes())
    (ours / "home/d/a.txt").unlink()
    (ours / "home/d").rmdir()
    (ours / "home/data.txt").unlink()
    other.apply(one.changes())
    assert not (theirs / "home/d").exists()
    assert (theirs / "home/data.txt").read_text() == "the instructor's"


def test_the_instructors_files_cannot_be_changed(sides: tuple[Path, Path]) -> None:
    ours, theirs = sides
    one, other = made(ours), made(theirs, guard=True)
    (ours / "home/data.txt").write_text("mine")
    other.apply(one.changes())
    assert (theirs / "home/data.txt").read_text() == "the instructor's"


def test_links_pipes_and_noise_stay(sides: tuple[Path, Path]) -> None:
    ours, theirs = sides
    one, other = made(ours), made(theirs)
    (ours / "home/link").symlink_to("/etc/passwd")
    (ours / "home/folder").symlink_to("/etc")
    os.mkfifo(ours / "home/pipe")
    (ours / "home/__pycache__").mkdir()
    (ours / "tmp/kernel.json").write_text("{}")
    (ours / "tmp/spark-1234").mkdir()
    (ours / "home/spark-notes.txt").write_text("kept: it is not in /tmp")
    other.apply(one.changes())
    assert sorted(path.name for path in (theirs / "home").iterdir()) == ["data.txt", "spark-notes.txt"]
    assert list((theirs / "tmp").iterdir()) == []


def test_a_link_on_the_other_side_is_not_followed(sides: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = sides
    one, other = made(ours), made(theirs)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("safe")
    (theirs / "home/out").symlink_to(outside)
    (theirs / "home/b.txt").symlink_to(outside / "a.txt")
    (ours / "home/out").mkdir()
    (ours / "home/out/a.txt").write_text("evil")
    (ours / "home/b.txt").write_text("evil")
    other.apply(one.changes())
    assert (outside / "a.txt").read_text() == "safe"


def test_what_is_too_much_is_left_out(sides: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = sides
    one, other = made(ours), made(theirs)
    monkeypatch.setattr(mirror, "MOST_BYTES", 100)
    (ours / "home/large").write_bytes(bytes(101))
    (ours / "home/small").write_bytes(bytes(99))
    other.apply(one.changes())
    assert [(theirs / "home" / name).exists() for name in ("large", "small")] == [False, True]


def packed(there: object, content: bytes = b"", gone: object = ()) -> bytes:
    head = json.dumps({"there": there, "gone": gone}).encode()
    return mirror.LENGTH.pack(len(head)) + head + content


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\xff\xff\xff\xff{}",
        mirror.LENGTH.pack(2) + b"[]",
        mirror.LENGTH.pack(100_000) + b"[" * 100_000,
        packed([[0, "../a", 1]], b"x"),
        packed([[0, "/a", 1]], b"x"),
        packed([[0, "a//b", 1]], b"x"),
        packed([[0, "", 1]], b"x"),
        packed([[0, ".", 1]], b"x"),
        packed([[0, "a\0b", 1]], b"x"),
        packed([[0, "\ud800", 1]], b"x"),
        packed([[2, "a", 1]], b"x"),
        packed([[-1, "a", 1]], b"x"),
        packed([[True, "a", 1]], b"x"),
        packed([[0, "a", 2]], b"x"),
        packed([[0, "a", -1]], b"x"),
        packed([[0, "a", 1.0]], b"x"),
        packed([[0, ["a"], 1]], b"x"),
        packed([[0, "a" * 300, 1]], b"x"),
        packed([[0, "/".join("a" * 30), 1]], b"x"),
        packed({"a": 1}),
        packed([], gone=[[0, "../x"]]),
        packed([], gone=[0]),
        packed([[0, "a", None]] * 3000),
    ],
)
def test_what_makes_no_sense_is_refused(sides: tuple[Path, Path], data: bytes) -> None:
    _, theirs = sides
    other = made(theirs)
    with pytest.raises(ValueError):
        other.apply(data)
    assert sorted(path.name for path in theirs.rglob("*")) == ["data.txt", "home", "tmp"]
