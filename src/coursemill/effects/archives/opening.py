"""Opens an archive by what it holds, whatever its name says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coursemill.effects.archives import tars, zips
from coursemill.effects.archives.archive import Archive, Broken, Meter
from coursemill.effects.archives.folders import Folder
from coursemill.pure.grading import membernames

FOREIGN = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
MADE_OF = frozenset(
    f".{suffix}"
    for suffix in (
        *("apk", "egg", "epub", "jar", "whl", "h5", "keras", "npz", "pt", "pth"),
        *("docm", "docx", "odp", "ods", "odt", "ppsx", "pptx", "xlsm", "xlsx"),
    )
)
"""Files that are zips and no archives."""
PACKED_FILES = frozenset({".gz", ".bz2", ".xz", ".zst"})


@contextmanager
def opened(path: Path, name: str, meter: Meter) -> Iterator[Archive]:
    """Open a folder, an archive, or a file as a folder of one; `name` is what it is called.

    Raises Broken when it is an archive that cannot be opened, and Exhausted.
    """
    if path.is_dir():
        folder = Folder(path, meter)
        try:
            yield folder
        finally:
            folder.close()
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Broken(f"it cannot be read: {error.strerror}") from error
    with stream:
        begin = stream.read(tars.BLOCK)
        stream.seek(0)
        if foreign := next((kind for magic, kind in FOREIGN.items() if begin.startswith(magic)), ""):
            raise Broken(f"it is a {foreign} archive, which cannot be opened here: pack it as a zip")
        if begin.startswith(zips.MAGIC):
            yield zips.Zip(stream, meter)
        elif tars.packing(begin) or tars.is_header(begin):
            yield tars.Tar(stream, tars.packing(begin), _unpacked_name(name), meter)
        else:
            folder = Folder(path.parent, meter, only=path.name)
            try:
                yield folder
            finally:
                folder.close()


def is_archive(name: str, start: bytes) -> bool:
    """Whether a file in an archive is one itself: by its first bytes, but for files that are made of zips."""
    suffix = membernames.suffix(name)
    if start.startswith(zips.MAGIC):
        return suffix not in MADE_OF
    if tars.packing(start):
        return suffix not in PACKED_FILES or membernames.suffix(membernames.stem(name)) == ".ipynb"
    return start.startswith(tuple(FOREIGN)) or (len(start) >= tars.BLOCK and tars.is_header(start[: tars.BLOCK]))


def _unpacked_name(name: str) -> str:
    return membernames.stem(name) if membernames.suffix(name) in PACKED_FILES else name
