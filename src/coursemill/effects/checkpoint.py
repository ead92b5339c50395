"""A notebook's state, to come back to where the process cannot be forked.

Plain data is tried as copies; random generators, environment, directory, imported files and warnings are put back.
What libraries hold inside (a model's weights, a session's tables) is not: nobody can copy that.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursemill.effects.rewind import Rewind
from coursemill.pure import plain


@contextmanager
def kept(names: dict[str, Any], folder: Rewind) -> Iterator[None]:
    """Let the block do with `names` and the marked `folder` what it likes; afterwards they are as before."""
    before = dict(names)
    restore = [_environment(), _generators(), _modules(folder.folder), _warnings()]
    names.update((name, _copy(value)) for name, value in before.items() if not name.startswith("_"))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        names.clear()
        names.update(before)
        for back in restore:
            back()
        os.chdir(folder.folder)
        folder.back()
        importlib.invalidate_caches()


def _copy(value: Any) -> Any:
    try:
        return plain.copied(value, lambda other: other, strip=False)
    except plain.Refused:  # too much of it
        return value


def _environment() -> Any:
    before = dict(os.environ)

    def back() -> None:
        if dict(os.environ) != before:
            os.environ.clear()
            os.environ.update(before)

    return back


def _generators() -> Any:
    """The states of the global random generators: Python's, numpy's, and the one TensorFlow draws seeds from."""
    python = random.getstate()
    numpy: Any = sys.modules.get("numpy.random")
    numpys = numpy.get_state() if numpy else None
    context: Any = sys.modules.get("tensorflow.python.eager.context")
    eager: Any = context.context() if context else None
    seed, drawn = (eager._seed, eager._rng.getstate()) if hasattr(eager, "_rng") else (None, None)

    def back() -> None:
        random.setstate(python)
        if numpys:
            numpy.set_state(numpys)
        if drawn:
            eager._seed = seed
            eager._rng.setstate(drawn)

    return back


def _modules(folder: Path) -> Any:
    """Modules from files of the lesson's folder, which an answer may have written."""
    before, path = set(sys.modules), list(sys.path)

    def back() -> None:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and Path(file).is_relative_to(folder):
                del sys.modules[name]

    return back


def _warnings() -> Any:
    before = list(warnings.filters)

    def back() -> None:
        warnings.filters[:] = before  # type: ignore[index]  # a list, whatever typeshed promises

    return back
