"""Which installed distribution provides a module, and in what version."""

from __future__ import annotations

import contextlib
import importlib.metadata
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from coursemill.pure.requirements import Installed, distribution, top


def installed(modules: Iterable[str], names: Iterable[str] = ()) -> Installed:
    """Look up `modules`, as imported, and distributions by their `names`."""
    packages = _packages(state())
    found = {}
    for module in set(modules):
        providers = sorted(set(packages.get(top(module), ())))
        if len(providers) > 1:  # a namespace: several distributions have a part of it
            providers = [name for name in providers if _holds(name, module)] or providers
        if providers:
            found[module] = (providers[0], importlib.metadata.version(providers[0]))
    return Installed(found, versions(names))


def versions(names: Iterable[str]) -> dict[str, str]:
    """Look up the versions of distributions; those that are not installed are left out."""
    return dict(_versions(names))


def state() -> str:
    """A value that changes when something is installed, removed or upgraded."""
    folders = (Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages")))
    return f"{sys.version_info[:2]} " + " ".join(f"{f}:{f.stat().st_mtime_ns}" for f in folders if f.is_dir())


@lru_cache(maxsize=1)
def _packages(_state: str) -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _versions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in {distribution(name) for name in names}:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)


def _holds(distribution: str, module: str) -> bool:
    """Whether the distribution has files of that very module."""
    path = module.replace(".", "/")
    files = importlib.metadata.files(distribution) or ()
    return any(str(file).startswith((f"{path}/", f"{path}.")) for file in files)
