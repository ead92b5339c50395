"""What a test sees of an answer: the lesson's own names as they are, the answer's through the wall."""

from __future__ import annotations

import builtins
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from coursemill.effects.shell import Ran, Shell, explain
from coursemill.pure import names, plain
from coursemill.pure.proof import Mode, Outcome
from coursemill.pure.proxy import Proxy
from coursemill.pure.trials import Owned, Source, Step, Trial
from coursemill.pure.wall import Wall

CODE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
"""Things that an answer uses without changing them."""
NOISE = 200
"""Characters of what a test wrote to stderr that are told."""


class Examiner:
    """Runs the tests of one exercise on one answer, whose cells run in `shell`."""

    def __init__(self, shell: Shell, owned: Owned, trial: Trial) -> None:
        self.shell, self.wall = shell, Wall(_classes(v for n, v in shell.names.items() if n not in owned.names))
        self.owned = Owned(owned.names | self._touched(trial), owned.files)
        self.module = types.ModuleType("__main__")
        self.wanted = frozenset[str]().union(*(names.mentioned(step.source.text) for step in trial.tests))
        for name, value in shell.names.items():
            if name not in self.owned.names:
                self.module.__dict__[name] = self._own(value) if name in self.wanted else value
        self._look()

    def follow(self, step: Step) -> None:
        """Take in what a cell of the answer's side has changed. `step` is the solution's: it says whose a name is."""
        self.owned = self.owned.after(step, step.source)
        if step.role == "code":
            for name in names.bound(step.source.text) - self.owned.names:
                self._set(name, live=True)
        self._look()

    def test(self, step: Step, cell: str, mode: Mode, cells: Mapping[str, Source]) -> Outcome:
        """Run a test and grade it as nbgrader would."""
        if mode == "isolated":
            with self.shell.among(self.module):
                ran = self.shell.run(cell, step.source.text)
        else:
            ran = self.shell.run(cell, step.source.text)
            for name in names.bound(step.source.text):
                self._set(name, live=False)
        if ran.error:
            line, reason = explain(ran.error, cells)
            return Outcome(step.id, mode, 0.0, reason, line)
        score, reason = _score(step, ran)
        return Outcome(step.id, mode, score, reason, step.source.line(1) if reason else 0)

    def _look(self) -> None:
        for name in self.owned.names & self.wanted:
            self._set(name, live=False)
        if self.owned.files:
            self.module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}

    def _set(self, name: str, *, live: bool) -> None:
        if name in self.shell.names:
            value = self.shell.names[name]
            self.module.__dict__[name] = value if live else self._seen(value)
        else:
            self.module.__dict__.pop(name, None)

    def _touched(self, trial: Trial) -> frozenset[str]:
        """Names of the lesson's that the solution uses and may change: a model that it trains, a page that it edits."""
        used = frozenset[str]().union(*(names.mentioned(s.source.text) for s in trial.steps if s.role == "answer"))
        return frozenset(name for name in used if self._is_opaque(self.shell.names.get(name)))

    def _is_opaque(self, value: Any) -> bool:
        cls = type(value)
        if any(plain.subclass(cls, code) for code in CODE):
            return False
        return plain.subclass(type(self._seen(value)), Proxy)

    def _seen(self, value: Any) -> Any:
        try:
            return self.wall.see(value)
        except plain.TooLarge:
            return self.wall.proxy(value)

    def _own(self, value: Any) -> Any:
        """The test's own copy of data, which an answer cannot change."""
        try:
            return plain.copied(value, lambda other: other, strip=False)
        except plain.TooLarge:
            return value

    def _import(self, name: str, scope: Any = None, local: Any = None, wanted: Any = (), level: int = 0) -> Any:
        found = builtins.__import__(name, scope, local, wanted, level)
        return self.wall.see(found) if names.of_module(name, self.owned.files) else found


def _classes(values: Iterable[Any]) -> Iterator[type]:
    """Classes that the lesson's own cells define or import, by name or in a module."""
    for value in values:
        if plain.subclass(type(value), type):
            yield value
        elif type(value) is types.ModuleType and not plain.installed(value):
            yield from (v for v in vars(value).values() if plain.subclass(type(v), type))


def _score(step: Step, ran: Ran) -> tuple[float, str]:
    """Points and, unless full, the reason: nbgrader's `determine_grade`.

    https://github.com/jupyter/nbgrader/blob/v0.9.5/nbgrader/utils.py
    """
    if ran.stderr:
        return 0.0, f"it wrote to stderr, for which nbgrader gives nothing: {ran.stderr.strip()[:NOISE]}"
    try:
        part = float(repr(ran.value)) if ran.value is not None else step.points
    except ValueError:
        part = step.points
    if part > step.points:
        return 0.0, f"its last line gives {part:g}, which nbgrader takes for points, and there are {step.points:g}"
    if 0 <= part < step.points:
        return part, f"its last line gives {part:g} of {step.points:g} points"
    return step.points, ""
