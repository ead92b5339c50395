"""How a block's logical lines nest, so that comments become code only where code can stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from coursemill.pure import trees
from coursemill.pure.raw.logical import Item
from coursemill.pure.raw.sense import sense

_CHAINS = {
    "if": {"elif", "else"},
    "for": {"else"},
    "while": {"else"},
    "async": {"else"},
    "try": {"except", "else", "finally"},
}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DEEPEST = 90
"""Levels of indentation: Python reads 100."""


@dataclass(frozen=True, slots=True)
class Node:
    """A statement with its decorators, its body and its clauses."""

    item: Item
    body: tuple[Node, ...] = ()
    clauses: tuple[Node, ...] = ()
    decorators: tuple[Item, ...] = ()

    def items(self) -> Iterator[Item]:
        """Return its logical lines, and those of all that is in it."""
        yield from self.decorators
        yield self.item
        for child in (*self.body, *self.clauses):
            yield from child.items()


def tree(items: Sequence[Item], known: Set[str]) -> list[Node]:
    """Nest the items of a block; a commented one that can stand nowhere is left out. `known`: names of the code."""
    return _Builder(items, known).block(0, _Place(-1, body=0))[0]


@dataclass
class _Place:
    """A body that is being read."""

    col: int
    """Of the statement that it belongs to."""
    body: int | None = None
    """Of its statements; None before the first."""
    mark: int = -1
    """Of the statement's comment mark; -1 when that is live."""
    up: _Place | None = None
    function: bool = False
    loop: bool = False
    kind: str = ""
    empty: bool = True
    depth: int = 0


@dataclass
class _Builder:
    items: Sequence[Item]
    known: Set[str]

    def block(self, at: int, place: _Place) -> tuple[list[Node], int, list[Item]]:
        """Read the statements of a body from item `at` on; also return where they end, and comments in comments."""
        nodes: list[Node] = []
        spare: list[Item] = []
        while at < len(self.items):
            item = self.items[at]
            if item.level == 2:
                spare.append(item)
                at += 1
                continue
            if item.col <= place.col:
                if item.live or self.wanted(item, place):
                    break
                at += 1
                continue
            if not item.live and not self.fits(item, place):
                at += 1
                continue
            if place.body is None:
                place.body = item.col
            node, at = self.statement(at, place)
            if node:
                nodes.append(node)
                place.empty = False
        return nodes, at, spare

    def wanted(self, item: Item, place: _Place) -> bool:
        """Whether a commented item that does not stand in `place` fits in what is around that."""
        up = place
        while up.up:
            up, below = up.up, up
            if up.col < item.col:
                if item.clause:
                    return below.col == item.col
                return self.fits(item, up)
        return False

    def fits(self, item: Item, place: _Place) -> bool:
        """Whether a commented item makes a statement of `place`."""
        if place.depth > _DEEPEST or (place.body is not None and place.body != item.col) or item.clause:
            return False
        if place.kind == "match" and not (item.word == "case" and item.opens):
            return False
        if item.word == "case" and item.opens and place.kind != "match":
            return False
        if not _allowed(item, place):
            return False
        if item.opens or item.decorator:
            return True
        found = sense(item.code, item.statements, self.known, inside=place.up is not None)
        if found == "code":
            return True
        if place.mark < 0:
            return found == "unclear" and _is_doc(item, place)
        if found == "prose":
            return False
        return item.mark == place.mark or _is_doc(item, place) or _is_field(item, place)

    def statement(self, at: int, place: _Place) -> tuple[Node | None, int]:
        """Read the statement that begins with item `at`; also return where the next one does."""
        start = at
        decorators: list[Item] = []
        while self.items[at].decorator:
            decorators.append(self.items[at])
            at = self.next(at + 1)
            ready = at < len(self.items) and self.items[at].col == decorators[0].col
            if not ready or not (self.items[at].decorator or self.items[at].word in {"def", "class", "async"}):
                return (Node(decorators[0]) if decorators[0].live else None), start + 1
        item = self.items[at]
        body: list[Node] = []
        end = at + 1
        if item.opens:
            body, end = self.body(item, item.word, at + 1, place)
            if not body:
                return (Node(item) if item.live else None), end
        clauses, end, whole = self.clauses(item, end, place)
        if not whole and not item.live:
            return None, end
        return Node(item, tuple(body), tuple(clauses), tuple(decorators)), end

    def body(self, item: Item, word: str, at: int, place: _Place) -> tuple[list[Node], int]:
        inner = self.inner(item, word, place)
        nodes, end, spare = self.block(at, inner)
        if not nodes and spare:
            raised = [replace(one, level=1) for one in spare]
            rescue = _Builder(raised, self.known).block(0, replace(inner, body=None, mark=-1))[0]
            nodes = [_lowered(node) for node in rescue]
        return nodes, end

    def inner(self, item: Item, word: str, place: _Place) -> _Place:
        defines = word == "def" or item.code.startswith("async def")
        return _Place(
            col=item.col,
            mark=item.mark,
            up=place,
            function=defines or (place.function and word != "class"),
            loop=word in {"for", "while"}
            or item.code.startswith("async for")
            or (place.loop and not defines and word != "class"),
            kind="def" if defines else word,
            depth=place.depth + 1,
        )

    def clauses(self, item: Item, at: int, place: _Place) -> tuple[list[Node], int, bool]:
        """Read the clauses of a statement; also return where they end, and whether it is whole."""
        found: list[Node] = []
        allowed = _CHAINS.get(item.word, set())
        whole = True
        while True:
            at = self.next(at) if allowed else at
            if at >= len(self.items) or self.items[at].word not in allowed or self.items[at].col != item.col:
                break
            clause = self.items[at]
            if not clause.opens:
                found.append(Node(clause))
                at += 1
                continue
            body, at = self.body(clause, clause.word, at + 1, place)
            if body or clause.live:
                found.append(Node(clause, tuple(body)))
            elif clause.word in {"elif", "except"}:
                whole = False
        if item.word == "try" and not any(node.item.word in {"except", "finally"} for node in found):
            whole = False
        return found, at, whole

    def next(self, at: int) -> int:
        """Where the next item is that is no comment in a comment."""
        while at < len(self.items) and self.items[at].level == 2:
            at += 1
        return at


