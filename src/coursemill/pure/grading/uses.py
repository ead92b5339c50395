"""What each statement of a cell does with the notebook's names; code is read, never executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeGuard

from coursemill.pure import python
from coursemill.pure.names import MAGICS, WORD

Kind = Literal["import", "function", "class", "value"]
BY_TEXT = {"eval", "exec", "globals", "locals", "vars", "dir", "get_ipython", "getattr", "hasattr"}
"""What may be given a name as a text."""
OPEN = {"run", "load", "store", "pylab"}
"""Line magics that bring names nobody can foresee."""
OPEN_CELL = re.compile(r"\s*%%(?!(?:time|timeit|prun|writefile|file)\b)\w")
"""Cell magics that may do so: `%%capture out`, `%%bash --out lines`."""
WRITES = re.compile(r"\s*%%(?:writefile|file)[ \t]+(?:(?P<append>-a|--append)[ \t]+)?(?P<path>[^\n]+?)[ \t]*(?:\n|$)")
Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement at a cell's top level, and the notebook's names that it has to do with."""

    node: ast.stmt
    binds: Mapping[str, Kind] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    """Names that are read when it is run."""
    later: frozenset[str] = frozenset()
    """Names that are read when a function of it is called."""
    stores: frozenset[str] = frozenset()
    """Names whose items or attributes it sets."""
    calls: frozenset[str] = frozenset()
    """Names whose methods it calls."""
    sets: frozenset[str] = frozenset()
    """Names that a function of it binds (`global`), or whose items or attributes a function of it sets."""
    deletes: frozenset[str] = frozenset()
    open: bool = False
    """Whether it may bind names that do not stand in it: `from math import *`, `%run`."""

    @property
    def defines(self) -> bool:
        """Whether it is an import or a definition, or several of them under conditions."""
        return bool(self.binds) and all(kind != "value" for kind in self.binds.values())

    @property
    def mentions(self) -> frozenset[str]:
        return self.reads | self.later | self.stores | self.sets | self.deletes | self.binds.keys()


@lru_cache(maxsize=1024)
def statements(source: str) -> tuple[Statement, ...]:
    """Return the statements of a cell in order; none when it is no Python, or does not compile."""
    tree = python.tree(source)
    nothing = ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
    magic = (Statement(nothing, open=True),) if OPEN_CELL.match(source) else ()
    return magic + (tuple(map(_statement, tree.body)) if tree else ())


def mentioned(source: str) -> frozenset[str]:
    """Return the notebook's names that a cell reads or writes, also in magics, and as texts where that may matter."""
    found = statements(source)
    texts = _texts(s.node for s in found) if any(BY_TEXT & (s.reads | s.later) for s in found) else ()
    return frozenset().union(*(s.mentions for s in found), texts)


def bound(source: str) -> dict[str, Kind]:
    """Return the names that a cell binds at its top level."""
    return {name: kind for s in statements(source) for name, kind in s.binds.items()}


def written(source: str) -> str:
    """Return the path of the file that the cell writes, if that is what it does (`%%writefile`)."""
    found = WRITES.match(source)
    return found["path"].strip("\"'") if found else ""


def _statement(node: ast.stmt) -> Statement:
    walker = _Walker()
    walker.visit(node)
    return Statement(
        node,
        walker.binds,
        frozenset(walker.reads),
        frozenset(walker.later),
        frozenset(walker.stores),
        frozenset(walker.calls),
        frozenset(walker.sets),
        frozenset(walker.deletes),
        walker.open,
    )


