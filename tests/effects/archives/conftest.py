"""Archives that are made in tests, and what comes out of them."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coursemill.effects.archives.archive import Broken, Exhausted, Meter
from coursemill.effects.archives.opening import opened
from coursemill.pure.grading.quotas import Quotas


@dataclass
class Read:
    """What is in an archive."""

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Member → why; the whole archive's is at the empty name."""
    peak: int = 0
    """Bytes of memory."""


@pytest.fixture
def read() -> Callable[..., Read]:
    """Read all of an archive, with quotas; nothing but refusals may come of whatever it holds."""

    def reading(path: Path, quotas: Quotas | None = None, *, keep: bool = True) -> Read:
        found = Read()
        tracemalloc.start()
        try:
            with opened(path, path.name, Meter(quotas or Quotas())) as archive:
                found.refused = {one.member: one.reason for one in archive.listed.refused}
                wanted = {one.place for one in archive.listed.members}
                for member, chunks in archive.contents(wanted):
                    try:
                        data = b"".join(chunks) if keep else b"%d" % sum(map(len, chunks))
                        found.files["/".join(member.parts)] = data
                    except Broken as error:
                        found.refused[member.written] = str(error)
        except (Broken, Exhausted) as error:
            found.refused[""] = str(error)
        finally:
            found.peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    return reading


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Path]:
    """A folder in a folder; nothing beside it may be touched."""
    inner = tmp_path / "a" / "b" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "secret").write_text("secret")
    before = tree(tmp_path / "a")
    yield inner
    assert {path: data for path, data in tree(tmp_path / "a").items() if not path.startswith("b/inner")} == before


def tree(root: Path) -> dict[str, bytes]:
    """Path → bytes of all files below a folder, links by where they lead."""
    return {
        str(path.relative_to(root)): str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
