"""Puts what was collected into `submitted/`: a submission is there as a whole, or it is not there."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coursemill.config import Config
from coursemill.effects import store
from coursemill.effects.grading.courses import Course
from coursemill.errors import CoursemillError
from coursemill.pure.grading import moments
from coursemill.pure.grading.attempts import TIMESTAMP, File

HIDDEN = ".coursemill-collect"
"""The folder beside the submissions where they are prepared, if the build's is on another disk."""
BEFORE = f"{store.UNFINISHED}before-"
"""What a submission is called while another takes its place, on disks that cannot exchange two folders."""
AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of renameat2(2)."""
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """A submission that is in its place."""

    sizes: Mapping[str, int]
    """By path, but for timestamp.txt."""
    when: datetime | None


@contextmanager
def staging(config: Config, course: Course, worksheet: str) -> Iterator[Path]:
    """Give an empty folder on the disk of the submissions, to the only one who collects; it is gone afterwards."""
    top, _ = course.way("submitted", "student", worksheet)
    with store.explaining(top.name, "collect"):
        top.mkdir(parents=True, exist_ok=True)
        usual = config.path(config.build, "collect")
        usual.mkdir(parents=True, exist_ok=True)
    parent = usual if usual.stat().st_dev == top.stat().st_dev else top / HIDDEN
    with store.locked(parent), store.scratch(parent) as stage:
        yield stage


def place(course: Course, student: str, worksheet: str) -> Path:
    """Where a submission belongs; raises CoursemillError where a link leads elsewhere, or no folder stands."""
    top, below = course.way("submitted", student, worksheet)
    here = top
    for part in below:
        here = here / part
        with contextlib.suppress(FileNotFoundError):
            mode = os.lstat(here).st_mode
            if not stat.S_ISDIR(mode):
                what = "a link" if stat.S_ISLNK(mode) else "a file"
                raise CoursemillError(f"{what} stands where a folder belongs", where=str(here), fix="move it away")
    with store.explaining(f"{here.parent.name}/{here.name}", "collect"):
        _recover(here)
    return here


def standing(folder: Path) -> Standing | None:
    """What stands there now; None: nothing."""
    if not folder.is_dir():
        return None
    found = store.below(folder.parent, folder.name)
    sizes = {path.partition("/")[2]: status.st_size for path, status in found.items()}
    when = None
    with contextlib.suppress(OSError):
        file = folder / TIMESTAMP
        if stat.S_ISREG(os.lstat(file).st_mode):
            with file.open(encoding="utf-8", errors="replace") as stream:
                when = moments.parse(stream.read(LONGEST))
    return Standing({path: size for path, size in sizes.items() if path != TIMESTAMP}, when) if sizes else None


def is_same(folder: Path, there: Standing, files: Mapping[str, File]) -> bool:
    """Whether these files, with these bytes, stand there already."""
    new = {path: file for path, file in files.items() if path != TIMESTAMP}
    if dict(there.sizes) != {path: file.size for path, file in new.items()}:
        return False
    try:
        return all(
            not (folder / path).is_symlink() and store.digest(folder / path) == file.digest
            for path, file in new.items()
        )
    except OSError:
        return False


def prepare(stage: Path, name: str, files: Mapping[str, File], timestamp: str) -> Path:
    """Make a submission in the stage, of copies of files in the spool, with a timestamp if there is one."""
    made = stage / name
    with store.explaining(stage.name, "collect"):
        made.mkdir()
        for path, file in files.items():
            target = made / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.path, target)
            target.chmod(store.MODE)
        if timestamp:
            (made / TIMESTAMP).write_text(f"{timestamp}\n", encoding="utf-8")
            (made / TIMESTAMP).chmod(store.MODE)
        for folder in [made, *(path for path in made.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
    return made


def put(ready: Sequence[tuple[Path, Path]]) -> None:
    """Put prepared submissions to their places.

    Killed at any moment, also by the power, in each place stands what stood there before, or all of the new. Raises
    CoursemillError.
    """
    _flush()
    for made, folder in ready:
        with store.explaining(f"{folder.parent.name}/{folder.name}", "collect"):
            folder.parent.mkdir(parents=True, exist_ok=True)
            _swap(made, folder)
            shutil.rmtree(made, ignore_errors=True)
    _flush()


def _flush() -> None:
    """Wait until all is on the disk: for a class at once, as each file by itself takes milliseconds."""
    os.sync()


def _swap(made: Path, folder: Path) -> None:
    """Put `made` in the place of `folder`, which gets its place; there is no moment without one of them."""
    try:
        made.rename(folder)  # nothing stands there, or an empty folder
        return
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    if not _exchange(made, folder):
        before = folder.with_name(f"{BEFORE}{folder.name}")
        folder.rename(before)
        made.rename(folder)
        shutil.rmtree(before, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at once; False where the system or the disk cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and (
        rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0
    )


def _recover(folder: Path) -> None:
    """Put back what stood there when a collecting process was killed between two renames."""
    before = folder.with_name(f"{BEFORE}{folder.name}")
    if before.is_dir() and not before.is_symlink():
        if folder.exists():
            shutil.rmtree(before, ignore_errors=True)
        else:
            before.rename(folder)
