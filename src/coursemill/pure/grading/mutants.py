"""Small mistakes in code, as students make them: one each, by its syntax."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random
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


def mutants(source: str) -> tuple[str, ...]:
    """Return variants of a cell's code with one mistake each, in order, no two the same; none for what is no Python.

    They have no comments. Whether a mistake makes a difference is for the tests to find out.
    """
    made = dict.fromkeys(_changed(source, place) for place in range(len(_places(source))))
    return tuple(text for text in made if text)


def mutant(source: str, chance: Random) -> str:
    """Return one of the mutants; empty when there are none."""
    places = list(range(len(_places(source))))
    chance.shuffle(places)
    return next((text for place in places if (text := _changed(source, place))), "")


def _changed(source: str, place: int) -> str:
    """The code with the change at one of its places; empty when that makes no other code."""
    module, same = tree(source), tree(source)
    if module is None or same is None:
        return ""
    written = WRITEFILE.match(source)
    try:
        node, change = list(_found(module))[place]
        change(node)
        text = ast.unparse(ast.fix_missing_locations(module))
        return "" if text == ast.unparse(same) else (written[0] if written else "") + text
    except RecursionError:
        return ""


@lru_cache(maxsize=1024)
def _places(source: str) -> tuple[str, ...]:
    """The kind of each node that something can be done to, as often as there are ways."""
    module = tree(source)
    try:
        return tuple(type(node).__name__ for node, _ in _found(module)) if module else ()
    except RecursionError:
        return ()


def _found(module: ast.Module) -> Iterator[tuple[ast.AST, Callable[[Any], object]]]:
    """Each node with each thing that can be done to it; loops are left alone, lest they never end."""
    loops = {id(inner) for node in ast.walk(module) if isinstance(node, ast.While) for inner in ast.walk(node)}
    for node in ast.walk(module):
        if id(node) not in loops:
            yield from ((node, change) for change in _changes(node))


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
