"""Syntax trees, walked quickly: what no rule asks for (operators, contexts of names) is left out."""

from __future__ import annotations

import ast

_PLAIN = frozenset({
    "arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "module", "op", "ops",
    "simple", "type_comment",
})  # fmt: skip
"""Fields that hold no node, or one without anything in it."""
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(name for name in kind._fields if name not in _PLAIN)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
} | {ast.Constant: (), ast.Global: (), ast.Nonlocal: ()}


def walk(node: ast.AST) -> list[ast.AST]:
    """Return `node` and all nodes below it, level by level, as `ast.walk` does."""
    found = [node]
    for one in found:
        if _FIELDS[type(one)]:
            _add(one, found)
    return found


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below `node`, in their order."""
    found: list[ast.AST] = []
    _add(node, found)
    return found


def _add(node: ast.AST, found: list[ast.AST]) -> None:
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += value if None not in value else [one for one in value if one is not None]
        elif isinstance(value, ast.AST):
            found.append(value)
