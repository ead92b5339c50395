"""Notebooks in all three editions, many at a time: two editions by us, what students get by nbgrader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coursemill.config import Config
from coursemill.effects import release, store, workers
from coursemill.model import Finding, Lesson
from coursemill.pure import codes, editions, rules
from coursemill.pure.asked import Asked, Question, answers
from coursemill.pure.diagrams import diagram_sources

BATCH = 24
"""Notebooks that go through nbgrader together: enough to share its start, few enough to show progress."""
BLANK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
"""nbgrader makes nothing of a worksheet without a notebook."""


@dataclass(frozen=True, slots=True)
class Order:
    """A lesson to build; `findings` are None when the rules have yet to look at it."""

    lesson: Lesson
    findings: tuple[Finding, ...] | None = None
    memory: tuple[str, ...] = ()
    """Other source notebooks of the last build that hold tests of this lesson's tasks."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Files of a worksheet for its students: path in the worksheet → where the content is."""

    worksheet: str
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Product:
    """What became of a lesson: path from the course's root → content; nothing when the note has errors."""

    note: str
    name: str
    findings: tuple[Finding, ...] = ()
    notebooks: Mapping[str, bytes] = field(default_factory=dict)
    worksheets: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    answers: str = ""
    drawn: str = ""

    @property
    def state(self) -> dict[str, Any]:
        """What the next build has to know of it: fields of NoteState."""
        names = ("findings", "worksheets", "questions", "answers", "drawn")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Workshop:
    """What is the same for all orders."""

    config: Config
    known: rules.Known
    pictures: Mapping[str, str]
    stage: Path
    """A folder of this build's own; what becomes of parcels lies there."""
    jobs: int = 0
    """The most processes; 0: as many as there are cores for."""


Pressing = tuple[int, Path, tuple[str, ...]]
"""A job for nbgrader: its number, the staging course, and the worksheets in it."""
Pressed = tuple[int, dict[str, release.Generated]]
Drafted = tuple[int, list[Product]]


def press(settings: Path, job: Pressing) -> Pressed:
    """Have nbgrader make the students' edition of what was staged; `settings` is the course's nbgrader_config.py.

    Raises CoursemillError when the staging course cannot be written.
    """
    number, stage, worksheets = job
    try:
        return number, {worksheet: release.generate(stage, worksheet, settings) for worksheet in worksheets}
    except OSError as error:
        raise store.explained(error, str(stage)) from error


def produce(
    shop: Workshop, orders: Sequence[Order], parcels: Sequence[Parcel], nbgrader: workers.Crew[Pressing, Pressed]
) -> Iterator[list[Product] | Parcel]:
    """Carry out everything, a batch at a time; `nbgrader` is a crew whose task is `press`.

    One bad lesson does not stop the others. Raises CoursemillError when the machine gives up.
    """
    todo = sorted(orders, key=lambda order: (order.lesson.front.worksheets, order.lesson.path))
    batches = [todo[i : i + BATCH] for i in range(0, len(todo), BATCH)]
    staged: dict[int, list[Product] | Parcel] = {}
    with _drafters(shop, batches) as drafters:
        for number in range(len(batches)):
            drafters.give(number)
            yield from _handed_over(shop, drafters.ready(), staged, nbgrader)
        yield from _handed_over(shop, drafters.rest(), staged, nbgrader)
    for number, parcel in enumerate(parcels, len(batches)):
        staged[number] = parcel
        _stage_files(parcel, shop.stage / str(number))
        nbgrader.give(_pressing(shop, number, {parcel.worksheet}))
    yield from (_finished(shop, staged.pop(done), made) for done, made in nbgrader.rest())


def _handed_over(
    shop: Workshop,
    drafts: Iterator[Drafted],
    staged: dict[int, list[Product] | Parcel],
    nbgrader: workers.Crew[Pressing, Pressed],
) -> Iterator[list[Product] | Parcel]:
    """Give nbgrader what was drafted, and take what it has finished."""
    for number, products in drafts:
        staged[number] = products
        nbgrader.give(_pressing(shop, number, {w for product in products for w in product.worksheets}))
        yield from (_finished(shop, staged.pop(done), made) for done, made in nbgrader.ready())


def _pressing(shop: Workshop, number: int, worksheets: Collection[str]) -> Pressing:
    return number, shop.stage / str(number), tuple(sorted(worksheets))


def _drafters(
    shop: Workshop, batches: Sequence[Sequence[Order]]
) -> workers.Alone[int, Drafted] | workers.Forked[int, Drafted]:
    """A crew for the two editions that are ours: this process, unless there are cores beside nbgrader's."""

    def draft(number: int) -> Drafted:
        products = [_editions(shop, order) for order in batches[number]]
        with store.explaining(str(shop.stage)):
            _stage_notebooks(shop, products, shop.stage / str(number))
        return number, products

    spare = (shop.jobs or workers.cores()) // 2
    return workers.Forked(draft, spare) if spare > 1 and len(batches) > spare else workers.Alone(draft)


