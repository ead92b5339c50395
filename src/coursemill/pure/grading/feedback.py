"""The page that a student gets back for a worksheet: what was asked, written, tested, and said about it.

It is complete in itself, runs nothing and loads nothing. It is made of released sources and of what outcomes say to
students; hidden tests, solutions and mark schemes never come near it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from coursemill.pure.grading import clean, exercises, noted, phrases, showing
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.standing import Mark
from coursemill.pure.grading.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Sheet:
    """A notebook that a student gets back."""

    assignment: Assignment
    verdict: Verdict
    marks: Mapping[str, Mark]
    """By the cell's grade_id: what the gradebook says."""
    comments: Mapping[str, str] = field(default_factory=dict)
    """A person's, in Markdown, by grade_id."""
    penalty: float = 0.0

    @property
    def score(self) -> float:
        """Points after the penalty; what waits for a person counts 0 so far."""
        return max(0.0, sum(mark.score or 0.0 for mark in self.marks.values()) - self.penalty)

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks.values())

    @property
    def pending(self) -> float:
        """Points that wait for a person."""
        return sum(mark.points for mark in self.marks.values() if mark.pending)


@dataclass(frozen=True, slots=True)
class Options:
    """What an instructor decides about pages."""

    rubrics: bool = False
    """Show the mark schemes (model answers, rubrics) of questions that are graded."""


def page(student: str, name: str, sheets: Sequence[Sheet], options: Options = Options()) -> str:
    """One HTML page of a student's notebooks; `name` is a person's, empty where nobody knows it."""
    album = showing.Album()
    made = [_Paper(sheet, number, options, album).read() for number, sheet in enumerate(sheets, 1)]
    template, policy = _template()
    text: str = template.render(
        student=clean.visible(student, code=False),
        name=clean.visible(name, code=False),
        worksheet=sheets[0].assignment.worksheet if sheets else "",
        sheets=made,
        score=sum(sheet.score for sheet in sheets),
        points=sum(sheet.points for sheet in sheets),
        pending=sum(sheet.pending for sheet in sheets),
        penalty=sum(sheet.penalty for sheet in sheets),
        policy=policy,
    )
    return text.rstrip("\n") + "\n"


WORDS = {
    "passed": ("✓", "passed"),
    "part": ("◐", "passed in part"),
    "failed": ("✗", "failed"),
    "error": ("✗", "error"),
    "timeout": ("✗", "took too long"),
    "died": ("✗", "Python ended"),
    "limit": ("✗", "used too much"),
    "not-reached": ("–", "not reached"),
    "unreadable": ("–", "notebook not readable"),
    "missing": ("–", "not handed in"),
    "pending": ("…", "waits for a person"),
    "graded": ("✎", "graded by a person"),
    "": ("–", "not run"),
}
"""How something ended → a sign and words: colour alone says nothing."""
_HINT = re.compile(r"<summary>[^\n]*\bhint\b|^> ?\[!hint", re.I | re.M)
_GONE = ("missing", "unreadable")


@dataclass(frozen=True, slots=True)
class _Test:
    """A line of an exercise's tests."""

    title: str
    state: str
    score: str
    message: str = ""
    source: str = ""
    """HTML; empty for hidden tests."""
    changed: bool = False
    """A person gave other points than the test."""


