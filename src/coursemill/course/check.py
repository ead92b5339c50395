"""Look for mistakes in notes; nothing in them is executed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from coursemill.config import Config
from coursemill.course.load import Course, load
from coursemill.effects import diagrams as compiler
from coursemill.effects import environment, workers
from coursemill.errors import UsageError
from coursemill.model import Finding
from coursemill.pure import codes, diagrams, naming, near, rules
from coursemill.pure.raw.apirules import book


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong there, in the order of path, line and column."""

    notes: int
    lessons: int
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors


def check(
    config: Config, names: Sequence[str] = (), *, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> Checked:
    """Check the notes that `names` mean, all of them when there are none.

    `select` and `ignore` are codes or their beginnings (`CM3`). The whole course is read in any case, since ids
    and links reach across it. Raises CoursemillError for a name that means no note, and for an unknown code.
    """
    wanted, unwanted = tuple(map(_prefix, select)), tuple(map(_prefix, ignore))
    course = load(config)
    chosen = chosen_notes(course, names)
    shown = (one for lesson in course.lessons if lesson.path in chosen for one in diagrams.fenced(lesson))
    findings = sorted((*inspect(course, chosen, share=True), *compiler.compiled(shown, config)))
    return Checked(
        notes=len(chosen),
        lessons=sum(lesson.path in chosen for lesson in course.lessons),
        findings=tuple(
            finding
            for finding in findings
            if (not wanted or finding.code.startswith(wanted)) and not finding.code.startswith(unwanted)
        ),
    )


def chosen_notes(course: Course, names: Sequence[str]) -> set[str]:
    """Return the paths of the notes that `names` mean, also of unreadable ones; a worksheet's name means its lessons.

    All of them when there are no names. Raises CoursemillError for a name that means no note.
    """
    worksheets = {path: lesson.front.worksheets for path, lesson in course.vault.lessons.items()}
    paths = {*(entry.path for entry in course.listing.notes), *(finding.path for finding in course.findings)}
    if not names:
        return paths
    chosen: set[str] = set()
    for name in names:
        found = {path for path in paths if naming.means(name, path) or name in worksheets.get(path, ())}
        if not found:
            raise UsageError(f"there is no note `{name}`", fix=_advice(name, paths))
        chosen |= found
    return chosen


def inspect(course: Course, paths: Collection[str] | None = None, *, share: bool = False) -> list[Finding]:
    """Return all that is wrong with the notes at `paths` (None: all): what reading, parsing and the rules find.

    Many notes may be shared among processes, which are forked.
    """
    others = known(course)
    parsed = {finding for note in course.notes for finding in note.findings}
    notes = [note for note in course.notes if paths is None or note.path in paths]
    if share:
        found = {
            f for _, of_note in workers.share(lambda n: rules.check(notes[n], others), len(notes)) for f in of_note
        }
    else:
        found = {finding for note in notes for finding in rules.check(note, others)}
    unread = (finding for finding in course.findings if paths is None or finding.path in paths)
    return sorted(found.union(unread) - (parsed - found))


def known(course: Course) -> rules.Known:
    """Gather what the rules may know beside the note that they look at."""
    shared = PurePosixPath(course.config.notes, course.config.shared)
    files = (*(entry.path for entry in course.listing.files), *course.listing.folders)
    versions = environment.versions(book().distributions)
    return rules.Known.of(course.vault, course.worksheets, files, shared.as_posix(), versions)


def _advice(name: str, paths: Iterable[str]) -> str:
    wanted = PurePosixPath(name).name.removesuffix(".md")
    advice = near.advice(wanted, (PurePosixPath(path).stem for path in paths))
    return advice or "name a note, its path, its folder or its worksheet, or write a glob such as 'Spark_*'"


def _prefix(typed: str) -> str:
    """The beginning of a code, as a person typed it; raises CoursemillError when no code begins so."""
    prefix = typed.upper()
    if not prefix or not any(code.startswith(prefix) for code in codes.REGISTRY):
        fix = near.advice(prefix, codes.REGISTRY) or "`coursemill check --codes` lists them"
        raise UsageError(f"there is no code `{typed}`", fix=fix)
    return prefix
