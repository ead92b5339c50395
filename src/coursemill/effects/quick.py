"""Importing what imports jsonschema, without the second that nothing here needs."""

from __future__ import annotations

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
