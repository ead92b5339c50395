"""A copy of a course in which a made-up class can hand in: nothing in it reaches the real one."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from coursemill import config as settings
from coursemill.config import Config
from coursemill.effects import quick, release, store
from coursemill.effects.grading import cells
from coursemill.effects.grading.courses import NOBODY, STEPS, Course
from coursemill.effects.grading.gradebook import Book
from coursemill.errors import CoursemillError
from coursemill.pure.grading.attackers import Handed

MARK = ".coursemill-demo"
"""The file that says that a folder is such a copy, and may be emptied."""
KEPT = (MARK, "build")
"""What is left when it is: results that still hold are not worked out again."""
OVERRIDES = """

# ---- A copy for a made-up class: stock folders, a gradebook of its own.
from pathlib import Path as _Path

_here = _Path(__file__).resolve().parent
c = get_config()
c.CourseDirectory.root = str(_here)
c.CourseDirectory.course_id = "demo"
c.CourseDirectory.db_url = f"sqlite:///{_here / 'gradebook.db'}"
c.CourseDirectory.directory_structure = "{nbgrader_step}/{student_id}/{assignment_id}"
c.CourseDirectory.student_id_exclude = ""
c.Exchange.root = str(_here / "exchange")
"""


def build(config: Config, course: Course, worksheet: str, into: Path, notes: Iterable[str]) -> Config:
    """Copy a worksheet's sources, the course's settings and the notes named into the folder `into`; return the copy.

    A copy that stands there is emptied before. Raises CoursemillError for a folder with other things in it, and when
    it cannot be written.
    """
    with store.explaining(str(into)):
        _empty(into)
        target = into / "source" / worksheet
        shutil.copytree(course.folder("source", NOBODY, worksheet), target, ignore=shutil.ignore_patterns(".*"))
        for path in notes:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(config.path(path), into / path)
        for name in (settings.SETTINGS, course.header, course.footer):
            if name and not Path(name).is_absolute() and config.path(name).is_file():
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(config.path(name), into / name)
        own = config.path(release.SETTINGS)
        text = own.read_text(encoding="utf-8") if own.is_file() else ""
        steps = "".join(f'c.CourseDirectory.{step}_directory = "{step}"\n' for step in STEPS)
        (into / release.SETTINGS).write_text(text + OVERRIDES + steps, encoding="utf-8")
    return settings.load(into)


def hand_in(root: Path, worksheet: str, student: str, notebooks: Mapping[str, Handed]) -> None:
    """Put a student's work into `submitted/`; raises CoursemillError when that cannot be done."""
    folder = root / "submitted" / student / worksheet
    with store.explaining(str(folder)):
        folder.mkdir(parents=True)
        for name, handed in notebooks.items():
            if handed.content is not None:
                (folder / f"{name}.ipynb").write_bytes(handed.content)
            elif handed.link:
                (folder / f"{name}.ipynb").symlink_to(handed.link)
            for path, data in handed.files.items():
                (folder / path).write_bytes(data)


def enrol(book: Book, names: Mapping[str, tuple[str, str]]) -> None:
    """Enter students into a gradebook, with first and last names, by id."""
    with quick.imports():
        from nbgrader.api import Gradebook

    cells.create(book.url, book.course or cells.COURSE)
    with Gradebook(book.url, book.course or cells.COURSE) as gradebook:
        for student, (first, last) in names.items():
            gradebook.update_or_create_student(student, first_name=first, last_name=last)


def _empty(into: Path) -> None:
    if into.is_dir() and any(into.iterdir()) and not (into / MARK).is_file():
        fix = "name a new folder, or an empty one"
        raise CoursemillError("there is something in the folder already", where=str(into), fix=fix)
    into.mkdir(parents=True, exist_ok=True)
    (into / MARK).write_text("A made-up class: this folder may be deleted.\n", encoding="utf-8")
    for path in into.iterdir():
        if path.name in KEPT:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
