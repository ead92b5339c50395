"""The exercises of a notebook: answers with the tests and questions that judge them, in any nbgrader notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from coursemill.pure.grading.assignment import Assignment, Item

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<text>.+?)[ \t#]*$", re.MULTILINE)
_LABEL = re.compile(r"^\W*(?:Exercise|Question|Quiz)\b:?\s*", re.IGNORECASE)
_POINTS = re.compile(r"\s*\([\d.]+ points?\)\s*$")
_TAG = re.compile(r"(`[^`]*`)|<[^>]*>")


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is asked of students at one place of a notebook."""

    notebook: str
    id: str
    """Its first answer's, else its first test's or question's."""
    title: str
    prompt: str = ""
    """The Markdown above it, as students see it."""
    answers: tuple[Item, ...] = ()
    """Cells of code that students write."""
    tests: tuple[Item, ...] = ()
    manual: tuple[Item, ...] = ()
    """What a person grades."""

    @property
    def key(self) -> str:
        """Its name, unique in the worksheet."""
        return f"{self.notebook}/{self.id}"

    @property
    def points(self) -> float:
        return sum(item.points for item in (*self.tests, *self.manual))

    @property
    def parts(self) -> tuple[str, ...]:
        """Names, unique in the worksheet, of what gives points."""
        return tuple(f"{self.notebook}/{item.id}" for item in (*self.tests, *self.manual))


def of(assignment: Assignment) -> tuple[Exercise, ...]:
    """Return the exercises of a notebook in order; those that give no points are left out.

    Cells of Coursemill's notebooks say whose they are. In others an exercise begins with the first answer after a
    test, and ends with the next one; what a person grades stands for itself.
    """
    groups = _by_task(assignment.items)
    return tuple(made for group in groups if (made := _made(assignment.name, group)).tests or made.manual)


@dataclass(slots=True)
class _Group:
    task: str
    items: list[Item]
    prose: str = ""


def _by_task(items: Iterable[Item]) -> list[_Group]:
    groups: list[_Group] = []
    prose = ""
    for item in items:
        ours = item.metadata.get("coursemill")
        task = ours.get("task", "") if isinstance(ours, dict) else ""
        if item.role == "prose" and item.type == "markdown":
            prose = item.released if _HEADING.search(item.released) else prose
        if item.role not in ("answer", "test", "written", "task"):
            continue
        if not groups or not _goes_on(groups[-1], item, task):
            groups.append(_Group(task, [], prose))
        groups[-1].items.append(item)
    return groups


def _goes_on(group: _Group, item: Item, task: str) -> bool:
    """Whether `item` belongs to the exercise that was met last."""
    if task or group.task:
        return task == group.task
    roles = {other.role for other in group.items}
    if item.role in ("written", "task") or roles & {"written", "task"}:
        return False
    return item.role == "test" or "test" not in roles


def _made(notebook: str, group: _Group) -> Exercise:
    answers = tuple(item for item in group.items if item.role == "answer")
    tests = tuple(item for item in group.items if item.role == "test")
    manual = tuple(item for item in group.items if item.role in ("written", "task") and item.points)
    first = (answers or tests or manual or tuple(group.items))[0]
    prompt = first.released if first.role in ("written", "task") and first.type == "markdown" else group.prose
    title = _title(prompt) or _title(group.prose)
    made = Exercise(notebook, group.task or first.id, title, prompt, answers, tests, manual)
    return replace(made, title=title or made.id)


def _title(text: str) -> str:
    found = _HEADING.findall(text)
    return _POINTS.sub("", _LABEL.sub("", _TAG.sub(r"\1", found[-1]))).strip() if found else ""
