"""A note's blocks as the detectors look at them: commented-out code is code again, and every node knows its parent."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from coursemill.model import Block, Exercise, Finding, Lesson
from coursemill.pure import codes, python, trees
from coursemill.pure.fences import PYTHON
from coursemill.pure.raw import kinds, uncomment

MAGICS = ("%", "!", "?")
ALIASES: Mapping[str, str] = {
    "F": "pyspark.sql.functions",
    "jnp": "jax.numpy",
    "keras": "keras",
    "np": "numpy",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "tf": "tensorflow",
    "torch": "torch",
}
"""What these names mean where the note does not say."""
STANDARD = frozenset({"json", "math", "os", "random", "re", "requests", "scrapy", "sys", "time"})
"""Modules that mean themselves where the note does not say otherwise."""

N = TypeVar("N", bound=ast.AST)


@dataclass(frozen=True)
class Bound:
    """One way in which a name gets its value: `value` is assigned, or it is an element of `items`; None: another."""

    value: ast.expr | None = None
    items: ast.expr | None = None
    unpacked: ast.expr | None = None
    """What the name gets a part of."""


@dataclass(frozen=True)
class Source:
    """A Python block: `text` is what would be code, line by line where the block has it."""

    block: Block
    text: str
    tree: ast.Module | None
    path: str = ""
    """The file that the block is, if it is one."""
    runs: bool = True
    """Its names are the notebook's."""
    claimed: bool = False
    """The block below says what it prints."""
    nodes: Mapping[type[ast.AST], Sequence[ast.AST]] = field(default_factory=dict)
    parents: Mapping[ast.AST, ast.AST] = field(default_factory=dict)

    def all(self, kind: type[N]) -> Sequence[N]:
        """Every node of that very class."""
        return self.nodes.get(kind, ())  # type: ignore[return-value] # they are kept by their class

    @cached_property
    def lines(self) -> tuple[Sequence[str], Sequence[str]]:
        """The lines of the text, and those of the block as it stands."""
        return self.text.split("\n"), self.block.text.split("\n")

    @cached_property
    def named(self) -> Mapping[str, Sequence[ast.Name]]:
        """Name → where it is used or bound, from top to bottom."""
        found: defaultdict[str, list[ast.Name]] = defaultdict(list)
        for name in sorted(self.all(ast.Name), key=lambda one: (one.lineno, one.col_offset)):
            found[name.id].append(name)
        return found

    @cached_property
    def imported(self) -> Mapping[str, int]:
        """Name that the block imports, wherever in it → the first line that does."""
        found: dict[str, int] = {}
        for part in self.imports():
            for alias in part.names:
                name = alias.asname or alias.name.partition(".")[0]
                found[name] = min(part.lineno, found.get(name, part.lineno))
        return found

    @cached_property
    def given(self) -> frozenset[str]:
        """Names of arguments, functions and classes."""
        return frozenset([*(one.arg for one in self.all(ast.arg)), *(one.name for one in self.definitions())])

    def definitions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """Every function and class, wherever it stands."""
        yield from self.all(ast.FunctionDef)
        yield from self.all(ast.AsyncFunctionDef)
        yield from self.all(ast.ClassDef)

    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """Every import, wherever it stands."""
        yield from self.all(ast.Import)
        yield from self.all(ast.ImportFrom)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What `node` stands in, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def at(self, code: codes.Code, node: ast.AST, message: str, fix: str = "") -> Finding:
        """The finding that something is wrong at `node`."""
        return self.on(code, getattr(node, "lineno", 1), message, fix, getattr(node, "col_offset", 0))

    def on(self, code: codes.Code, line: int, message: str, fix: str = "", offset: int = 0) -> Finding:
        """The finding that something is wrong on `line` of the text, `offset` bytes behind its beginning."""
        now, was = (lines[line - 1] if 0 < line <= len(lines) else "" for lines in self.lines)
        before = len(now.encode("utf-8", "replace")[:offset].decode("utf-8", "ignore"))
        col = self.block.indent + max(len(was) - len(now), 0) + before + 1
        return code.at(self.block.span.path, self.block.first_line + line - 1, message, col=col, fix=fix)


