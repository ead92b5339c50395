"""Quizzes, read back from a notebook: which options there are, which is right, which one was taken."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coursemill.pure.grading.answers import tree
from coursemill.pure.grading.exercises import Exercise

# What `coursemill.pure.quiz.test` writes.
_VARIABLE = re.compile(r'_chosen = \{letter for letter in ""\.join\((?P<name>\w+)\)\.upper\(\)')
_LETTERS = re.compile(r'_chosen <= set\("(?P<letters>[A-Z]+)"\)')
_RIGHT = re.compile(r'_chosen \^ set\("(?P<letters>[A-Z]*)"\)')
_OPTION = re.compile(r"^- \*\*(?P<letter>[A-Z])\.\*\* (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a quiz lets students choose from."""

    variable: str
    """That holds the answer."""
    letters: str
    right: str
    """The right letters, in order."""
    texts: Mapping[str, str]
    """The options' first lines, by letter."""


def read(exercise: Exercise) -> Choices | None:
    """Return the choices of an exercise that is a quiz of Coursemill's; None when it is none."""
    for test in exercise.tests:
        found = [pattern.search(test.source) for pattern in (_VARIABLE, _LETTERS, _RIGHT)]
        if found[0] and found[1] and found[2]:
            texts = {match["letter"]: match["text"].strip() for match in _OPTION.finditer(exercise.prompt)}
            return Choices(found[0]["name"], found[1]["letters"], found[2]["letters"], texts)
    return None


def taken(source: str, variable: str) -> str | None:
    """Return the letters in order that an answer's cell puts into `variable`; None when there are none to read."""
    found = tree(source)
    for value in reversed(list(_values(found, variable)) if found else []):
        try:
            read = ast.literal_eval(value)
            letters = {letter for letter in "".join(read).upper() if letter.isalpha()}
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        if letters:
            return "".join(sorted(letters))
    return None


def _values(found: ast.AST, variable: str) -> Iterator[ast.expr]:
    """What is assigned to a name, the outermost statements first."""
    for node in ast.walk(found):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            yield from (node.value for target in targets if isinstance(target, ast.Name) and target.id == variable)
