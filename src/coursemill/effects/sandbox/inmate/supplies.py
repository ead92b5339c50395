"""Libraries whose values an answer may give as data, also where neither the tests nor the instructor's cells use them.

Who counts with numpy gives numpy's numbers. They are data for a test that knows nothing of numpy, too.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from coursemill.pure import columns, plain

LIBRARIES = ("numpy", "pandas", "tensorflow", "pyspark", "pyarrow", "ml_dtypes")
"""Those whose values cross as data, where the examiner has imported them."""
ON_DEMAND = ("numpy", "pandas")
"""Those that it imports when an answer gives such values: they are quick, and start nothing."""


def had() -> list[str]:
    """Return the libraries whose values can be read here."""
    return [name for name in LIBRARIES if name in sys.modules or (name in ON_DEMAND and _is_installed(name))]


def library(name: str) -> Any:
    """Return a library, imported from where it is installed if need be; raises columns.Missing."""
    if name in ON_DEMAND and name not in sys.modules and _is_installed(name):
        with _only(_places()):
            importlib.import_module(name)
    return columns.library(name)


@cache
def _is_installed(name: str) -> bool:
    return importlib.machinery.PathFinder.find_spec(name, _places()) is not None


def _places() -> list[str]:
    """Where modules are found that no answer has written."""
    return [entry for entry in sys.path if f"{entry}/".startswith(plain.PLACES)]


@contextlib.contextmanager
def _only(places: list[str]) -> Iterator[None]:
    before, sys.path = sys.path, places
    try:
        yield
    finally:
        sys.path = before