@dataclass(frozen=True)
class Note:
    """All Python of a note, and what its names mean."""

    lesson: Lesson
    sources: Sequence[Source]
    aliases: Mapping[str, str]
    """Name → the module, or the thing in a module, that it is imported from."""
    bound: Mapping[str, Sequence[Bound]]
    """Name → every way in which it gets a value, anywhere in the note."""

    def dotted(self, node: ast.AST) -> str:
        """The full name of what `node` names, such as `numpy.array`; empty when it is not something imported."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        root = self.aliases.get(node.id)
        if root is None:
            if node.id in self.bound:
                return ""
            root = ALIASES.get(node.id, node.id if node.id in STANDARD else "")
        full = ".".join([root, *reversed(names)]) if root else ""
        return full.removeprefix("tensorflow.") if full.startswith("tensorflow.keras") else full

    def builtin(self, node: ast.AST) -> str:
        """The name of the built-in function that `node` is; empty when it is none, or one that the note redefines."""
        free = isinstance(node, ast.Name) and node.id not in self.bound and node.id not in self.aliases
        return node.id if free and isinstance(node, ast.Name) else ""


def note(lesson: Lesson) -> Note:
    """Read all Python of a note."""
    sources = tuple(_sources(lesson))
    aliases: dict[str, str] = {}
    bound: defaultdict[str, list[Bound]] = defaultdict(list)
    for source in sources:
        for imported in source.all(ast.Import):
            for alias in imported.names:
                top = alias.name.partition(".")[0]
                aliases[alias.asname or top] = alias.name if alias.asname else top
        for taken in source.all(ast.ImportFrom):
            for alias in taken.names if not taken.level else ():
                aliases[alias.asname or alias.name] = f"{taken.module}.{alias.name}"
        for name, how in _bindings(source):
            bound[name].append(how)
    return Note(lesson, sources, aliases, bound)


def parsed(text: str, *, cell: bool = True) -> ast.Module | None:
    """The syntax tree of `text`; None when there is none, whatever the reason."""
    if len(text) > python.MAX_SIZE:
        return None
    flags = ast.PyCF_ONLY_AST | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if cell else 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree: ast.Module = compile(text, "<code>", "exec", flags, dont_inherit=True)
        except SyntaxError:
            return python.tree(text) if cell and any(mark in text for mark in MAGICS) else None
        except (RecursionError, MemoryError, ValueError, OverflowError):
            return None
    return tree


def _sources(lesson: Lesson) -> Iterator[Source]:
    runs = _executed(lesson)
    for n, block in enumerate(lesson.blocks):
        if block.language not in PYTHON or block.role in {"output", "wrong"}:
            continue
        path = runs.get(block.span.start, "") or kinds.file_path(block)
        text = uncomment.live(block.text)
        tree = parsed(text, cell=not path)
        nodes, parents = _indexed(tree)
        below = lesson.blocks[n + 1] if n + 1 < len(lesson.blocks) else None
        executed = block.span.start in runs and not path
        claimed = below is not None and below.role == "output"
        yield Source(block, text, tree, path, executed, claimed, nodes, parents)


def _executed(lesson: Lesson) -> dict[int, str]:
    """Line of a fence that is executed → the path of the file that it is, or nothing."""
    found = {code.span.start: code.path for code in lesson.codes() if code.role != "shell"}
    for task in lesson.tasks:
        if isinstance(task, Exercise):
            found.update((one.span.start, one.path) for one in task.solutions)
            found.update((one.span.start, "") for one in task.tests if task.solutions)
    return found


def _indexed(tree: ast.Module | None) -> tuple[dict[type[ast.AST], list[ast.AST]], dict[ast.AST, ast.AST]]:
    nodes: defaultdict[type[ast.AST], list[ast.AST]] = defaultdict(list)
    parents: dict[ast.AST, ast.AST] = {}
    stack: list[ast.AST] = [tree] if tree else []
    while stack:
        node = stack.pop()
        nodes[type(node)].append(node)
        for child in trees.children(node):
            if not isinstance(child, ast.expr_context):  # these are shared by all nodes
                parents[child] = node
                stack.append(child)
    return nodes, parents


def _bindings(source: Source) -> Iterator[tuple[str, Bound]]:
    """Every name that the block binds, and how."""
    for name in source.all(ast.Name):
        if not isinstance(name.ctx, ast.Load):
            yield name.id, _how(name, source)
    for argument in source.all(ast.arg):
        yield argument.arg, Bound()
    for definition in source.definitions():
        yield definition.name, Bound()
    for handler in source.all(ast.ExceptHandler):
        if handler.name:
            yield handler.name, Bound()


def _how(name: ast.Name, source: Source) -> Bound:
    parent: ast.AST = name
    whole = True
    for parent in source.above(name):
        if not isinstance(parent, ast.Tuple | ast.List | ast.Starred):
            break
        whole = False
    if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension):
        return Bound(items=parent.iter)
    if not whole:
        return Bound(unpacked=parent.value if isinstance(parent, ast.Assign) else None)
    if isinstance(parent, ast.Assign) or (isinstance(parent, ast.AnnAssign) and parent.value is not None):
        return Bound(parent.value)
    if isinstance(parent, ast.NamedExpr):
        return Bound(parent.value)
    return Bound()
