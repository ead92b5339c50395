"""What a worksheet's lessons import, and the requirements.txt that students install it from."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from coursemill.model import Code, Exercise, Lesson, Solution, Test

_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w., ]+=\s*[%!].*|[\w.]+\?+\s*)$", re.MULTILINE)
_LINE = re.compile(r"^\s*(?:from\s+(\w[\w.]*)\s+import\b|import\s+(\w[\w.]*))", re.MULTILINE)
_PINNED = re.compile(r"^(?P<asked>[^\s#]+)\s+#\s*(?P<modules>\S.*)$")
_FAILURES = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """A module that some code imports, and where; `optional`: the code goes on without it."""

    module: str
    path: str
    line: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Installed:
    """What an environment has."""

    modules: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """A module, as imported, with its dots → the distribution that provides it, and its version."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Distributions that the settings name → version, where they are installed."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """A requirements.txt, and the imports that nothing here provides."""

    text: str
    missing: tuple[Import, ...] = ()


def of_lesson(lesson: Lesson) -> list[Import]:
    """Everything that the lesson's code, files, solutions and tests import, also what it writes itself."""
    return [one for text, line in _python(lesson) for one in of_code(text, lesson.path, line)]


def of_code(text: str, path: str, first_line: int = 1) -> Iterator[Import]:
    """The imports of a cell or a file, whose first line is line `first_line` of `path`; relative ones left out."""
    tree = _tree(text) if "import" in text else ast.Module([], [])
    if tree is None:
        for match in _LINE.finditer(text):
            yield Import(
                match[1] or match[2], path, first_line + text.count("\n", 0, match.start(match.lastindex or 0))
            )
        return
    guarded = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in _guarded(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        else:
            continue
        yield from (Import(name, path, first_line + node.lineno - 1, id(node) in guarded) for name in names)


def local_modules(lesson: Lesson) -> set[str]:
    """Modules that the lesson writes itself: each folder of such a file, and the file."""
    parts = [part for part in _all(lesson) if isinstance(part, Code | Solution) and part.path]
    return {name for part in parts for name in modules_of(part.path)}


def modules_of(path: str) -> set[str]:
    """Names by which code may import a file that lies at `path` below its working directory."""
    file = PurePosixPath(path)
    return {*file.parent.parts, *([file.stem] if file.suffix == ".py" else [])}


def compose(
    imports: Iterable[Import],
    local: Iterable[str],
    installed: Installed,
    overrides: Mapping[str, str],
    previous: str = "",
) -> Requirements:
    """Write the requirements.txt for `imports`.

    `overrides` maps a top-level module to the requirements to ask for instead: comma between several, empty for
    none. `previous` is the file as it was: what is not installed here keeps its line.
    """
    ours = {*local, *sys.stdlib_module_names, "__main__"}
    wanted = sorted(one for one in imports if top(one.module) not in ours)
    kept = _lines(previous)
    asked: dict[str, set[str]] = {}
    missing: dict[str, Import] = {}
    for one in wanted:
        module = top(one.module)
        name, version = installed.modules.get(one.module, ("", ""))
        if not name and one.optional:
            continue
        if not name:
            missing.setdefault(module, one)
        lines = kept.get(module) if not name else None
        for line in lines or asked_for(overrides.get(module, name or module), version, installed.versions):
            asked.setdefault(line, set()).add(module)
    text = (f"{line}  # {', '.join(sorted(asked[line]))}\n" for line in sorted(asked, key=str.lower))
    return Requirements("".join(text), tuple(missing.values()))


def top(module: str) -> str:
    """The package that a dotted name begins with."""
    return module.partition(".")[0]


def distribution(name: str) -> str:
    """`Scrapy`, `pyspark[sql]` → `scrapy`, `pyspark`: how indexes compare names."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).strip().lower()


def asked_for(names: str, version: str, versions: Mapping[str, str]) -> list[str]:
    """`Scrapy` in `2.19.0+local` → `scrapy==2.19.0`; a name with a version of its own gets that one."""
    lines = []
    for name in filter(None, (n.strip() for n in names.split(","))):
        public = versions.get(distribution(name), version).partition("+")[0]
        extras = name[name.find("[") :] if "[" in name else ""
        lines.append(f"{distribution(name)}{extras}" + (f"=={public}" if public else ""))
    return lines


def _lines(previous: str) -> dict[str, list[str]]:
    """Module → what the file asked for on its account."""
    found: dict[str, list[str]] = {}
    for line in previous.splitlines():
        if match := _PINNED.match(line):
            for module in match["modules"].split(","):
                found.setdefault(module.strip(), []).append(match["asked"])
    return found


def _all(lesson: Lesson) -> Iterator[object]:
    for part in lesson.parts:
        yield part
        if isinstance(part, Exercise):
            yield from part.parts
    yield from lesson.codes()


def _python(lesson: Lesson) -> Iterator[tuple[str, int]]:
    """The Python texts of the lesson that its notebooks hold, with their first lines."""
    for part in _all(lesson):
        if isinstance(part, Code) and part.role == "shell":
            continue
        if isinstance(part, Code | Solution | Test):
            path = getattr(part, "path", "")
            if not path or path.endswith(".py"):
                yield part.text, part.first_line


def _tree(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the rules report what Python warns of
        for attempt in (text, _MAGIC.sub(r"\1pass", text)):
            try:
                return ast.parse(attempt)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
    return None


def _guarded(node: ast.Try) -> Iterator[ast.AST]:
    """What stands in a `try` whose failure to import is caught."""
    caught = {name for handler in node.handlers for name in _names(handler.type)}
    if caught & _FAILURES:
        for statement in node.body:
            yield from ast.walk(statement)


def _names(kind: ast.expr | None) -> Iterator[str]:
    """The exceptions of an `except`; a bare one catches all."""
    if kind is None:
        yield "Exception"
    elif isinstance(kind, ast.Tuple):
        yield from (element.id for element in kind.elts if isinstance(element, ast.Name))
    elif isinstance(kind, ast.Name):
        yield kind.id
