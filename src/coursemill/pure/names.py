"""Which names a cell defines, mentions, and leaves in the hands of an answer; code is read, never executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from coursemill.pure import python

MAGICS = {"run_line_magic", "run_cell_magic", "system", "getoutput"}
"""IPython's methods that magics and shell lines are translated to."""
WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Definition:
    """A name that a cell binds at its top level, and to what."""

    name: str
    kind: Literal["function", "class", "value"]


def definitions(source: str, *, cell: bool = True) -> tuple[Definition, ...]:
    """Return what a cell (or a file) defines, in order, without what it imports; nothing if it is no Python."""
    found: dict[str, Definition] = {}
    for node in _outside_of_bodies(_statements(source, cell)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = Definition(node.name, "function")
        elif isinstance(node, ast.ClassDef):
            found[node.name] = Definition(node.name, "class")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = Definition(node.id, "value")
    return tuple(found.values())


def bound(source: str) -> frozenset[str]:
    """Return every name that a cell binds at its top level, by imports too."""
    found = {d.name for d in definitions(source)}
    for node in _outside_of_bodies(_statements(source, True)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    return frozenset(found)


def imports(source: str, *, cell: bool = True) -> str:
    """Return the top-level import statements of a cell (or a file), a line each."""
    kept = (s for s in _statements(source, cell) if isinstance(s, ast.Import | ast.ImportFrom))
    return "\n".join(ast.unparse(s) for s in kept)


def mentioned(source: str, *, cell: bool = True) -> frozenset[str]:
    """Return every name that a cell (or a file) reads or writes, wherever in it, also in magics (`%time f(x)`)."""
    statements = _statements(source, cell)
    return frozenset((*_names(statements), *_in_magics(statements)))


def owned(source: str, before: frozenset[str], files: Iterable[str] = ()) -> frozenset[str]:
    """Return the names that hold something of an answer's after an instructor's cell, when `before` do before it.

    A statement that uses one of them passes it on to what it binds, and to what it may change by a method or an
    item (`rows.append(price_of(page))`). `files` are files that answers wrote: what is imported from them is theirs.
    """
    modules = {file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in files}
    names = before
    for statement in _statements(source, True):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = _after_import(statement, names, modules)
        elif names.intersection(_read(statement)):
            names |= set(_changed(statement))
        else:
            names -= set(_bound(statement))
    return names


def of_module(name: str, files: Iterable[str]) -> bool:
    """Whether importing the module `name` gives what an answer wrote into one of `files`."""
    return _touches(name, {file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in files})


def _after_import(statement: ast.Import | ast.ImportFrom, names: frozenset[str], modules: set[str]) -> frozenset[str]:
    for alias in statement.names:
        name = alias.asname or alias.name.partition(".")[0]
        module = alias.name if isinstance(statement, ast.Import) else statement.module or ""
        names = names | {name} if _touches(module, modules) else names - {name}
    return names


def _touches(name: str, modules: set[str]) -> bool:
    return any(f"{module}.".startswith(f"{name}.") or f"{name}.".startswith(f"{module}.") for module in modules)


def _statements(source: str, cell: bool) -> list[ast.stmt]:
    found = python.tree(source, cell=cell)
    return found.body if found else []


def _outside_of_bodies(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every node that runs in the cell's own scope."""
    for node in statements:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            walrus = (n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            yield from walrus
            continue
        yield from _outside_of_bodies(ast.iter_child_nodes(node))


def _bound(statement: ast.stmt) -> Iterator[str]:
    for node in _outside_of_bodies([statement]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _changed(statement: ast.stmt) -> Iterator[str]:
    """What a statement binds or may change."""
    yield from _bound(statement)
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute | ast.Subscript) and (
            isinstance(node.ctx, ast.Store | ast.Del) or _is_called(node, statement)
        ):
            root: ast.expr = node
            while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
                root = root.func if isinstance(root, ast.Call) else root.value
            if isinstance(root, ast.Name):
                yield root.id


def _is_called(node: ast.expr, statement: ast.stmt) -> bool:
    return any(isinstance(call, ast.Call) and call.func is node for call in ast.walk(statement))


def _read(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _in_magics(statements: Iterable[ast.AST]) -> Iterator[str]:
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MAGICS:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield from WORD.findall(argument.value)


def _names(statements: Iterable[ast.AST]) -> Iterator[str]:
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name