def _stage_notebooks(shop: Workshop, products: Sequence[Product], stage: Path) -> None:
    sources = f"{shop.config.source}/"
    for product in products:
        for path, content in product.notebooks.items():
            if path.startswith(sources):
                file = stage / release.SOURCE / path.removeprefix(sources)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)


def _stage_files(parcel: Parcel, stage: Path) -> None:
    folder = stage / release.SOURCE / parcel.worksheet
    with store.explaining(str(stage)):
        for path, content in parcel.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.symlink_to(content)
        (folder / "blank.ipynb").write_text(BLANK, encoding="utf-8")


def _finished(
    shop: Workshop, staged: Sequence[Product] | Parcel, made: Mapping[str, release.Generated]
) -> list[Product] | Parcel:
    """Take what nbgrader has made; it leaves out some files, such as compiled modules."""
    if isinstance(staged, Parcel):
        folder = made[staged.worksheet].made
        return Parcel(staged.worksheet, {path: folder / path for path in staged.files if (folder / path).is_file()})
    return [_released(shop, product, made) for product in staged]


def _editions(shop: Workshop, order: Order) -> Product:
    """Make the worked and the instructor edition for each worksheet."""
    lesson = order.lesson
    findings = order.findings
    if findings is None:
        findings = tuple(rules.check(lesson, shop.known))
    if any(finding.severity == "error" for finding in findings):
        return Product(lesson.path, lesson.name, findings)
    vault = Asked(shop.known.vault)
    notebooks = {}
    try:
        for worksheet in lesson.front.worksheets:
            numbers = _numbers(shop.config, worksheet, order)
            context = editions.Context(vault, worksheet, shop.pictures, numbers)
            for folder, edition in (
                (shop.config.notebooks, editions.worked),
                (shop.config.source, editions.instructor),
            ):
                text = editions.dumps(edition(lesson, context))
                notebooks[notebook(folder, worksheet, lesson.name)] = text.encode("utf-8")
    except Exception as error:  # a mistake of ours, or a note that nobody has thought of: the others are built
        message = f"no notebook can be made of the note: {type(error).__name__}: {error}"
        return Product(lesson.path, lesson.name, (*findings, codes.NOT_BUILT.at(lesson.path, 1, message)))
    questions = tuple(vault.questions)
    return Product(
        note=lesson.path,
        name=lesson.name,
        findings=findings,
        notebooks=notebooks,
        worksheets=lesson.front.worksheets,
        questions=questions,
        answers=answers(shop.known.vault, questions),
        drawn=drawing({d.name: shop.pictures[d.source] for d in diagram_sources(lesson) if d.source in shop.pictures}),
    )


def drawing(pictures: Mapping[str, str]) -> str:
    """Note down what a lesson's pictures show: name → SVG."""
    return seen({name: hashlib.sha256(svg.encode()).hexdigest() for name, svg in pictures.items()})


def seen(digests: Mapping[str, str]) -> str:
    """The same, of pictures whose digests are known."""
    return "".join(f"{name}:{digest} " for name, digest in sorted(digests.items()))


def notebook(folder: str, worksheet: str, name: str) -> str:
    """Path of a lesson's notebook: the same in all three folders."""
    return f"{folder}/{worksheet}/{name}.ipynb"


def _numbers(config: Config, worksheet: str, order: Order) -> dict[str, str]:
    """The tests of the last build, whose numbers are kept; of the lesson's own notebook before all others."""
    found: dict[str, str] = {}
    for path in (*order.memory, notebook(config.source, worksheet, order.lesson.name)):
        try:
            found |= editions.numbers(json.loads(config.path(path).read_bytes()))
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            continue  # there is none, or it is not a notebook any more
    return found


def _released(shop: Workshop, product: Product, made: Mapping[str, release.Generated]) -> Product:
    """Add the students' edition."""
    notebooks = dict(product.notebooks)
    for worksheet in product.worksheets:
        generated = made[worksheet]
        if refusal := generated.refused.get(product.name):
            message = f"nbgrader cannot make the students' notebook: {refusal}"
            return Product(
                product.note, product.name, (*product.findings, codes.NOT_BUILT.at(product.note, 1, message))
            )
        content = (generated.made / f"{product.name}.ipynb").read_bytes()
        notebooks[notebook(shop.config.release, worksheet, product.name)] = content
    return replace(product, notebooks=notebooks)
