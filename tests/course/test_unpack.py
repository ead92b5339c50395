"""Writing notes into a vault: nowhere else, nothing overwritten, one bad path stops no other note."""

import os
from pathlib import Path

import pytest

from coursemill.course.unpack import Result, unpack
from coursemill.errors import CoursemillError
from coursemill.pure.transcript import Unpacked


def packed(*paths: str) -> bytes:
    return "".join(f"chat\n\nFilename: {p}\n````markdown\n# {n}\n````\n" for n, p in enumerate(paths)).encode()


def outcomes(result: Result) -> list[str]:
    return [one.outcome for one in result.notes]


def files(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def test_notes_are_written_where_they_belong(tmp_path: Path) -> None:
    result = unpack(packed("a.md", "b/c d/é.md"), tmp_path / "new/vault")
    assert outcomes(result) == ["written", "written"]
    assert (tmp_path / "new/vault/b/c d/é.md").read_bytes() == b"# 1\n"
    assert files(tmp_path) == ["new/vault/a.md", "new/vault/b/c d/é.md"]


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("mine")
    (tmp_path / "b.md").write_text("# 1\n")
    again = packed("a.md", "b.md", "c.md")
    result = unpack(again, tmp_path)
    assert outcomes(result) == ["refused", "unchanged", "written"]
    assert "--force" in result.notes[0].why
    assert (tmp_path / "a.md").read_text() == "mine"
    assert outcomes(unpack(again, tmp_path, force=True)) == ["overwritten", "unchanged", "unchanged"]
    assert (tmp_path / "a.md").read_text() == "# 0\n"
    assert outcomes(unpack(again, tmp_path)) == ["unchanged"] * 3


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    assert outcomes(unpack(packed("a.md", "../b.md"), tmp_path / "vault", dry_run=True)) == ["written", "refused"]
    assert not (tmp_path / "vault").exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    vault, outside = tmp_path / "vault", tmp_path / "outside"
    vault.mkdir()
    outside.mkdir()
    (outside / "there.md").write_text("mine")
    (vault / "folder").symlink_to(outside)
    (vault / "there.md").symlink_to(outside / "there.md")
    (vault / "nowhere.md").symlink_to(outside / "new.md")
    (vault / "loop").symlink_to(vault / "loop")
    notes = packed("folder/x.md", "there.md", "nowhere.md", "loop/x.md", "good.md")
    result = unpack(notes, vault, force=True)
    assert outcomes(result) == ["refused"] * 4 + ["written"]
    assert all("is a link" in one.why for one in result.refused)
    assert files(outside) == ["there.md"]
    assert (outside / "there.md").read_text() == "mine"


def test_what_stands_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe.md")
    result = unpack(packed("folder.md", "file/x.md", "pipe.md", "good.md"), tmp_path)
    assert [one.why for one in result.refused] == [
        "a folder stands there",
        "`file` is a file, and no folder",
        "something else than a file stands there",
    ]
    assert (tmp_path / "good.md").read_text() == "# 3\n"


def test_a_folder_that_cannot_be_written_to_stops_no_other_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursemill.effects import store

    write = store.write

    def full(root: Path, path: str, data: bytes) -> store.Stamp:
        if path == "a.md":
            raise store.explained(OSError(28, "No space left on device"), path)
        return write(root, path, data)

    monkeypatch.setattr(store, "write", full)
    result = unpack(packed("a.md", "b.md"), tmp_path)
    assert outcomes(result) == ["refused", "written"]
    assert "No space left" in result.notes[0].why


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"only prose\n", "no note was found in 1 lines"),
        ("Filename: a.md\n````markdown\n# T\n````\n".encode("utf-16"), "UTF-16"),
        (b"chat\n\n````markdown\n---\nk: v\n---\n# T\n````\n", "chat.txt:4: there are notes, but none has a name"),
    ],
)
def test_what_is_no_transcript(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(CoursemillError, match=said):
        unpack(data, tmp_path, where="chat.txt")


def test_the_vault_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("x")
    with pytest.raises(CoursemillError, match="this is no folder"):
        unpack(packed("a.md"), tmp_path / "vault")


def test_a_real_transcript(transcript: Path, tmp_path: Path) -> None:
    data = transcript.read_bytes()
    result = unpack(data, tmp_path)
    assert isinstance(result.found, Unpacked)
    assert outcomes(result) == ["written"] * 14
    assert len(files(tmp_path)) == 14
    for one in result.notes:
        assert (tmp_path / one.note.path).read_bytes() in data
    assert outcomes(unpack(data, tmp_path)) == ["unchanged"] * 14
