"""What goes along with a worksheet's notebooks: the lessons' files, the shared ones, and requirements.txt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coursemill.config import Config
from coursemill.course.due import Scope
from coursemill.course.load import Course
from coursemill.course.past import NoteState
from coursemill.course.produce import Parcel
from coursemill.effects import environment
from coursemill.effects import vault as disk
from coursemill.effects.store import Stamp
from coursemill.effects.vault import Entry
from coursemill.errors import ConfigError
from coursemill.model import Finding
from coursemill.pure import attached, codes
from coursemill.pure import requirements as pure
from coursemill.pure.requirements import Import, Requirements

REQUIREMENTS = "requirements.txt"
HEAD = "# What the lessons of this worksheet import. Written by `coursemill build`.\n"


@dataclass(frozen=True, slots=True)
class Packed:
    """What is left for nbgrader to hand out, and what was found while packing."""

    parcels: tuple[Parcel, ...]
    findings: tuple[Finding, ...]


def pack(scope: Scope, states: Mapping[str, NoteState], stage: Path) -> Packed:
    """Put the files of the worksheets that are built into place, and pack those that their students lack.

    `states` are of all lessons. Texts that stand in no file yet are written to `stage`.
    """
    lessons = {lesson.path: lesson.front.worksheets for lesson in scope.course.lessons}
    of = {path: state.worksheets or lessons.get(path, ()) for path, state in states.items()}
    packed: list[Parcel] = []
    findings: list[Finding] = []
    for worksheet in sorted({w for path in of.keys() - lessons.keys() | scope.chosen for w in of[path]}):
        if not _is_one(scope, worksheet):
            continue
        entries = files(scope.course, worksheet)
        given = _put(scope, worksheet, entries)
        previous = _text(scope.course.config.path(scope.course.config.source, worksheet, REQUIREMENTS))
        mine = [state for path, state in states.items() if worksheet in of[path]]
        text, missing = requirements(scope.course, mine, entries, previous)
        findings += missing
        given |= _require(scope, worksheet, text, stage)
        if given:
            packed.append(Parcel(worksheet, given))
    return Packed(tuple(packed), tuple(findings))


def _is_one(scope: Scope, worksheet: str) -> bool:
    """Whether there is such a worksheet, or was when it was built: a misspelt one gets no folder."""
    known = scope.known.worksheets
    folder = f"{scope.course.config.source}/{worksheet}/"
    return not known or worksheet in known or any(path.startswith(folder) for path in scope.shelf.files)


def _put(scope: Scope, worksheet: str, entries: Mapping[str, Entry]) -> dict[str, Path]:
    """Put the files beside the two editions that are ours; return those that the third lacks."""
    config, shelf = scope.course.config, scope.shelf
    lacking = {}
    for path, entry in entries.items():
        if path == REQUIREMENTS:
            continue
        source, stamp = config.path(entry.path), scope.stamps[entry.path]
        for folder in (config.notebooks, config.source):
            shelf.copy(f"{folder}/{worksheet}/{path}", source, stamp, entry.path)
        if not shelf.stands(f"{config.release}/{worksheet}/{path}", stamp, entry.path):
            lacking[path] = source
    return lacking


def _require(scope: Scope, worksheet: str, text: bytes, stage: Path) -> dict[str, Path]:
    """Put requirements.txt into the instructor's edition; return it when the students lack it."""
    config, shelf = scope.course.config, scope.shelf
    owner = f"{shared(config, worksheet)}/"
    shelf.put(f"{config.source}/{worksheet}/{REQUIREMENTS}", text, owner)
    stamp = Stamp(len(text), 0, hashlib.sha256(text).hexdigest())
    if shelf.stands(f"{config.release}/{worksheet}/{REQUIREMENTS}", stamp, owner):
        return {}
    file = stage / "requirements" / worksheet
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text)
    return {REQUIREMENTS: file}


def files(course: Course, worksheet: str) -> dict[str, Entry]:
    """Path in the worksheet's folder → the file of the vault that stands there."""
    found: dict[str, Entry] = {}
    for lesson in course.lessons:
        if worksheet in lesson.front.worksheets:
            folder = PurePosixPath(lesson.path).parent
            for entry in course.listing.below(str(folder / f"{lesson.name}{disk.FILES}")):
                found[str(PurePosixPath(entry.path).relative_to(folder))] = entry
    entries = {entry.path: entry for entry in course.listing.files}
    for lesson in course.lessons:
        if worksheet in lesson.front.worksheets:
            for path, brought in attached.of_lesson(lesson, worksheet, course.vault).items():
                if brought in entries:
                    found.setdefault(path, entries[brought])
    folder = shared(course.config, worksheet)
    for entry in course.listing.below(str(folder)):
        found.setdefault(str(PurePosixPath(entry.path).relative_to(folder)), entry)
    return found


def shared(config: Config, worksheet: str) -> PurePosixPath:
    """The folder of a worksheet's shared files."""
    return PurePosixPath(config.notes, config.shared, worksheet)


def requirements(
    course: Course, states: Iterable[NoteState], entries: Mapping[str, Entry], previous: str
) -> tuple[bytes, tuple[Finding, ...]]:
    """Write a worksheet's requirements.txt, and say which modules nothing here provides.

    Lines of a requirements.txt among the shared files come first: what no import shows. `previous` is the file as
    the last build left it. Raises ConfigError for a `requirements` setting that is not `module=distribution`.
    """
    states = list(states)
    imports = [one for state in states for one in state.imports]
    local = {name for state in states for name in state.local}
    for path, entry in entries.items():
        local |= pure.modules_of(path)
        if path.endswith(".py"):
            imports += _of_file(course.config, entry)
    overrides = _overrides(course.config)
    made = _composed(imports, local, overrides, previous)
    text = HEAD + _by_hand(course.config, entries) + made.text
    return text.encode("utf-8"), tuple(_missing(one) for one in made.missing)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _composed(imports: Sequence[Import], local: set[str], overrides: Mapping[str, str], previous: str) -> Requirements:
    names = [name for asked in overrides.values() for name in asked.split(",") if name.strip()]
    installed = environment.installed({one.module for one in imports}, names)
    return pure.compose(imports, local, installed, overrides, previous)


def _of_file(config: Config, entry: Entry) -> Iterable[Import]:
    note = disk.note(config, entry)
    return pure.of_code(note.text, entry.path) if isinstance(note, disk.Note) else ()


def _by_hand(config: Config, entries: Mapping[str, Entry]) -> str:
    """The author's own requirements of the worksheet."""
    if REQUIREMENTS not in entries:
        return ""
    note = disk.note(config, entries[REQUIREMENTS])
    return "\n".join([*note.text.splitlines(), ""]) if isinstance(note, disk.Note) else ""


def _overrides(config: Config) -> dict[str, str]:
    for pair in config.requirements:
        if "=" not in pair:
            fix = "write `module=distribution`, such as `tensorflow=tensorflow`"
            raise ConfigError(f"`requirements` has {pair!r}", where="pyproject.toml", fix=fix)
    return {module.strip(): asked.strip() for module, _, asked in (p.partition("=") for p in config.requirements)}


def _missing(one: Import) -> Finding:
    module = pure.top(one.module)
    return codes.NOT_INSTALLED.at(one.path, one.line, f"nothing that is installed here provides `{module}`")
