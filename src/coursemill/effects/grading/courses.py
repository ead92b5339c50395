"""Any nbgrader course, ours or not: its settings, its folders, and what a worksheet asks of students."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from coursemill.config import Config
from coursemill.effects import quick, release
from coursemill.effects.grading import autotests
from coursemill.errors import ConfigError, CoursemillError, UsageError
from coursemill.pure import near
from coursemill.pure.grading import assignment, intake
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.released import STUBS, Regions, Rules

Step = Literal["source", "source_with_tests", "release", "submitted", "autograded", "feedback", "solution"]
STEPS: tuple[Step, ...] = ("source", "source_with_tests", "release", "submitted", "autograded", "feedback", "solution")
NOBODY = "."
"""The student of the steps that have none, as nbgrader writes it."""
IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback")
"""nbgrader's CourseDirectory.ignore."""
MOST = 512 << 20
"""Bytes of a worksheet's files: they are in memory, and travel to each worker."""


@dataclass(frozen=True, slots=True)
class Course:
    """What nbgrader's settings say of a course."""

    root: Path
    id: str
    db_url: str
    structure: str
    """As CourseDirectory.directory_structure."""
    steps: Mapping[Step, str]
    """Step → name of its folder."""
    rules: Rules
    ignored: tuple[str, ...] = IGNORED
    header: str = ""
    footer: str = ""
    editable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Worksheet → files of the instructor's whose place the student's may take (Autograde.exclude_overwriting)."""
    excluded: frozenset[str] = frozenset()
    """Students whom the settings leave out."""
    settings: Any = None
    """All of them, as traitlets' Config."""

    def folder(self, step: Step, student: str, worksheet: str) -> Path:
        """Where a student's worksheet is in a step; the student of source, release and solution is `NOBODY`."""
        path = self.structure.format(nbgrader_step=self.steps[step], student_id=student, assignment_id=worksheet)
        return self.root / path

    def way(self, step: Step, student: str, worksheet: str) -> tuple[Path, tuple[str, ...]]:
        """The same as a folder of the instructor's, and the parts below it that others may have made."""
        parts = PurePosixPath(self.structure).parts
        first = next(n for n, part in enumerate(parts) if "{student_id}" in part or "{assignment_id}" in part)
        names = {"nbgrader_step": self.steps[step], "student_id": student, "assignment_id": worksheet}
        made = [part.format(**names) for part in parts]
        return self.root.joinpath(*made[:first]), tuple(part for part in made[first:] if part != NOBODY)

    def found(self, step: Step, student: str = "", worksheet: str = "") -> Iterator[tuple[str, str, Path]]:
        """Students and worksheets that have a folder in a step, in order; a link has a name and is not followed."""
        parts = PurePosixPath(self.structure.format_map(_Open(nbgrader_step=self.steps[step]))).parts
        known = {key: value for key, value in (("student_id", student), ("assignment_id", worksheet)) if value}
        yield from _walk(self.root, parts, known)


