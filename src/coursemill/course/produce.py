"""Notebooks in all three editions, many at a time: two editions by us, what students get by nbgrader."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from coursemill.config import Config
from coursemill.effects import release, store, workers
from coursemill.model import Finding, Lesson
from coursemill.pure import codes, editions, rules
from coursemill.pure.asked import Asked, Question, answers

BATCH = 24
"""Notebooks that go through nbgrader together: enough to share its start, few enough to show progress."""
WORTH = 48
"""Lessons from which a second process pays for importing nbgrader again."""
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
    findings: tuple[Finding, ...] = ()
    notebooks: Mapping[str, bytes] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    answers: str = ""


@dataclass(frozen=True)
class Workshop:
    """What is the same for all orders."""

    config: Config
    known: rules.Known
    pictures: Mapping[str, str]
    stage: Path
    """A folder of this build's own; what becomes of parcels lies there."""


Batch = Sequence[Order] | Parcel


def produce(
    shop: Workshop, orders: Sequence[Order], parcels: Sequence[Parcel], jobs: int
) -> Iterator[list[Product] | Parcel]:
    """Carry out everything, a batch at a time, in up to `jobs` processes (0: as many as pay).

    One bad lesson does not stop the others. Raises CoursemillError when the machine gives up.
    """
    todo = sorted(orders, key=lambda order: (order.lesson.front.worksheets, order.lesson.path))
    batches: list[Batch] = [todo[i : i + BATCH] for i in range(0, len(todo), BATCH)]
    batches += parcels
    work = partial(_work, shop, batches)
    processes = min(jobs or workers.cores(), len(batches))
    if processes > 1 and len(todo) >= WORTH:
        yield from workers.spread(work, len(batches), processes)
    else:
        yield from map(work, range(len(batches)))


def _work(shop: Workshop, batches: Sequence[Batch], number: int) -> list[Product] | Parcel:
    batch, stage = batches[number], shop.stage / str(number)
    try:
        return _delivered(shop, batch, stage) if isinstance(batch, Parcel) else _built(shop, batch, stage)
    except OSError as error:
        raise store.explained(error, str(stage)) from error


def _built(shop: Workshop, orders: Sequence[Order], stage: Path) -> list[Product]:
    """Make the editions of some lessons, and have nbgrader make the students'."""
    products = [_editions(shop, order) for order in orders]
    sources = f"{shop.config.source}/"
    for product in products:
        for path, content in product.notebooks.items():
            if path.startswith(sources):
                file = stage / release.SOURCE / path.removeprefix(sources)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
    worksheets = sorted(
        {w for o, p in zip(orders, products, strict=True) if p.notebooks for w in o.lesson.front.worksheets}
    )
    made = {w: release.generate(stage, w, shop.config.path(release.SETTINGS)) for w in worksheets}
    return [_released(shop, order.lesson, p, made) for order, p in zip(orders, products, strict=True)]


def _editions(shop: Workshop, order: Order) -> Product:
    """Make the worked and the instructor edition for each worksheet."""
    lesson = order.lesson
    findings = order.findings
    if findings is None:
        findings = tuple(rules.check(lesson, shop.known))
    if any(finding.severity == "error" for finding in findings):
        return Product(lesson.path, findings)
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
                notebooks[notebook(folder, worksheet, lesson)] = text.encode("utf-8")
    except Exception as error:  # a mistake of ours, or a note that nobody has thought of: the others are built
        message = f"no notebook can be made of the note: {type(error).__name__}: {error}"
        return Product(lesson.path, (*findings, codes.NOT_BUILT.at(lesson.path, 1, message)))
    questions = tuple(vault.questions)
    return Product(lesson.path, findings, notebooks, questions, answers(shop.known.vault, questions))


def notebook(folder: str, worksheet: str, lesson: Lesson) -> str:
    """Path of a lesson's notebook: the same in all three folders."""
    return f"{folder}/{worksheet}/{lesson.name}.ipynb"


def _numbers(config: Config, worksheet: str, order: Order) -> dict[str, str]:
    """The tests of the last build, whose numbers are kept; of the lesson's own notebook before all others."""
    found: dict[str, str] = {}
    for path in (*order.memory, notebook(config.source, worksheet, order.lesson)):
        try:
            found |= editions.numbers(json.loads(config.path(path).read_bytes()))
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            continue  # there is none, or it is not a notebook any more
    return found


def _released(shop: Workshop, lesson: Lesson, product: Product, made: Mapping[str, release.Generated]) -> Product:
    """Add the students' edition."""
    if not product.notebooks:
        return product
    editions_of_students = {}
    for worksheet in lesson.front.worksheets:
        generated = made[worksheet]
        if refusal := generated.refused.get(lesson.name):
            message = f"nbgrader cannot make the students' notebook: {refusal}"
            return Product(product.note, (*product.findings, codes.NOT_BUILT.at(product.note, 1, message)))
        path = notebook(shop.config.release, worksheet, lesson)
        editions_of_students[path] = (generated.made / f"{lesson.name}.ipynb").read_bytes()
    return replace(product, notebooks={**product.notebooks, **editions_of_students})


def _delivered(shop: Workshop, parcel: Parcel, stage: Path) -> Parcel:
    """Have nbgrader take the files to the students; it leaves some out, such as compiled modules."""
    folder = stage / release.SOURCE / parcel.worksheet
    for path, content in parcel.files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(content)
    (folder / "blank.ipynb").write_text(BLANK, encoding="utf-8")
    made = release.generate(stage, parcel.worksheet, shop.config.path(release.SETTINGS)).made
    return Parcel(parcel.worksheet, {path: made / path for path in parcel.files if (made / path).is_file()})