def _lowered(node: Node) -> Node:
    """The same statement, in a comment in a comment again."""
    return Node(
        replace(node.item, level=2),
        tuple(map(_lowered, node.body)),
        tuple(map(_lowered, node.clauses)),
        tuple(replace(one, level=2) for one in node.decorators),
    )


def _allowed(item: Item, place: _Place) -> bool:
    """Whether `return`, `yield`, `break` and their like may stand in `place`."""
    if place.function and place.loop:
        return True
    for node in _own(item.statements):
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom | ast.Nonlocal | ast.Global) and not place.function:
            return False
        if isinstance(node, ast.Break | ast.Continue) and not place.loop and not _loops(item.statements):
            return False
    return bool(place.up) or item.opens or not isinstance(item.statements[0], ast.Pass)


def _own(statements: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of statements that are not in a function of their own."""
    todo = list(statements)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, _FUNCTION):
            todo += trees.children(node)


def _loops(statements: Sequence[ast.stmt]) -> bool:
    return any(isinstance(node, ast.For | ast.While | ast.AsyncFor) for node in statements)


def _is_doc(item: Item, place: _Place) -> bool:
    """Whether an item is the text that a function or a class begins with."""
    return (
        place.kind in {"def", "class"}
        and place.empty
        and len(item.statements) == 1
        and isinstance(item.statements[0], ast.Expr)
        and isinstance(item.statements[0].value, ast.Constant)
        and isinstance(item.statements[0].value.value, str)
    )


def _is_field(item: Item, place: _Place) -> bool:
    return place.kind == "class" and isinstance(item.statements[0], ast.AnnAssign)