@dataclass(frozen=True, slots=True)
class Worksheet:
    """What an instructor gives: the notebooks and the files beside them."""

    name: str
    assignments: tuple[Assignment, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """By path, with `/`."""
    editable: frozenset[str] = frozenset()
    """Paths of files whose place a student's may take."""


def course(config: Config) -> Course:
    """Read the course's nbgrader_config; raises ConfigError for settings that nbgrader would not take."""
    settings = _settings(config.root)
    about = partial(_setting, settings, "CourseDirectory")
    root = Path(about("root", str) or config.root)
    root = root if root.is_absolute() else config.root / root
    steps = {step: about(f"{step}_directory", str) or getattr(config, step, step) for step in STEPS}
    structure = about("directory_structure", str) or release.STRUCTURE
    for key in ("{nbgrader_step}", "{student_id}", "{assignment_id}"):
        if key not in structure:
            raise ConfigError(f"CourseDirectory.directory_structure has no {key}", where=str(root))
    excluded = (about("student_id_exclude", str) or "").split(",")
    overwriting = _setting(settings, "Autograde", "exclude_overwriting", dict) or {}
    return Course(
        root,
        (about("course_id", str) or "").strip(),
        about("db_url", str) or f"sqlite:///{root.absolute() / 'gradebook.db'}",
        structure,
        steps,
        _rules(settings),
        ignored=tuple(about("ignore", list, list(IGNORED)) or ()),
        header=_setting(settings, "IncludeHeaderFooter", "header", str) or "",
        footer=_setting(settings, "IncludeHeaderFooter", "footer", str) or "",
        editable={name: tuple(paths) for name, paths in overwriting.items()},
        excluded=frozenset(excluded) - {""},
        settings=settings,
    )


def worksheets(about: Course) -> tuple[str, ...]:
    """Names of the worksheets that have notebooks in `source/`."""
    return tuple(name for _, name, folder in about.found("source", NOBODY) if any(folder.glob("*.ipynb")))


def worksheet(config: Config, name: str) -> Worksheet:
    """Read a worksheet's notebooks and files.

    Raises CoursemillError when there is no such worksheet, or when nbgrader would refuse to release it.
    """
    about = course(config)
    folder = about.folder("source", NOBODY, name) if _is_name(name) else None
    notebooks = sorted(folder.glob("*.ipynb")) if folder else []
    if not folder or not notebooks:
        raise _missing(about, name)
    return Worksheet(
        name,
        tuple(_assignment(about, name, path) for path in notebooks),
        dict(_files(about, folder)),
        frozenset(str(PurePosixPath(path)) for path in about.editable.get(name, ())),
    )


def _is_name(name: str) -> bool:
    return bool(name) and name not in (".", "..") and "/" not in name and "\0" not in name


def _missing(about: Course, name: str) -> CoursemillError:
    there = worksheets(about)
    known = f"there are {', '.join(there)}" if there else "there is none yet"
    where = about.steps["source"]
    return UsageError(f"no worksheet `{name}`", where=where, fix=near.advice(name, there) or known)


# ---- notebooks


def _assignment(about: Course, worksheet: str, path: Path) -> Assignment:
    """Read a notebook with the course's header and footer, as nbgrader releases it."""
    where = _shown(about, path)
    content, places = _notebook(path, where)
    for other, first in ((about.header, True), (about.footer, False)):
        if other:
            around, numbers = _notebook(about.root / other, other)
            both = (around["cells"], content["cells"])
            content["cells"] = [*both[0], *both[1]] if first else [*both[1], *both[0]]
            places = [*numbers, *places] if first else [*places, *numbers]
    made: Mapping[str, str] = {}
    if about.rules.autotests and autotests.asked(content, about.rules.autotests):
        made = autotests.made(
            about.db_url,
            (about.folder(step, NOBODY, worksheet) / path.name for step in ("source_with_tests", "release")),
            worksheet,
            path.stem,
            about.rules.autotests,
        )
    return assignment.read(content, worksheet, path.stem, about.rules, places, made)


def _notebook(path: Path, where: str) -> tuple[dict[str, Any], list[str]]:
    """A notebook's content, and the places of its cells."""
    try:
        content, _ = intake.parsed(path.read_bytes())
    except OSError as error:
        raise CoursemillError(f"it cannot be read: {error.strerror}", where=where) from error
    except intake.Unreadable as error:
        place = f"{where}, {error.where}" if error.where else where
        raise CoursemillError(error.what, where=place, fix="mend it: nobody can be graded without it") from error
    for number, cell in enumerate(content["cells"], 1):
        if problem := _broken(cell):
            raise CoursemillError(problem, where=f"{where}, cell {number}", fix="mend the notebook")
    about = content.get("metadata")
    spec = about.get("kernelspec", {}) if isinstance(about, dict) else None
    if not isinstance(spec, dict):
        raise CoursemillError(
            "its metadata are broken", where=where, fix="open it in Jupyter, choose a kernel, save it"
        )
    return content, [f"{where}, cell {number}" for number in range(1, len(content["cells"]) + 1)]


def _broken(cell: object) -> str:
    """Why a cell cannot be read; empty when it can."""
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict):
        return "it is no cell"
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    return "" if all(isinstance(line, str) for line in lines) else "its source is no text"


def _shown(about: Course, path: Path) -> str:
    return path.relative_to(about.root).as_posix() if path.is_relative_to(about.root) else str(path)


# ---- files