@dataclass(frozen=True, slots=True)
class _Block:
    """A cell."""

    title: str
    body: str
    """HTML."""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Section:
    """An exercise, or the student's cells between two of them."""

    id: str
    title: str
    """HTML."""
    exercise: bool = True
    score: float = 0.0
    points: float = 0.0
    state: str = ""
    prompt: str = ""
    blocks: list[_Block] = field(default_factory=list)
    tests: list[_Test] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    rubrics: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A notebook as the template shows it."""

    id: str
    name: str
    score: float
    points: float
    pending: float
    penalty: float
    trouble: str
    notes: tuple[str, ...]
    sections: tuple[_Section, ...]


class _Paper:
    """Goes through a notebook once."""

    def __init__(self, sheet: Sheet, number: int, options: Options, album: showing.Album) -> None:
        self.sheet, self.options, self.album = sheet, options, album
        self.id = f"notebook-{number}"
        self.language = sheet.assignment.language
        self.outcomes = {outcome.test: outcome for outcome in sheet.verdict.outcomes}
        self.unanswered = frozenset(sheet.verdict.unanswered)
        ours = sheet.verdict.autograded.get("metadata", {}).get("coursemill", {})
        self.gone = not ours.get("theirs", True)
        self.exercises = exercises.of(sheet.assignment)
        self.owners = {
            item.id: number
            for number, one in enumerate(self.exercises)
            for item in (*one.answers, *one.tests, *one.manual)
        }
        self.tasks = {one.id: number for number, one in enumerate(self.exercises)}

    def read(self) -> _Shown:
        """The notebook's sections in order."""
        made = [self.exercise(one, number) for number, one in enumerate(self.exercises)]
        between: dict[int, _Section] = {}
        for number, block in () if self.gone else self.blocks():
            if number >= 0:
                made[number].blocks.append(block)
            else:  # -1: before the first exercise, -2: after the first …
                title = "Your other cells" if not between else f"Your other cells ({len(between) + 1})"
                section = between.setdefault(-number - 1, _Section(f"{self.id}-own-{-number}", title, exercise=False))
                section.blocks.append(block)
        sections = [between[0]] if 0 in between else []
        for number, section in enumerate(made, 1):
            sections += [section, between[number]] if number in between else [section]
        sheet = self.sheet
        return _Shown(
            self.id,
            sheet.assignment.name,
            sheet.score,
            sheet.points,
            sheet.pending,
            sheet.penalty,
            clean.visible(sheet.verdict.trouble, code=False),
            tuple(clean.visible(line, code=False) for line in noted.lines(sheet.verdict.notes)),
            tuple(sections),
        )

    def exercise(self, exercise: Exercise, number: int) -> _Section:
        """An exercise without its cells."""
        parts = (*exercise.tests, *exercise.manual)
        marks = [self.mark(item) for item in parts]
        made = _Section(f"{self.id}-exercise-{number + 1}", showing.title(exercise.title))
        made.score = sum(mark.score or 0.0 for mark in marks)
        made.points = sum(mark.points for mark in marks)
        made.state = self.state(made, marks)
        made.prompt = self.album.take(_instructors(exercise.prompt))
        shown = [item for item in exercise.tests if not self.hidden(item)]
        unseen = [item for item in exercise.tests if self.hidden(item)]
        for item in exercise.tests:
            group, word = (unseen, "Hidden test") if self.hidden(item) else (shown, "Test")
            title = f"{word} {group.index(item) + 1} of {len(group)}" if len(group) > 1 else word
            made.tests.append(self.test(item, title))
        made.tests.extend(self.manual(item) for item in exercise.manual)
        made.hints = list(self.hints(exercise)) if self.has_failed(exercise) else []
        mine = [name for name, owner in self.owners.items() if owner == number]
        made.comments = [showing.prose(said) for name in mine if (said := self.sheet.comments.get(name, "").strip())]
        if self.options.rubrics and not any(mark.pending for mark in marks):
            made.rubrics = [showing.prose(text) for item in exercise.manual if (text := _scheme(item))]
        return made

    def mark(self, item: Item) -> Mark:
        """What the gradebook says, or what the outcome does where it says nothing."""
        outcome = self.outcomes.get(item.id)
        waiting = Mark(item.points, outcome.score if outcome else None, pending=not outcome and item.role != "test")
        return self.sheet.marks.get(item.id, waiting)

    def hidden(self, item: Item) -> bool:
        """Whether the test is, or some of it."""
        outcome = self.outcomes.get(item.id)
        return outcome.hidden if outcome else bool(item.hidden)

    def has_failed(self, exercise: Exercise) -> bool:
        """Whether a test of the exercise did not give all its points."""
        ended = [self.outcomes[item.id] for item in exercise.tests if item.id in self.outcomes]
        return any(outcome.score < outcome.points or outcome.status != "passed" for outcome in ended)

    def state(self, section: _Section, marks: Sequence[Mark]) -> str:
        """How an exercise ended as a whole."""
        if any(mark.pending and mark.score is None for mark in marks):
            return "pending"
        ended = {outcome.status for outcome in self.outcomes.values()}
        if len(ended) == 1 and (alone := ended.pop()) in _GONE:
            return alone
        if section.score >= section.points:
            return "passed"
        return "part" if section.score > 0 else "failed"

    def test(self, item: Item, title: str) -> _Test:
        """A test's line."""
        outcome, mark = self.outcomes.get(item.id), self.mark(item)
        score = _of(mark.score, mark.points)
        if outcome is None:
            return _Test(title, "", score)
        faked = outcome.status == "passed" and outcome.twin == "passed"
        partly = outcome.status == "passed" and outcome.score < outcome.points
        message = phrases.said(outcome, self.exercises[self.owners[item.id]], self.unanswered)
        state = "failed" if faked else "part" if partly else outcome.status
        source = "" if outcome.hidden or item.hidden else showing.code(item.released, self.language)
        return _Test(title, state, score, clean.plain(message), source, changed=mark.manual)

    def manual(self, item: Item) -> _Test:
        """The line of what a person grades."""
        mark = self.mark(item)
        waits = mark.score is None or mark.pending
        title = "Your answer in words" if item.role == "written" and item.type != "code" else "Graded by a person"
        score = f"up to {_points(mark.points)}" if mark.score is None else _of(mark.score, mark.points)
        silent = phrases.NO_ANSWER if item.id in self.unanswered else ""
        return _Test(title, "pending" if waits else "graded", score, silent)

    def hints(self, exercise: Exercise) -> Iterator[str]:
        """The hints of the exercise's note."""
        for item in self.sheet.assignment.items:
            ours = item.metadata.get("coursemill")
            task = ours.get("task") if isinstance(ours, Mapping) else ""
            if item.role == "prose" and task == exercise.id and _HINT.search(item.released):
                yield _instructors(item.released)

    def blocks(self) -> Iterator[tuple[int, _Block]]:
        """The student's cells, each with the number of its exercise, or -1 less how many stand above it."""
        items = {item.id: item for item in self.sheet.assignment.items}
        cells = self.sheet.verdict.autograded.get("cells", ())
        owners = [self.owner(cell) for cell in cells]
        ends = {owner: place for place, owner in enumerate(owners)}
        last = current = -1
        for place, (cell, owner) in enumerate(zip(cells, owners, strict=True)):
            ours, name = _about(cell)
            if owner >= 0:
                last = current = owner
            elif current >= 0 and place > ends[current] and not ours.get("added"):
                current = -1
            asked = current >= 0 and any(one.role == "task" for one in self.exercises[current].manual)
            block = self.block(cell, ours, items.get(name), asked=asked)
            if block is not None:
                yield (current if current >= 0 else -2 - last), block

    def owner(self, cell: Mapping[str, Any]) -> int:
        """The number of the exercise that a cell belongs to; -1: to none."""
        ours, name = _about(cell)
        return self.owners.get(name, self.tasks.get(ours.get("task", ""), -1))

    def block(
        self, cell: Mapping[str, Any], ours: Mapping[str, Any], item: Item | None, *, asked: bool
    ) -> _Block | None:
        """A cell, if it is one that the student wrote, or one of the lesson's that failed.

        `asked`: it stands below a question, whose answers are cells that students add.
        """
        notes = tuple(str(note.get("text", "")) for note in ours.get("notes", ()) if isinstance(note, Mapping))
        source = clean.text_of(cell.get("source"))
        if item is not None and item.editable:
            if item.role != "task" and (ours.get("unanswered") or item.id in self.unanswered):
                return _Block("Your answer", '<p class="soft">You left this cell as it was.</p>', notes)
            return _Block("Your answer", self.body(cell, source), notes)
        if ours.get("added"):
            title = "Your answer" if asked else "A cell that you added"
            return _Block(title, self.body(cell, source), notes) if source.strip() else None
        if item is None and cell.get("cell_type") == "code":  # the lesson's
            outputs = cell.get("outputs", ())
            if any(output.get("output_type") == "error" for output in outputs):
                return _Block("A cell of the lesson, which failed in your notebook", self.body(cell, source), notes)
            if ours.get("task") and (drawn := showing.outputs(outputs, self.album)):
                return _Block("A cell of the exercise, as it ran in your notebook", drawn, notes)
        return None

    def body(self, cell: Mapping[str, Any], source: str) -> str:
        """Source and outputs."""
        if cell.get("cell_type") == "markdown":
            made = self.album.take(showing.prose(source, cell.get("attachments")))
            return f'<div class="prose" dir="auto">{made}</div>'
        language = self.language if cell.get("cell_type") == "code" else "text"
        return showing.code(source, language) + showing.outputs(cell.get("outputs", ()), self.album)


