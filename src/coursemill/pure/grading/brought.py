"""What of a student's folder counts: which file is which notebook, and which other files they may bring."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from coursemill.pure import naming

NOTEBOOK = ".ipynb"
TIMESTAMP = "timestamp.txt"
"""nbgrader's: when it was handed in."""
CODE = (".py", ".pyw", ".pyc", ".pyo", ".pyd", ".so", ".dll", ".dylib")
"""Suffixes of files that Python imports."""
_START = re.compile(
    r"(?:site|user)customize\.py[a-z]?|conftest\.py|pyvenv\.cfg|.*\.(?:pth|_pth|egg-link)|matplotlibrc|kernel\.json"
    r"|(?:ipython|jupyter|nbgrader|nbconvert)\w*_?config\.(?:py|json)|\.?(?:pdbrc|pythonrc|pythonstartup)(?:\.py)?",
    re.IGNORECASE,
)
"""Files that Python and its tools read by themselves when they start."""
_HOMES = frozenset({".ipython", ".jupyter", ".local", ".config", ".matplotlib", ".keras", ".pyspark", ".cache"})
_COPY = re.compile(r"(?:[\s_-]*(?:\(\d{1,3}\)|copy\d{0,3}|final|solved?|solution|done|v\d{1,2}))+", re.IGNORECASE)


@dataclass(frozen=True)
class Given:
    """What is not the student's to bring."""

    files: frozenset[str] = frozenset()
    """The instructor's, by path."""
    editable: frozenset[str] = frozenset()
    """Those whose place the student's may take."""
    libraries: frozenset[str] = field(default_factory=frozenset)
    """Names of modules that are installed."""

    def refusal(self, path: Sequence[str]) -> str:
        """Why a file of a student's is left out; empty when it counts. `path`: folders and name, without `..`."""
        written = "/".join(path)
        if written in self.editable:
            return ""
        if any(part.lower() in _HOMES for part in path[:-1]) or any(_START.fullmatch(part) for part in path):
            return "Python reads it by itself when it starts"
        if any(self._is_theirs(name) for name in _prefixes(path)) or naming.folded(written) in self._folders:
            return "it has the place of a file of the instructor's"
        if not path[-1].lower().endswith(CODE):
            return ""
        module = path[0].partition(".")[0] if len(path) == 1 else path[0]
        if naming.folded(module) in self._modules:
            return f"it would be imported in place of the instructor's `{module}`"
        if module in sys.stdlib_module_names:
            return f"it would be imported in place of Python's own `{module}`"
        return f"it would be imported in place of the library `{module}`" if module in self.libraries else ""

    def _is_theirs(self, name: str) -> bool:
        return naming.folded(name) in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(naming.folded(path) for path in self.files)

    @cached_property
    def _folders(self) -> frozenset[str]:
        """Folders that the instructor's files are in."""
        return frozenset(
            naming.folded(name) for path in self.files for name in _prefixes(path.split("/")) if name != path
        )

    @cached_property
    def _modules(self) -> frozenset[str]:
        """Modules and packages of the instructor's."""
        code = (path.split("/") for path in self.files - self.editable if path.lower().endswith(CODE))
        return frozenset(naming.folded(parts[0].partition(".")[0] if len(parts) == 1 else parts[0]) for parts in code)


def notebooks(wanted: Iterable[str], there: Sequence[str]) -> dict[str, str]:
    """Find the path of each wanted notebook among those that are `there`; one that is not there is left out.

    What has the right name at the right place comes first; then what has it but for case, or in a folder; then
    copies (`problem1 (1).ipynb`); then, where one is wanted and one is left, that one.
    """
    found: dict[str, str] = {}
    left = list(there)
    missing = list(wanted)
    for same in (_exactly, _folded, _inside, _copied):
        for name in tuple(missing):
            fitting = [path for path in left if same(path, name)]
            if len(fitting) == 1 or (fitting and same is _copied):
                found[name] = fitting[-1]
                left.remove(fitting[-1])
                missing.remove(name)
    if len(missing) == 1 and len(left) == 1 and not found:
        found[missing[0]] = left[0]
    return found


def libraries(entries: Iterable[str]) -> Iterator[str]:
    """Names of the modules that files and folders beside each other make."""
    for entry in entries:
        name, dot, rest = entry.partition(".")
        if name.isidentifier() and (not dot or f".{rest}".endswith(CODE)):
            yield name


def unlike(found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Notebooks that were not found under their own names, and where they were."""
    return ((name, path) for name, path in found.items() if path != name + NOTEBOOK)


def _prefixes(path: Sequence[str]) -> list[str]:
    return ["/".join(path[: n + 1]) for n in range(len(path))]


def _exactly(path: str, name: str) -> bool:
    return path == name + NOTEBOOK


def _folded(path: str, name: str) -> bool:
    return naming.folded(path) == naming.folded(name + NOTEBOOK)


def _inside(path: str, name: str) -> bool:
    return naming.folded(path.rpartition("/")[2]) == naming.folded(name + NOTEBOOK)


def _copied(path: str, name: str) -> bool:
    stem, wanted = naming.folded(path.rpartition("/")[2])[: -len(NOTEBOOK)], naming.folded(name)
    return stem.startswith(wanted) and bool(_COPY.fullmatch(stem[len(wanted) :]))