def _files(about: Course, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files beside the notebooks that nbgrader gives to each submission."""
    left = MOST
    for path in _below(folder, about.ignored):
        name = path.relative_to(folder).as_posix()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CoursemillError(f"it cannot be read: {error.strerror}", where=_shown(about, path)) from error
        left -= len(data)
        if left < 0:
            fix = "keep large data elsewhere, and let a given cell make or load a part of it"
            raise CoursemillError(f"its files are more than {MOST >> 20} MB", where=_shown(about, folder), fix=fix)
        yield name, data


def _below(folder: Path, ignored: Sequence[str]) -> Iterator[Path]:
    """Files below a folder, in order, but for notebooks and what is ignored; links to folders are not followed."""
    for path in sorted(folder.iterdir()):
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, ignored)
        elif path.is_file() and path.suffix != ".ipynb":
            yield path


# ---- folders

_NAMES = ("student_id", "assignment_id")


class _Open(dict[str, str]):
    """Leaves the names that are not known yet where they are."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _walk(folder: Path, parts: Sequence[str], known: Mapping[str, str]) -> Iterator[tuple[str, str, Path]]:
    if not parts:
        yield known["student_id"], known["assignment_id"], folder
        return
    part, rest = parts[0].format_map(_Open(known)), parts[1:]
    if "{" not in part:
        if (folder / part).is_dir():
            yield from _walk(folder / part, rest, known)
        return
    pattern = re.sub(r"\\\{(student_id|assignment_id)\\\}", r"(?P<\1>.+)", re.escape(part))
    try:
        with os.scandir(folder) as entries:
            links = {entry.name: entry.is_symlink() for entry in entries if entry.is_symlink() or entry.is_dir()}
    except OSError:
        return
    for name, is_link in sorted(links.items()):
        if not (match := re.fullmatch(pattern, name, re.DOTALL)) or name.startswith("."):
            continue
        names = {**known, **match.groupdict()}
        if not is_link:
            yield from _walk(folder / name, rest, names)
        elif len(names) == len(_NAMES):
            yield names["student_id"], names["assignment_id"], folder / name


# ---- settings


def _settings(root: Path) -> Any:
    """nbgrader's settings as its own programs see them: those of the machine and the user, then the course's.

    Settings that are another course's, by their root, do not count.
    """
    with quick.imports():
        from jupyter_core.paths import jupyter_config_path

    found = release.settings_of(root / release.SETTINGS)
    for folder in jupyter_config_path():
        file = Path(folder) / release.SETTINGS
        if not file.is_file() or file.parent.absolute() == root.absolute():
            continue
        others = _renewed(release.settings_of(file))
        if Path(others.CourseDirectory.get("root", root)).absolute() == root.absolute():
            others.merge(_renewed(found))
            found = others
    return _renewed(found)


def _renewed(settings: Any) -> Any:
    """Names that nbgrader has given up, as they are now."""
    old = settings.get("NbGrader", {})
    names = {"course_directory": "root", "course_id": "course_id", "db_url": "db_url", "ignore": "ignore"}
    names |= {"directory_structure": "directory_structure"} | {
        f"{step}_directory": f"{step}_directory" for step in STEPS
    }
    for name, new in names.items():
        if name in old:
            settings.CourseDirectory.setdefault(new, old[name])
    if "course_id" in settings.get("Exchange", {}):
        settings.CourseDirectory.setdefault("course_id", settings.Exchange.course_id)
    return settings


def _setting(settings: Any, section: str, name: str, kind: type, default: Any = None) -> Any:
    """A setting's value, `default` when there is none; raises ConfigError for one of another kind."""
    value = settings.get(section, {}).get(name, default)
    if hasattr(value, "get_value"):  # `c.CourseDirectory.ignore.append(…)` is told by what is to be done
        value = value.get_value(kind() if default is None else default)
    if value is not None and not isinstance(value, kind):
        raise ConfigError(f"{section}.{name} must be a {kind.__name__}, not {value!r}", where=release.SETTINGS)
    return value


def _rules(settings: Any) -> Rules:
    """What is taken out for students."""
    stubs = settings.get("ClearSolutions", {}).get("code_stub", STUBS)
    if hasattr(stubs, "get_value"):
        stubs = stubs.get_value(dict(STUBS))
    text = _setting(settings, "ClearSolutions", "text_stub", str)
    marks = _setting(settings, "InstantiateTests", "autotest_delimiter", str, "AUTOTEST")
    return Rules(
        _regions(settings, "ClearSolutions", "solution", Rules().solutions),
        _regions(settings, "ClearHiddenTests", "test", Rules().hidden),
        _regions(settings, "ClearMarkScheme", "mark_scheme", Rules().schemes),
        stubs={"python": stubs} if isinstance(stubs, str) else dict(stubs),
        text=Rules().text if text is None else text,
        attachments=_setting(settings, "ClearMarkScheme", "check_attachment_leakage", bool, True),
        autotests=marks if _runs(settings, "InstantiateTests") else "",
    )


def _regions(settings: Any, section: str, name: str, usual: Regions) -> Regions:
    about = partial(_setting, settings, section)
    return Regions(
        about(f"begin_{name}_delimeter", str, usual.begin),  # nbgrader spells it so
        about(f"end_{name}_delimeter", str, usual.end),
        enforced=about("enforce_metadata", bool, True),
        enabled=_runs(settings, section),
    )


def _runs(settings: Any, name: str) -> bool:
    """Whether nbgrader's step of that name, or one derived from it, is a part of generate_assignment."""
    if not _setting(settings, name, "enabled", bool, True):
        return False
    steps = settings.get("GenerateAssignment", {}).get("preprocessors")
    if not isinstance(steps, list):
        return True
    names = {base.__name__ for step in steps if isinstance(step, type) for base in step.__mro__}
    return name in names | {step.rpartition(".")[2] for step in steps if isinstance(step, str)}
