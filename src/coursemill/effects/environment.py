"""Which installed distribution provides a module, and in what version."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from coursemill.pure.requirements import Installed, distribution, top

_RECORD = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)\.dist-info")
"""Where an installer writes down a distribution."""
_OLD = (".egg", ".egg-info", ".egg-link")
"""Where old ones do; the version stands inside."""


def installed(modules: Iterable[str], names: Iterable[str] = ()) -> Installed:
    """Look up `modules`, as imported, and distributions by their `names`."""
    import importlib.metadata

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
    import importlib.metadata

    return importlib.metadata.packages_distributions()


def _versions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    recorded, all_of_them = _recorded()
    wanted = {distribution(name) for name in names}
    yield from ((name, recorded[name]) for name in wanted & recorded.keys())
    if not all_of_them:
        import importlib.metadata

        for name in wanted - recorded.keys():
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                yield name, importlib.metadata.version(name)


def _recorded() -> tuple[Mapping[str, str], bool]:
    """Distribution → version by the names of their records, and whether there are no others.

    To import and ask `importlib.metadata`, which reads each record, takes ten times as long.
    """
    found: dict[str, str] = {}
    all_of_them = True
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")  # noqa: PTH208 - names are all that is wanted
        except OSError:
            all_of_them = all_of_them and not os.path.isfile(folder)  # noqa: PTH113 - an archive; False if not to be seen
            continue
        for entry in entries:
            if match := _RECORD.fullmatch(entry):
                found.setdefault(distribution(match["name"]), match["version"])
            all_of_them = all_of_them and not entry.endswith(_OLD)
    return found, all_of_them


def _holds(distribution: str, module: str) -> bool:
    """Whether the distribution has files of that very module."""
    import importlib.metadata

    path = module.replace(".", "/")
    files = importlib.metadata.files(distribution) or ()
    return any(str(file).startswith((f"{path}/", f"{path}.")) for file in files)