def _about(cell: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Our metadata of a cell of the autograded notebook, and its grade_id."""
    metadata = cell.get("metadata", {})
    return metadata.get("coursemill", {}), metadata.get("nbgrader", {}).get("grade_id", "")


def _scheme(item: Item) -> str:
    """A task's mark scheme, without the lines that begin and end it."""
    numbered = list(enumerate(item.source.split("\n"), 1))
    inner = (text for n, text in numbered if n in item.hidden and n - 1 in item.hidden and n + 1 in item.hidden)
    return "\n".join(inner).strip()


def _points(number: float) -> str:
    return f"{number:g} point{'' if number == 1 else 's'}"


def _of(score: float | None, points: float) -> str:
    """`1.5 of 2 points`."""
    return f"{round(score or 0.0, 2):g} of {_points(points)}"


@lru_cache(maxsize=1024)  # the class shares them
def _instructors(markdown: str) -> str:
    return showing.prose(markdown)


@lru_cache(maxsize=1)
def _template() -> tuple[Any, str]:
    """The template, and the page's policy: its own style sheet, pictures that stand in it, and nothing else."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("coursemill.pure"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"of": _of, "amount": _points}
    environment.globals |= {"words": WORDS}
    style = environment.get_template("feedback.css").render()
    environment.globals["style"] = style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; style-src-attr 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )
    return environment.get_template("feedback.html.jinja"), policy
