"""Files that were taken out of archives, under names of our own, until it is known what becomes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursemill.effects import store


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the spool."""

    path: Path
    size: int
    digest: str
    """SHA-256, in hex."""
    start: bytes
    """Its first bytes, which tell what it is."""


class Spool:
    """A folder for such files; what is refused midway leaves nothing in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def keep(self, chunks: Iterator[bytes]) -> Kept:
        """Write the bytes down; raises what `chunks` raises, and CoursemillError when the disk is full."""
        self.count += 1
        path = self.folder / f"{self.count:07}"
        digest, size, start = hashlib.sha256(), 0, b""
        try:
            with store.explaining(self.folder.name, "collect"), path.open("xb") as stream:
                for chunk in chunks:
                    start = start or chunk[:LONGEST_START]
                    digest.update(chunk)
                    size += len(chunk)
                    stream.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Kept(path, size, digest.hexdigest(), start)

    def drop(self, kept: Kept) -> None:
        kept.path.unlink(missing_ok=True)


LONGEST_START = 512
