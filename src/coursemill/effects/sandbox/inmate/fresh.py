"""A fork that starts its own life: nothing of the server's is left in it but the imports."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def begin(order: dict[str, Any], kept: Iterable[int]) -> None:
    """Have an environment, a folder, seeds and names of its own, and of all descriptors only `kept`."""
    os.setpgid(0, 0)
    _close_all_but({1, 2, *kept})
    os.open("/dev/null", os.O_RDONLY)  # 0, the lowest that is free
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["home"])
    _renew()


def _close_all_but(kept: set[int]) -> None:
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _renew() -> None:
    """Make anew what would otherwise be the same in every fork."""
    sys.argv = [""]
    sys.path.insert(0, "")  # what lies beside the notebook can be imported
    for name in [name for name in sys.modules if name.partition(".")[0] == "coursemill"]:
        del sys.modules[name]
    sys.modules["__main__"] = types.ModuleType("__main__")
    random.seed()
    tempfile.tempdir = None
    tempfile._name_sequence = None  # type: ignore[attr-defined] # its names come from a generator with a seed
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
