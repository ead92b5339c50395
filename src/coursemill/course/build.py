"""Build the notebooks of a course: what changed, what depends on it, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from coursemill.config import Config
from coursemill.course import inputs
from coursemill.course.check import known
from coursemill.course.due import Due, Scope, blocked, due
from coursemill.course.load import Course, Parse, load
from coursemill.course.parcels import pack
from coursemill.course.past import NoteState, Past
from coursemill.course.produce import Parcel, Pressed, Pressing, Product, Workshop, press, produce
from coursemill.course.shelf import NOTEBOOK, Shelf
from coursemill.course.tidy import mark, note_of, prune, tidy, within
from coursemill.effects import diagrams, environment, quick, release, store, workers
from coursemill.effects import vault as disk
from coursemill.effects.store import Stamp
from coursemill.model import Finding
from coursemill.pure import parse
from coursemill.pure.codes import UNREADABLE
from coursemill.pure.diagrams import FOLDER, diagram_sources

UNKNOWABLE = frozenset(f"CM{number}" for number in (101, 106, 107, 108, 110, 111, 112, 113, 114))
"""Errors after which nobody can say whether the note is a lesson, and of which worksheet."""
Progress = Callable[[int, int, str], None]
"""Called with how many lessons are done, of how many, and the last one's name."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A committed file that is not what the notes say; `note` is the one, or the file, that it is made of."""

    path: str
    state: Literal["missing", "stale", "orphaned"]
    note: str


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did; with `check`, `stale` says what it would have done."""

    built: tuple[str, ...] = ()
    """Notes of which something was written."""
    unchanged: int = 0
    kept: tuple[str, ...] = ()
    """Notes with errors: what was built of them before stands as it was."""
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    stale: tuple[Stale, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything that the notes ask for stands there."""
        return not self.stale and not blocked(self.findings)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to build, and how."""

    config: Config
    names: tuple[str, ...]
    look_only: bool
    jobs: int
    progress: Progress
    understand: Parse


def build(
    config: Config,
    names: Sequence[str] = (),
    *,
    check: bool = False,
    jobs: int = 0,
    on_progress: Progress = lambda done, total, name: None,
    understand: Parse = parse.lesson,
) -> Built:
    """Bring `notebooks/`, `source/` and `release/` in line with the notes, or with `check` only say what is not.

    `names` mean lessons (see `Course.select`); without any, what no note asks for any more is removed, too. Files
    are replaced one by one, each whole; another build waits. Notes with errors are left as they are. Raises
    CoursemillError for what stops everything: no vault, a name that means nothing, a folder that cannot be written.
    """
    begun = time.monotonic()
    wish = Wish(config, tuple(names), check, jobs, on_progress, understand)
    if check:
        shelf = Shelf.of(config, Past(), look_only=True)
        with quick.memory(), store.scratch() as stage, _nbgrader(config, jobs) as nbgrader:
            built = _built(wish, Past(), shelf, stage, nbgrader)
    else:
        with store.locked(config.path(config.build)):
            past = Past.recall(config)
            shelf = Shelf.of(config, past, look_only=False)
            same = _same(wish, past, shelf)
            if same:
                built = same
            else:
                scratch = store.scratch(config.path(config.build))
                with quick.memory(), closing(shelf), scratch as stage, _nbgrader(config, jobs) as nbgrader:
                    built = _built(wish, past, shelf, stage, nbgrader)
    return replace(built, seconds=time.monotonic() - begun)


def _same(wish: Wish, past: Past, shelf: Shelf) -> Built | None:
    """The result of a build that has nothing to do, found without understanding a note; None when there is something.

    Files of which nothing but the time has changed are remembered with their new times.
    """
    config = wish.config
    if wish.names or past.made_by != inputs.made_by(config) or past.environment != environment.state():
        return None
    if any(finding.code == UNREADABLE.code and finding.path in past.inputs for finding in past.findings):
        return None  # permissions have no time that would tell
    seen = inputs.unchanged(config, disk.walk(config), past)
    strange = {path for path in shelf.files if path.endswith(NOTEBOOK)} - past.outputs.keys()
    if seen is None or any(mark(shelf, path) != past.strangers.get(path) for path in strange):
        return None
    if not all(shelf.intact(path) for path in past.outputs):
        return None
    now = replace(past, inputs=seen, outputs=shelf.stamps)
    if now != past:
        now.remember(config)
    return _report(past.notes, past.findings, shelf)


def _nbgrader(config: Config, jobs: int) -> workers.Alone[Pressing, Pressed] | workers.Forked[Pressing, Pressed]:
    """A crew for nbgrader's part; the processes import nbgrader while this one reads the notes."""
    task = partial(press, config.path(release.SETTINGS))
    cores = jobs or workers.cores()
    return workers.Alone(task) if cores == 1 else workers.Forked(task, cores // 2, release.preload)


def _built(wish: Wish, past: Past, shelf: Shelf, stage: Path, nbgrader: workers.Crew[Pressing, Pressed]) -> Built:
    """Do what there is to do."""
    config = wish.config
    made_by = inputs.made_by(config)
    course = load(config, understand=wish.understand)
    scope = Scope(
        course=course,
        past=past,
        shelf=shelf,
        known=known(course),
        chosen=frozenset(lesson.path for lesson in course.select(wish.names)),
        same_program=past.made_by == made_by,
        stamps=inputs.stamps(config, course.listing.files, past.inputs),
    )
    todo = due(scope)
    general = _general(course)
    unknown = {f.path for f in general if f.code in UNKNOWABLE}
    todo.states.update({path: state for path, state in past.notes.items() if within(path, unknown)})
    packed = pack(scope, todo.states, stage)
    shelf.finish()  # before processes are forked: no thread is left that they would miss
    shown = [diagram for order in todo.orders for diagram in diagram_sources(order.lesson)]
    drawn = diagrams.Drawn(diagrams.drawn(shown, config)) if wish.look_only else diagrams.render(shown, config)
    shop = Workshop(config, scope.known, drawn.svgs, stage, wish.jobs)
    _carry_out(wish, shelf, todo, produce(shop, todo.orders, packed.parcels, nbgrader))
    for path in {finding.path for finding in drawn.findings}:
        more = (f for f in drawn.findings if f.path == path)
        todo.states[path] = replace(todo.states[path], findings=(*todo.states[path].findings, *more))
    strangers = _finish(wish, scope, todo, unknown)
    general += packed.findings
    if not wish.look_only:
        Past(
            made_by=made_by if scope.same_program or not wish.names else "",
            environment=environment.state(),
            inputs=_inputs(wish, scope),
            outputs=shelf.stamps,
            owners=shelf.owners,
            strangers=strangers,
            notes=todo.states,
            findings=tuple(general),
        ).remember(config)
    return _report(todo.states, general, shelf)


def _general(course: Course) -> list[Finding]:
    """What is wrong with files that are no notes, or of which nobody can say whether they are lessons."""
    parsed = {finding for note in course.notes for finding in note.findings}
    reading = [finding for finding in course.findings if finding not in parsed]
    others = (note for note in course.notes if not note.front.worksheets)
    return reading + [f for note in others for f in note.findings if f.code in UNKNOWABLE]


def _carry_out(wish: Wish, shelf: Shelf, todo: Due, made: Iterable[list[Product] | Parcel]) -> None:
    """Put each thing in its place as soon as it is made."""
    config = wish.config
    done = 0
    for some in made:
        if isinstance(some, Parcel):
            for path, source in some.files.items():
                owner = shelf.owners[f"{config.source}/{some.worksheet}/{path}"]
                shelf.copy(f"{config.release}/{some.worksheet}/{path}", source, store.stamp(source), owner)
            continue
        for product in some:
            todo.states[product.note] = replace(todo.states[product.note], **product.state)
            for path, content in product.notebooks.items():
                shelf.put(path, content, product.note)
            done += 1
            wish.progress(done, len(todo.orders), product.name)
    shelf.finish()


def _finish(wish: Wish, scope: Scope, todo: Due, unknown: set[str]) -> dict[str, Stamp]:
    """Remove what no note asks for; return the notebooks that are not ours."""
    shelf = scope.shelf
    if wish.names:
        for path in shelf.files.keys() - shelf.stamps.keys() - set(shelf.written):
            shelf.keep(path)
        return dict(scope.past.strangers)
    kept = unknown | {path for path, state in todo.states.items() if blocked(state.findings)}
    strangers = tidy(shelf, kept)
    if unknown <= todo.states.keys():
        prune(shelf, scope.course.listing, todo.states)
    return strangers


def _inputs(wish: Wish, scope: Scope) -> dict[str, Stamp]:
    """What this build has seen; of lessons that were not chosen, what the last one saw."""
    config, course = wish.config, scope.course
    pictures = f"{config.notes}/{FOLDER}/"
    now = disk.walk(config)
    files = {p: s for p, s in scope.stamps.items() if not p.startswith(pictures)}
    files |= inputs.stamps(config, now.below(pictures.rstrip("/")), scope.stamps)
    notes = {e.path: Stamp(e.size, e.mtime, course.digests.get(e.path, "")) for e in course.listing.notes}
    if wish.names:
        others = {lesson.path for lesson in course.lessons} - scope.chosen
        notes = {p: scope.past.inputs.get(p, Stamp(0, 0, "")) if p in others else s for p, s in notes.items()}
    return {inputs.SHAPE: inputs.shape(replace(course.listing, folders=now.folders)), **inputs.aged(notes | files)}


def _report(states: Mapping[str, NoteState], general: Iterable[Finding], shelf: Shelf) -> Built:
    found = {*general, *(finding for state in states.values() for finding in state.findings)}
    kept = {finding.path for finding in found if finding.severity == "error"} & states.keys()
    built = ({note_of(shelf.owners[path]) for path in shelf.written} & states.keys()) - kept
    stale = [Stale(p, "stale" if p in shelf.files else "missing", note_of(shelf.owners[p])) for p in shelf.written]
    stale += [Stale(path, "orphaned", note_of(owner)) for path, owner in shelf.removed.items()]
    return Built(
        built=tuple(sorted(built)),
        unchanged=len(states) - len(kept) - len(built),
        kept=tuple(sorted(kept)),
        written=tuple(sorted(shelf.written)),
        removed=tuple(shelf.removed),
        findings=tuple(sorted(found)),
        stale=tuple(sorted(stale, key=lambda one: one.path)) if shelf.look_only else (),
    )
