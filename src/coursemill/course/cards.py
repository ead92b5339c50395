"""What a run must know of each lesson before it runs anything; remembered as long as the vault is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import PurePosixPath
from typing import Any

from coursemill.config import Config
from coursemill.course import inputs
from coursemill.course.load import Course, load
from coursemill.course.past import Past
from coursemill.effects import diagrams, kept, store
from coursemill.effects import vault as disk
from coursemill.effects.store import Stamp
from coursemill.model import ACCELERATORS, Finding, Lesson
from coursemill.pure import editions, frameworks, preload, requirements
from coursemill.pure.diagrams import diagram_sources
from coursemill.pure.fences import PYTHON
from coursemill.pure.outcome import Failure
from coursemill.pure.parameters import Parameter, declared

MEMORY = "cache/run.json"
Files = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A lesson as it stands in a worksheet."""

    lesson: str
    note: str
    worksheet: str
    accelerators: tuple[str, ...]
    requires: tuple[str, ...]
    timeout: float
    exercises: int = 0
    points: float = 0.0
    shown: int = 0
    """Python blocks that are shown and not run."""
    files: Files = ()
    """What lies beside the notebook: (path there, path below the course's root)."""
    digest: str = ""
    """Of the files."""
    mistakes: tuple[Failure, ...] = ()
    """Why no notebook can be made of the note, or none that holds all of it; the rest is empty then."""
    code: int = 0
    """Code cells."""
    notebook: str = ""
    """SHA-256 of the worked notebook."""
    parameters: tuple[Parameter, ...] = ()
    frameworks: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    """What a kernel may have imported before the lesson begins."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Of the sandbox, where the note sets them."""
    """Of `tensorflow`, `jax`, `torch` and `keras`, those that its code needs."""


class Deck:
    """The cards of the lessons that were named; of all of them, an unchanged vault's are found without reading it."""

    def __init__(self, config: Config, names: Sequence[str]) -> None:
        self.config, self.names = config, tuple(names)

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """One a lesson, or one for each set of shared files, where its worksheets differ in them.

        Raises CoursemillError for a name that means nothing.
        """
        if self.names:
            return tuple(self._made())
        memory = store.recall(self.config.path(self.config.build, MEMORY))
        if found := _remembered(self.config, memory):
            return found
        made = (*self._made(), *self._unknowable())
        self._remember(made)
        return made

    def notebook(self, card: Card) -> str:
        """The worked notebook that goes with a card, as nbformat's JSON."""
        lesson = self._course.vault.lessons[card.note]
        return editions.dumps(_worked(self._course, lesson, card.worksheet))

    @cached_property
    def _course(self) -> Course:
        return load(self.config)

    def _made(self) -> Iterator[Card]:
        for lesson in self._course.select(self.names):
            seen = set()
            for worksheet in lesson.front.worksheets:
                files = self._course.files(lesson, worksheet)
                digest = kept.digest((name, self.config.path(path)) for name, path in files)
                if digest not in seen:
                    seen.add(digest)
                    yield _card(self._course, lesson, worksheet, files, digest)

    def _unknowable(self) -> Iterator[Card]:
        """A card for each note of which nobody can say whether it is a lesson: that is no pass."""
        from coursemill.course.build import UNKNOWABLE  # with all that a build needs, and a remembered run does not

        lessons = {lesson.path for lesson in self._course.lessons}
        found = [f for f in self._course.findings if f.code in UNKNOWABLE and f.path not in lessons]
        for path, findings in groupby(found, key=attrgetter("path")):
            yield Card(PurePosixPath(path).stem, path, "", ACCELERATORS, (), 0.0, mistakes=_mistakes(findings))

    def _remember(self, cards: Sequence[Card]) -> None:
        listing = self._course.listing
        seen = inputs.stamps(self.config, (*listing.notes, *listing.files), {})
        state = {
            "made_by": inputs.made_by(self.config),
            "inputs": {
                path: asdict(stamp)
                for path, stamp in ({inputs.SHAPE: inputs.shape(listing)} | inputs.aged(seen)).items()
            },
            "cards": [asdict(card) for card in cards],
        }
        store.remember(self.config.root, f"{self.config.build}/{MEMORY}", state)


def _remembered(config: Config, memory: Mapping[str, Any]) -> tuple[Card, ...] | None:
    """The last run's cards, when the program and the vault are what they were."""
    try:
        if memory["made_by"] != inputs.made_by(config):
            return None
        past = Past(inputs={path: Stamp(**stamp) for path, stamp in memory["inputs"].items()})
        if inputs.unchanged(config, disk.walk(config), past) is None:
            return None
        return tuple(_read(card) for card in memory["cards"])
    except (KeyError, TypeError, AttributeError):
        return None


def _read(card: Mapping[str, Any]) -> Card:
    plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in card.items()}
    plain["mistakes"] = tuple(Failure(**{**one, "trace": tuple(one["trace"])}) for one in plain["mistakes"])
    plain["parameters"] = tuple(Parameter(**one) for one in plain["parameters"])
    plain["files"] = tuple((name, path) for name, path in plain["files"])
    return Card(**plain)


def _card(course: Course, lesson: Lesson, worksheet: str, files: Files, digest: str) -> Card:
    card = Card(
        lesson=lesson.name,
        note=lesson.path,
        worksheet=worksheet,
        accelerators=lesson.front.accelerators,
        requires=lesson.front.requires,
        timeout=float(lesson.front.timeout or course.config.timeout),
        exercises=len(lesson.tasks),
        points=lesson.points,
        shown=sum(block.role == "show" and block.language in PYTHON for block in lesson.blocks),
        files=files,
        digest=digest,
        preload=preload.of(lesson),
        limits=lesson.front.limits,
    )
    if mistakes := _mistakes(lesson.findings):
        return replace(card, mistakes=mistakes)
    try:
        notebook = _worked(course, lesson, worksheet)
    except Exception as error:  # a mistake of ours, or a note that nobody has thought of: the others run
        message = f"no notebook can be made of the note: {type(error).__name__}: {error}"
        return replace(card, mistakes=(Failure("error", f"{lesson.path}:1", "", message),))
    tagged = (c["source"] for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ()))
    return replace(
        card,
        code=sum(c["cell_type"] == "code" for c in notebook["cells"]),
        notebook=hashlib.sha256(editions.dumps(notebook).encode("utf-8", "surrogatepass")).hexdigest(),
        parameters=tuple(p for source in tagged for p in declared(source)),
        frameworks=frameworks.of(one.module for one in requirements.of_lesson(lesson) if not one.optional),
    )


def _mistakes(findings: Iterable[Finding]) -> tuple[Failure, ...]:
    wrong = (f for f in findings if f.severity == "error")
    return tuple(Failure("error", f"{f.path}:{f.line}", "", f"{f.code} {f.message}") for f in wrong)


def _worked(course: Course, lesson: Lesson, worksheet: str) -> dict[str, Any]:
    """Make the worked notebook as the build does, with the pictures that are drawn and the numbers that tests have."""
    source = course.config.path(course.config.source, worksheet, f"{lesson.name}.ipynb")
    pictures = diagrams.drawn(diagram_sources(lesson), course.config)
    context = editions.Context(course.vault, worksheet, pictures, editions.numbers(store.recall(source)))
    return editions.worked(lesson, context)
