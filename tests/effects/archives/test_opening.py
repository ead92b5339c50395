"""What a file is, its content says."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from coursemill.effects.archives.opening import is_archive

Reading = Callable[..., object]


def zipped(name: str = "nb.ipynb") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, b"{}")
    return data.getvalue()


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x", "nb.ipynb", "x.pdf"])
def test_a_zip_is_one_under_any_name(around: Path, read: Reading, name: str) -> None:
    (around / name).write_bytes(zipped())
    assert read(around / name).files == {"nb.ipynb": b"{}"}


def test_other_files_are_folders_of_one(around: Path, read: Reading) -> None:
    (around / "nb.zip").write_bytes(b"{}")
    (around / "other").write_bytes(b"")
    assert read(around / "nb.zip").files == {"nb.zip": b"{}"}


@pytest.mark.parametrize(("start", "kind"), [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\x00", "rar")])
def test_foreign_archives_are_named(around: Path, read: Reading, start: bytes, kind: str) -> None:
    (around / "x.zip").write_bytes(start + b"\0" * 100)
    assert f"a {kind} archive" in read(around / "x.zip").refused[""]


@pytest.mark.parametrize(
    ("name", "start", "is_one"),
    [
        ("x.zip", zipped(), True),
        ("nb.ipynb", zipped(), True),
        ("data.npz", zipped(), False),
        ("table.xlsx", zipped(), False),
        ("data.csv.gz", gzip.compress(b"1,2"), False),
        ("nb.ipynb.gz", gzip.compress(b"{}"), True),
        ("work.tgz", gzip.compress(b""), True),
        ("work.tar.gz", gzip.compress(b""), True),
        ("x", b"Rar!\x1a\x07\x00", True),
        ("nb.ipynb", b"{}", False),
        ("empty", b"", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # archives hold the time
)
def test_archives_in_archives(name: str, start: bytes, is_one: bool) -> None:
    assert is_archive(name, start) is is_one
