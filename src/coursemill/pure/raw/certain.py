"""Where code is executed for sure when a cell runs: in no function's body, in no branch, and where nothing catches."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from coursemill.pure import python, trees
from coursemill.pure.raw.seen import place

_CATCHING = frozenset({"raises", "assertRaises", "suppress"})
_Named = ast.Name | ast.Attribute | ast.alias | ast.Import | ast.ImportFrom


def places(code: str) -> frozenset[tuple[int, int]]:
    """Line and column of each name and import that a cell reads for sure, as `seen.Use` has them."""
    tree = None if code.lstrip().startswith("%%") else python.tree(code)
    if tree is None:
        return frozenset()
    read: set[tuple[int, int]] = set()
    for node in _nodes(tree.body):
        if isinstance(node, _Named):
            read.add(place(node))
    set_there = (node for node in trees.walk(tree) if isinstance(node, ast.Attribute | ast.Subscript))
    return frozenset(read - {place(node) for node in set_there if not isinstance(node.ctx, ast.Load)})


def _nodes(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    todo = list(statements)[::-1]
    while todo:
        node = todo.pop()
        yield node
        todo += list(_parts(node))[::-1]


def _parts(node: ast.AST) -> Iterable[ast.AST]:
    """The nodes right below `node` that are executed for sure when it is."""
    found: Iterable[ast.AST]
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            found = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        case ast.ClassDef():
            found = [*node.decorator_list, *node.bases]
        case ast.If() | ast.IfExp() | ast.While() | ast.Assert():
            found = [node.test]
        case ast.For():
            found = [node.iter, *(node.body if _enters(node) else ())]
        case ast.AsyncFor():
            found = [node.iter]
        case ast.Match():
            found = [node.subject]
        case ast.With() | ast.AsyncWith():
            found = [*node.items, *(() if any(map(_catches, node.items)) else node.body)]
        case ast.AnnAssign():
            found = [node.target, *([node.value] if node.value else [])]
        case ast.BoolOp():
            found = node.values[:1]
        case ast.Compare():
            found = [node.left, node.comparators[0]]
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            found = [node.generators[0].iter]
        case ast.Try() | ast.TryStar() | ast.Lambda():
            found = []
        case _:
            found = trees.children(node)
    return found


def _enters(node: ast.For) -> bool:
    """Whether a loop goes once through all of its body: over numbers or things that stand there."""
    if any(isinstance(one, ast.Break | ast.Continue) for one in trees.walk(node)):
        return False
    over = node.iter
    if isinstance(over, ast.List | ast.Tuple | ast.Set):
        return any(not isinstance(one, ast.Starred) for one in over.elts)
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "range":
        return len(over.args) == 1 and isinstance(over.args[0], ast.Constant) and over.args[0].value != 0
    return False


def _catches(item: ast.withitem) -> bool:
    call = item.context_expr
    called = call.func if isinstance(call, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in _CATCHING
