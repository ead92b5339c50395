"""Notes on disk, triaged and written: found by names and paths, replaced as a whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from coursemill import config
from coursemill.config import Config
from coursemill.course import triage
from coursemill.effects import workers
from coursemill.errors import CoursemillError

RAW = "```python\n# print(1)  # Output: 1\n```\n"
DONE = '```python\nprint(1)  # Output: 1\n```\n\n```text role="output"\n1\n```\n'


@pytest.fixture
def course(tmp_path: Path) -> Config:
    for path in ("notes/Tea.md", "notes/sub/Cups.md", "notes/sub/deep/Pots.md"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(RAW)
    (tmp_path / "notes/Tea.md").write_text("---\nworksheet: WS_1\n---\n" + RAW)
    return config.load(tmp_path)


def paths(*found: triage.File) -> list[str]:
    return [file.path for file in found]


def test_names_of_a_course(course: Config) -> None:
    find = lambda *names: paths(*triage.find(course, names, course.root))  # noqa: E731 - it is asked six times
    everything = ["notes/Tea.md", "notes/sub/Cups.md", "notes/sub/deep/Pots.md"]
    assert find() == everything
    assert find("Tea") == find("WS_1") == find("notes/Tea.md") == everything[:1]
    assert find("notes/sub") == find("sub") == everything[1:]
    assert find("Po*", "Tea", "Tea") == [everything[2], everything[0]]
    assert find(str(course.root / "notes" / "sub" / ".." / "Tea.md")) == everything[:1]
    with pytest.raises(CoursemillError, match=r"there is no note `Pot`.*did you mean `Pots`"):
        find("Pot")
    (course.root / "empty").mkdir()
    with pytest.raises(CoursemillError, match="there is no note in"):
        find("empty")


def test_files_anywhere(course: Config, tmp_path: Path) -> None:
    root = course.root
    assert paths(*triage.find(None, ["Cups.md"], root / "notes" / "sub")) == ["Cups.md"]
    assert paths(*triage.find(None, ["."], root / "notes" / "sub")) == ["Cups.md", "deep/Pots.md"]
    (elsewhere,) = triage.find(None, [str(root / "notes" / "sub" / "deep")], root / "notes" / "Tea.md")
    assert elsewhere == triage.File(root / "notes" / "sub" / "deep", "Pots.md")
    (inside,) = triage.find(course, ["Cups.md"], root / "notes" / "sub")
    assert inside == triage.File(root, "notes/sub/Cups.md")
    with pytest.raises(CoursemillError, match="no file or folder `Tea`"):
        triage.find(None, ["Tea"], root)
    with pytest.raises(CoursemillError):
        triage.find(None, ["x" * 5000], root)
    with pytest.raises(CoursemillError):
        triage.find(None, ["a\0b"], root)


def test_writing_keeps_the_mode_and_settles(course: Config) -> None:
    file = course.root / "notes/sub/Cups.md"
    file.chmod(0o640)
    (looked,) = triage.look(triage.find(course, ["Cups"], course.root)).notes
    triage.write(looked)
    assert file.read_text() == DONE
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert not triage.look(triage.find(course, ["Cups"], course.root)).proposed
    assert {path.name for path in file.parent.iterdir()} == {"Cups.md", "deep"}


def test_every_byte_stays(course: Config) -> None:
    file = course.root / "notes/Tea.md"
    file.write_bytes(b"\xef\xbb\xbf# Tea\r\n\r\n```python\r\n# print(1)\r\n```\r\nlast \t")
    (looked,) = triage.look(triage.find(course, ["Tea"], course.root)).notes
    triage.write(looked)
    assert file.read_bytes() == b"\xef\xbb\xbf# Tea\r\n\r\n```python\r\nprint(1)\r\n```\r\nlast \t"


def test_a_file_that_changed_is_kept(course: Config) -> None:
    (looked,) = triage.look(triage.find(course, ["Cups"], course.root)).notes
    file = course.root / "notes/sub/Cups.md"
    file.write_text("mine")
    with pytest.raises(CoursemillError, match="changed meanwhile"):
        triage.write(looked)
    assert file.read_text() == "mine"
    file.unlink()
    with pytest.raises(CoursemillError):
        triage.write(looked)


def test_a_link_stays_a_link(course: Config) -> None:
    link = course.root / "notes/Link.md"
    link.symlink_to("sub/Cups.md")
    (looked,) = triage.look(triage.find(course, ["notes/Link.md"], course.root)).notes
    triage.write(looked)
    assert link.is_symlink()
    assert (course.root / "notes/sub/Cups.md").read_text() == DONE


def test_what_cannot_be_read_is_told_and_the_others_go_on(course: Config) -> None:
    (course.root / "notes/Bad.md").write_bytes(b"\xff\xfe# Tea")
    files = triage.find(course, [], course.root)
    (course.root / "notes/sub/Cups.md").unlink()
    os.mkfifo(course.root / "notes/sub/Cups.md")
    seen: list[str] = []
    result = triage.look(files, seen.append)
    assert [looked.file.path for looked in result.notes] == ["notes/Tea.md", "notes/sub/deep/Pots.md"]
    assert [(f.path, f.code) for f in result.unread] == [("notes/Bad.md", "CM101"), ("notes/sub/Cups.md", "CM107")]
    assert seen == [file.path for file in files]
    assert result.findings == result.unread


def test_many_notes_are_looked_at_side_by_side(course: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    files = triage.find(course, [], course.root)
    alone = triage.look(files)
    monkeypatch.setattr(workers, "MANY", 2)
    monkeypatch.setattr(workers, "AT_ONCE", 2)
    seen: list[str] = []
    assert triage.look(files, seen.append) == alone
    assert sorted(seen) == [file.path for file in files]
