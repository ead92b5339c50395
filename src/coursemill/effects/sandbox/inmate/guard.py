"""Keeps what a candidate has made from running in the examiner: its modules, its files, its pickles."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any


def see_modules(names: set[str], see: Callable[[str], Any]) -> None:
    """Let imports of these modules give what `see` gives."""
    for finder in [f for f in sys.meta_path if isinstance(f, _Finder)]:
        sys.meta_path.remove(finder)
    sys.meta_path.insert(0, _Finder(names, see))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules in the candidate."""

    def __init__(self, names: set[str], see: Callable[[str], Any]) -> None:
        self.names, self.see = names, see

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if any(f"{name}.".startswith(f"{fullname}.") for name in self.names):
            return importlib.machinery.ModuleSpec(fullname, self)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """Put what is seen into the module's place."""
        sys.modules[module.__name__] = self.see(module.__name__)
