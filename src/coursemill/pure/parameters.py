"""Papermill's parameters of a lesson: which there are, what an accelerator sets them to, and what was asked for."""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coursemill.errors import ConfigError
from coursemill.model import Accelerator

Value = bool | int | float | str | None
OVERRIDE = re.compile(r"\b(gpu|tpu):\s*([^;,\s]+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A name that the cell tagged `parameters` assigns, and what it is on an accelerator other than the CPU.

    The note says it in the line's comment: `epochs = 2  # passes over the data; gpu: 20; tpu: 40`.
    """

    name: str
    on: Mapping[str, Value]


def declared(source: str) -> tuple[Parameter, ...]:
    """Read the parameters out of the source of a cell tagged `parameters`."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return ()
    comments = _comments(source)
    found = []
    for statement in body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        comment = comments.get(statement.end_lineno or statement.lineno, "")
        on = {accelerator: typed(value) for accelerator, value in OVERRIDE.findall(comment)}
        found += [Parameter(t.id, on) for t in targets if isinstance(t, ast.Name)]
    return tuple(found)


def typed(text: str) -> Value:
    """Give a word of the command line its type, as papermill's own `-p` does."""
    constants: dict[str, Value] = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def chosen(
    parameters: Iterable[Parameter], accelerator: Accelerator, asked: Sequence[tuple[str, str]]
) -> dict[str, Value]:
    """What a lesson's parameters are set to: the accelerator's values, then those asked for; others keep theirs."""
    known = {p.name: p for p in parameters}
    values = {p.name: p.on[accelerator] for p in known.values() if accelerator in p.on}
    return values | {name: typed(text) for name, text in asked if name in known}


def refuse_unknown(asked: Sequence[tuple[str, str]], lessons: Mapping[str, Iterable[Parameter]]) -> None:
    """Raise ConfigError when a name that was asked for is no parameter of any lesson."""
    by_lesson = {lesson: sorted(p.name for p in parameters) for lesson, parameters in lessons.items()}
    names = {name for known in by_lesson.values() for name in known}
    for name, _ in asked:
        if name not in names:
            listed = "; ".join(f"{lesson}: {', '.join(known)}" for lesson, known in sorted(by_lesson.items()) if known)
            close = difflib.get_close_matches(name, names, n=1)
            meant = f"did you mean `{close[0]}`? " if close else ""
            raise ConfigError(
                f"no chosen lesson has a parameter `{name}`",
                fix=f"{meant}the parameters are {listed}" if listed else "the chosen lessons have no parameters",
            )


def _comments(source: str) -> dict[int, str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, IndentationError):
        return {}
    return {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}
