"""Small mistakes in code, as students make them: one each, by its syntax."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

from coursemill.pure.grading.answers import tree
from coursemill.pure.trials import WRITEFILE

_COMPARED: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
}
_COMPUTED: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Add(),
    ast.Div: ast.FloorDiv(),
    ast.FloorDiv: ast.Div(),
    ast.Mod: ast.FloorDiv(),
    ast.Pow: ast.Mult(),
}
MOST = 200
"""Mutants of one source; an answer has a few dozen."""


def mutants(source: str) -> tuple[str, ...]:
    """Return variants of a cell's code with one mistake each, in order, no two the same; none for what is no Python.

    They have no comments. Whether a mistake makes a difference is for the tests to find out.
    """
    module = tree(source)
    if module is None:
        return ()
    written = WRITEFILE.match(source)
    head = written[0] if written else ""
    try:
        same = ast.unparse(module)
        made = dict.fromkeys(text for _, text in zip(range(MOST), _variants(module), strict=False) if text != same)
    except RecursionError:
        return ()
    return tuple(head + text for text in made)


def _variants(module: ast.Module) -> Iterator[str]:
    loops = {id(inner) for node in ast.walk(module) if isinstance(node, ast.While) for inner in ast.walk(node)}
    for number, node in enumerate(ast.walk(module)):
        for change in _changes(node) if id(node) not in loops else ():  # lest it never end
            changed = copy.deepcopy(module)
            target = next(found for n, found in enumerate(ast.walk(changed)) if n == number)
            change(target)
            yield ast.unparse(ast.fix_missing_locations(changed))


def _changes(node: ast.AST) -> Iterator[Callable[[Any], object]]:
    """What may be done to a copy of a node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
        yield lambda n: n.ops.__setitem__(0, _COMPARED[type(n.ops[0])])
    elif isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
        yield lambda n: setattr(n, "op", _COMPUTED[type(n.op)])
    elif isinstance(node, ast.BoolOp):
        yield lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda n: setattr(n, "value", n.value + 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield lambda n: setattr(n, "value", None)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield lambda n: n.ifs.clear()
    if isinstance(node, ast.FunctionDef) and len(node.body) > 1:
        yield from (_without(place) for place, one in enumerate(node.body) if not isinstance(one, ast.Return))


def _without(place: int) -> Callable[[Any], object]:
    """A statement was forgotten."""
    return lambda n: n.body.pop(place)
