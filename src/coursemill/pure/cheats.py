"""Answers that know nothing and agree to everything; a sound test gives them no point."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache

from coursemill.pure.names import Definition
from coursemill.pure.yes import Yes

Cheat = Callable[[str, Iterable[Definition]], str]
"""(imports, definitions) of a solution → the answer of one who knows nothing."""


def equal_to_everything(imports: str, definitions: Iterable[Definition]) -> str:
    """Return an answer that binds every name of the solution's to an object that is equal to everything."""
    return _answer(imports, (f"{d.name} = Yes()" for d in definitions))


def returning_such(imports: str, definitions: Iterable[Definition]) -> str:
    """Return an answer whose functions, and whose classes' methods, return such objects."""
    return _answer(imports, map(_returning, definitions))


def _returning(definition: Definition) -> str:
    if definition.kind == "function":
        return f"def {definition.name}(*args, **kwargs):\n    return Yes()\n"
    if definition.kind == "class":
        return f"class {definition.name}(Yes):\n    pass\n"
    return f"{definition.name} = Yes()"


def _answer(imports: str, bindings: Iterable[str]) -> str:
    return "\n".join([imports, _source(), *bindings, ""])


@cache
def _source() -> str:
    return inspect.getsource(Yes)
