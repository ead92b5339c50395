"""Write a small note that uses every piece of the syntax: what an author sees first."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import PurePosixPath

from coursemill.config import Config
from coursemill.course.check import inspect
from coursemill.course.load import Course, load
from coursemill.effects import store
from coursemill.effects.vault import DIAGRAMS, FILES, NOTE, TEMPLATES
from coursemill.errors import CoursemillError, UsageError
from coursemill.model import Lesson
from coursemill.pure import naming, near, parse

WORKSHEET = "WS_1"
"""Of the first lesson of a course."""
SECTION = "A timetable in a file"
"""Of the note itself, where there is no other lesson yet to link to."""
STEM = 24
"""Characters of an id that come from the note's name."""
_PLAIN = re.compile(r"[A-Za-z]\w*(?:-\w+)*")
_PLACE = re.compile(r"\{\{ (\w+) \}\}")


def new(config: Config, note: str, *, worksheet: str = "", title: str = "", today: date) -> str:
    """Write the note at `note`, a path inside the vault, and return its path from the course's root.

    Raises CoursemillError when the path leaves the vault, cannot be a note's or is taken, when the worksheet is
    unknown, and when the vault cannot be written to.
    """
    path = _path(config, note)
    course = load(config)
    _free(course, path)
    name = PurePosixPath(path).stem
    called = _title(title or name.replace("_", " "))
    sheet = _worksheet(course, worksheet)
    link = path.removeprefix(f"{config.notes}/").removesuffix(NOTE)
    text = _filled(
        {
            "title": called,
            "alias": json.dumps(called, ensure_ascii=False),
            "worksheet": sheet if _PLAIN.fullmatch(sheet) else json.dumps(sheet, ensure_ascii=False),
            "date": today.isoformat(),
            "id": _stem(name, (task.id for lesson in course.lessons for task in lesson.tasks)),
            "link": link,
            "neighbour": _neighbour(course, sheet) or f"{link}#{SECTION}|{SECTION}",
        }
    )
    _sound(course, parse.lesson(path, text))
    store.write(config.root, path, text.encode())
    return path


def _path(config: Config, note: str) -> str:
    """The note's path from the course's root; every part of it can be a folder's or a note's name."""
    typed = note.removeprefix("./")
    inside = typed.removeprefix(f"{config.notes}/").removesuffix(NOTE)
    parts = inside.split("/")
    problem = next((said for part in parts if (said := _problem(part))), "")
    if not problem and parts[0] in {config.shared, DIAGRAMS} and len(parts) > 1:
        problem = f"`{parts[0]}/` holds no notes"
    if not problem and any(part.endswith(FILES) or TEMPLATES.fullmatch(part) for part in parts[:-1]):
        problem = "a folder of data or templates holds no lessons"
    if problem:
        fix = "give it a name such as `Note`, or a path inside the vault such as `folder/Note`"
        raise CoursemillError(problem, where=note or "the note", fix=fix)
    path = f"{config.notes}/{inside}{NOTE}"
    if not config.path(path).parent.resolve().is_relative_to(config.path(config.notes).resolve()):
        raise CoursemillError("a link leads out of the vault", where=path, fix="choose another folder")
    return path


def _problem(part: str) -> str:
    if not part or part.startswith("."):
        return "the path leaves the vault or has an empty or a hidden part"
    return naming.cannot_be(part) or naming.should_not_be(part)


def _free(course: Course, path: str) -> None:
    """Refuse a path that is taken, also by a note in other letters: on some systems that is the same file."""
    entries = (*course.listing.notes, *course.listing.files)
    taken = [entry.path for entry in entries if entry.path.lower() == path.lower()]
    if taken or course.config.path(path).exists() or course.config.path(path).is_symlink():
        raise CoursemillError("there is such a file already", where=(taken or [path])[0], fix="choose another name")


def _worksheet(course: Course, wanted: str) -> str:
    """The worksheet that is meant: the one that is named, or the only one that there is."""
    used = {name for lesson in course.lessons for name in lesson.front.worksheets}
    if wanted and course.worksheets and wanted not in course.worksheets:
        folder = f"{course.config.notes}/{course.config.shared}/{wanted}/"
        fix = near.advice(wanted, course.worksheets) or f"make {folder}, or name it in [tool.coursemill]"
        raise UsageError(f"there is no worksheet `{wanted}`", fix=fix)
    there = sorted(course.worksheets or used) or [WORKSHEET]
    if not wanted and len(there) > 1:
        raise UsageError("the course has several worksheets", fix=f"choose one: --worksheet {' | '.join(there)}")
    return wanted or there[0]


def _stem(name: str, ids: Iterable[str]) -> str:
    """What the note's ids begin with: its name in the letters that ids may have, and no other task's beginning."""
    taken = set(ids)
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    wanted = re.sub(r"[^a-z0-9]+", "-", folded)[:STEM].strip("-")
    if not wanted:
        wanted = f"lesson-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    stem, number = wanted, 1
    while any(one == stem or one.startswith(f"{stem}-") for one in taken):
        number += 1
        stem = f"{wanted}-{number}"
    return stem


def _neighbour(course: Course, worksheet: str) -> str:
    """A lesson of the same worksheet to link to, if there is one."""
    for lesson in course.lessons:
        if worksheet in lesson.front.worksheets and not naming.should_not_be(lesson.path):
            target = lesson.path.removeprefix(f"{course.config.notes}/").removesuffix(NOTE)
            return f"{target}|{_words(lesson.title)}"
    return ""


def _title(text: str) -> str:
    """One line that begins no comment of Obsidian's."""
    return " ".join(re.sub("%+", "%", text).split())


def _words(title: str) -> str:
    """A title as the words of a wikilink in double quotes."""
    return re.sub(r'[\[\]|"\\]', "", title)


def _filled(values: Mapping[str, str]) -> str:
    template = resources.files("coursemill") / "templates" / "note.md"
    return _PLACE.sub(lambda found: values[found[1]], template.read_text(encoding="utf-8"))


def _sound(course: Course, lesson: Lesson) -> None:
    """Refuse to write what `check` would complain about."""
    changed = replace(course, notes=(*course.notes, lesson))
    finding = next(iter(inspect(changed, {lesson.path})), None)
    if finding:
        said = f"the note would not be sound: {finding.code} {finding.message}"
        raise CoursemillError(said, where=f"{finding.path}:{finding.line}", fix=finding.fix)