class _Walker(ast.NodeVisitor):
    """Goes through a statement; `self.locals` are the scopes that it is in, from the outermost."""

    def __init__(self) -> None:
        self.binds: dict[str, Kind] = {}
        self.reads: set[str] = set()
        self.later: set[str] = set()
        self.stores: set[str] = set()
        self.calls: set[str] = set()
        self.sets: set[str] = set()
        self.deletes: set[str] = set()
        self.open = False
        self.known: set[str] = set()  # bound so far on this way through the statement
        self.locals: list[set[str]] = []
        self.globals: set[str] = set()
        self.inside = 0  # functions

    # Names

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        elif isinstance(node.ctx, ast.Del):
            if self._is_global(node.id) and not self.inside:
                self.deletes.add(node.id)
        else:
            self._bind(node.id, "value")

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._bind(node.target.id, "value", walrus=True)

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign) -> None:
        for one in (node.value, getattr(node, "annotation", None), *getattr(node, "targets", ())):
            if one:
                self.visit(one)
        if isinstance(node, ast.AnnAssign) and (node.value or not isinstance(node.target, ast.Name)):
            self.visit(node.target)

    visit_AnnAssign = visit_Assign  # noqa: N815 - ast asks for this name

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        for one in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(one)

    visit_AsyncFor = visit_For  # noqa: N815 - ast asks for this name

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._ways(node.body, node.orelse)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self._ways(*([c] for c in node.cases))

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        self._ways([*node.body, *node.orelse], *([h] for h in node.handlers), node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815 - ast asks for this name

    def _ways(self, *ways: Sequence[ast.AST]) -> None:
        """One of them is taken: what one binds is nothing that the next may read."""
        before = set(self.known)
        for way in ways:
            self.known = set(before)
            for one in way:
                self.visit(one)
        self.known = before

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0], "import")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.open = True
            else:
                self._bind(alias.asname or alias.name, "import")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name and self.locals:
            self._bind(node.name, "value")
        elif node.name:  # it is gone after the handler
            self.locals.append({node.name})
            self.generic_visit(node)
            self.locals.pop()
            return
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name, "value")
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name, "value")

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest, "value")
        self.generic_visit(node)

    # What is changed

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._part(node)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._part(node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            root = _root(node.func)
            if root and self._is_global(root) and not self.inside and root not in self.known:
                self.calls.add(root)
            if node.func.attr in MAGICS:
                self._magic(node)
        self.generic_visit(node)

    def _part(self, node: ast.Attribute | ast.Subscript) -> None:
        root = _root(node)
        if root and not isinstance(node.ctx, ast.Load) and self._is_global(root) and root not in self.known:
            (self.sets if self.inside else self.stores).add(root)

    def _magic(self, node: ast.Call) -> None:
        """`%time total = f(3)`, `!ls {folder}`: whatever looks like a name may be one."""
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        self.open |= bool(texts) and texts[0] in OPEN
        for text in texts:
            for word in WORD.findall(text):
                self._read(word)

    # Scopes

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name, "function")
        arguments = node.args
        annotations = [a.annotation for a in _arguments(arguments) if a.annotation]
        for one in (*node.decorator_list, *arguments.defaults, *arguments.kw_defaults, *annotations, node.returns):
            if one:
                self.visit(one)
        self._function(arguments, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast asks for this name

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for one in (*node.args.defaults, *node.args.kw_defaults):
            if one:
                self.visit(one)
        self._function(node.args, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, "class")
        for one in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.visit(one)
        visible = self.locals
        self.locals = [*visible, set(_stored(node.body))]
        for statement in node.body:
            if isinstance(statement, Defined):  # its body does not see the names of the class
                self._method(statement, visible)
            else:
                self.visit(statement)
        self.locals = visible

    def _method(self, node: ast.stmt, visible: list[set[str]]) -> None:
        here, self.locals = self.locals, [*visible, {node.name}]  # type: ignore[attr-defined]  # a definition
        self.visit(node)
        self.locals = here

    def _function(self, arguments: ast.arguments, body: Iterable[ast.AST]) -> None:
        body = list(body)
        declared = set(_declared(body, ast.Global))
        own = {a.arg for a in _arguments(arguments)} | set(_stored(body))
        outer = self.globals
        self.globals = (outer - own) | declared
        self.locals.append(own - declared - set(_declared(body, ast.Nonlocal)))
        self.inside += 1
        for node in body:
            self.visit(node)
        self.inside -= 1
        self.locals.pop()
        self.globals = outer

    def _comprehension(self, node: Comprehension) -> None:
        for number, generator in enumerate(node.generators):
            if number == 0:
                self.visit(generator.iter)
                self.locals.append({n.id for g in node.generators for n in ast.walk(g.target) if _is_store(n)})
            else:
                self.visit(generator.iter)
            for one in (generator.target, *generator.ifs):
                self.visit(one)
        for one in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(one)
        self.locals.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - ast's names

    def _is_global(self, name: str) -> bool:
        return name in self.globals or not any(name in scope for scope in self.locals)

    def _read(self, name: str) -> None:
        if not self._is_global(name):
            return
        if self.inside:
            self.later.add(name)
        elif name not in self.known:
            self.reads.add(name)

    def _bind(self, name: str, kind: Kind, *, walrus: bool = False) -> None:
        if name in self.globals or (not self.inside and (walrus or not any(name in scope for scope in self.locals))):
            if self.inside:
                self.sets.add(name)
            else:
                self.binds[name] = kind if self.binds.get(name, kind) == kind else "value"
                self.known.add(name)


def _root(node: ast.expr) -> str:
    """The name that `a.b[1].c` begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (one for one in (arguments.vararg, arguments.kwarg) if one)


def _stored(body: Iterable[ast.AST]) -> Iterator[str]:
    """Names that a function's or class's own body binds."""
    for node in _of_scope(body):
        if isinstance(node, Defined):
            yield node.name
        elif _is_store(node):
            yield node.id
        elif isinstance(node, ast.NamedExpr):
            yield node.target.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest


def _declared(body: Iterable[ast.AST], kind: type[ast.Global | ast.Nonlocal]) -> Iterator[str]:
    for node in _of_scope(body):
        if isinstance(node, kind):
            yield from node.names


def _of_scope(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every node of a scope, without those of the functions and classes in it."""
    for node in body:
        yield node
        if isinstance(node, Comprehension):
            yield from (n for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        elif not isinstance(node, Defined | ast.Lambda):
            yield from _of_scope(ast.iter_child_nodes(node))


def _is_store(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for one in ast.walk(node):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and len(one.value) < 200:
                yield from WORD.findall(one.value)
