"""What a cell prints, statement by statement, as far as its text tells; nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from coursemill.pure import trees

Where = Literal["once", "perhaps", "loop", "body"]
Path = tuple[tuple[int, int], ...]
"""For each branching statement around, its line and which of its branches."""
SILENT = frozenset({
    "add", "append", "clear", "close", "commit", "compile", "discard", "extend", "insert", "mkdir", "pop", "put",
    "remove", "reverse", "seed", "setdefault", "sort", "update", "write", "write_text", "write_bytes",
})  # fmt: skip
"""Methods that are called for what they do, and print nothing."""
CHANGING = frozenset({
    "choice", "getpid", "id", "now", "perf_counter", "rand", "randint", "randn", "random", "sample", "shuffle", "time",
    "time_ns", "today", "urandom", "utcnow", "uuid1", "uuid4",
})  # fmt: skip
"""Functions that give something else at every call."""
LOGGERS = frozenset({"log", "logger", "logging", "LOGGER", "_logger", "warnings"})
TALKING = frozenset(
    {"call", "crawl", "evaluate", "execute", "fit", "main", "predict", "process", "run", "start", "train"}
)
"""What may print though its result is kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """A statement that prints, shows its value, or may print."""

    node: ast.stmt
    kind: Literal["print", "shown", "maybe"]
    where: Where
    """`once`: whenever the cell runs; `perhaps`: in a branch; `body`: only when a function is called."""
    path: Path = ()

    @property
    def first(self) -> int:
        return self.node.lineno

    @property
    def last(self) -> int:
        return self.node.end_lineno or self.node.lineno

    @property
    def call(self) -> ast.Call | None:
        """The call of `print`."""
        value = self.node.value if isinstance(self.node, ast.Expr) else None
        return value if self.kind == "print" and isinstance(value, ast.Call) else None

    def surely(self, path: Path) -> bool:
        """Whether it prints some text for sure when the statement with that `path` is reached."""
        if self.call is None or not (self.where == "once" or (self.where == "perhaps" and self.path == path)):
            return False
        return any(part and part.strip() for part in parts(self.call)) and not _keyword(self.call, "end")


def events(tree: ast.Module) -> list[Event]:
    """Every statement of a cell that may print, in the order of its lines; a last expression shows its value."""
    talkative = {
        node.name
        for node in trees.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_is_print, trees.walk(node)))
    }
    defined = {node.name for node in trees.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found = [*_flat(tree.body, "once", (), _Known(frozenset(talkative), frozenset(defined - talkative)))]
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and not _is_print(last.value):
        found = [event for event in found if event.node is not last]
        found.append(Event(last, "shown", "once"))
    return found


def parts(call: ast.Call) -> list[str | None]:
    """What a call of `print` writes on its line: texts as they stand there, None for each value in between."""
    found: list[str | None] = []
    for n, argument in enumerate(call.args):
        if n:
            found.append(" ")
        if isinstance(argument, ast.JoinedStr):
            found += [str(piece.value) if isinstance(piece, ast.Constant) else None for piece in argument.values]
        elif isinstance(argument, ast.Constant):
            found.append(str(argument.value))
        else:
            found.append(None)
    return found


def varies(node: ast.AST) -> bool:
    """Whether what it shows is another thing each time: a time, something random, an address."""
    for one in trees.walk(node):
        name = one.id if isinstance(one, ast.Name) else one.attr if isinstance(one, ast.Attribute) else ""
        if name in CHANGING and any(isinstance(call, ast.Call) and call.func is one for call in trees.walk(node)):
            return True
    return False


def logs(node: ast.stmt) -> bool:
    """Whether a statement calls a logger, which writes elsewhere."""
    call = node.value if isinstance(node, ast.Expr) else None
    root: ast.AST | None = call.func if isinstance(call, ast.Call) else None
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id in LOGGERS


def is_plain(call: ast.Call) -> bool:
    """Whether a call of `print` writes lines to stdout as everybody expects."""
    return not any(_keyword(call, name) for name in ("end", "file")) and not any(
        isinstance(argument, ast.Starred) for argument in call.args
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """Functions of the cell: those that print, and those that don't."""

    talkative: frozenset[str]
    silent: frozenset[str]


def _flat(body: Iterable[ast.stmt], where: Where, path: Path, known: _Known) -> Iterator[Event]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _flat(node.body, "body", path, known)
        elif isinstance(node, ast.ClassDef | ast.With | ast.AsyncWith):
            yield from _flat(node.body, where, path, known)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            yield from _flat(node.body, "body" if where == "body" else "loop", path, known)
            yield from _flat(node.orelse, _weaker(where), (*path, (node.lineno, 1)), known)
        elif isinstance(node, ast.If | ast.Match):
            branches = [node.body, node.orelse] if isinstance(node, ast.If) else [case.body for case in node.cases]
            for n, branch in enumerate(branches):
                yield from _flat(branch, _weaker(where), (*path, (node.lineno, n)), known)
        elif isinstance(node, ast.Try | ast.TryStar):
            yield from _flat(node.body, _weaker(where), path, known)
            for n, handler in enumerate(node.handlers):
                yield from _flat(handler.body, _weaker(where), (*path, (node.lineno, n)), known)
            yield from _flat(node.orelse, _weaker(where), (*path, (node.lineno, len(node.handlers))), known)
            yield from _flat(node.finalbody, _weaker(where), path, known)
        elif isinstance(node, ast.Expr) and _is_print(node.value):
            yield Event(node, "print", where, path)
        elif _may_print(node, known):
            yield Event(node, "maybe", where, path)


def _weaker(where: Where) -> Where:
    return "perhaps" if where == "once" else where


def _may_print(node: ast.stmt, known: _Known) -> bool:
    """Whether a simple statement calls something that may print; what is called for its result mostly doesn't."""
    alone = isinstance(node, ast.Expr)
    for call in trees.walk(node):
        func = call.func if isinstance(call, ast.Call) else None
        if isinstance(func, ast.Name):
            talks = func.id in known.talkative or func.id in TALKING or (alone and func.id not in known.silent)
        else:
            talks = isinstance(func, ast.Attribute) and (func.attr in TALKING or (alone and func.attr not in SILENT))
        if talks:
            return True
    return False


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "pprint"}


def _keyword(call: ast.Call, name: str) -> bool:
    return any(keyword.arg == name for keyword in call.keywords)
