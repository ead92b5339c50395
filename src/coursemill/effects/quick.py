"""Time that nothing here needs to spend: on a grammar that no notebook uses, on garbage that there is not."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

GRAMMAR = "rfc3987_syntax"


@contextmanager
def imports() -> Iterator[None]:
    """Import nbformat, nbconvert, nbgrader or papermill below this, three times as fast.

    Where jupyter_server is installed, jsonschema finds a grammar of internationalized addresses and compiles it
    with lark, which takes 0.85 s of nbformat's 1 s. No notebook's schema has a format that wants it.
    """
    if "jsonschema" in sys.modules or GRAMMAR in sys.modules:
        yield
        return
    sys.modules[GRAMMAR] = None  # type: ignore[assignment] # documented: the import fails at once
    try:
        yield
    finally:
        sys.modules.pop(GRAMMAR, None)


@contextmanager
def memory() -> Iterator[None]:
    """Look for garbage seldom: notes and notebooks are many objects, of which none is, and which have no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
