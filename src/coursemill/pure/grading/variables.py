"""The variables that a function has for itself: nobody outside of it can tell what they are called."""

from __future__ import annotations

import ast
import builtins

BUILTINS = frozenset(dir(builtins))
LOOKING = frozenset({"locals", "eval", "exec", "vars", "dir"})
"""Functions that see names."""
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def own(function: ast.FunctionDef) -> tuple[str, ...]:
    """Return a function's own variables in the order of their first mention; none where names are looked at.

    Parameters are not among them, which callers may name, nor what functions inside of it use.
    """
    nodes = list(ast.walk(function))
    if any(isinstance(n, ast.Name) and n.id in LOOKING for n in nodes):
        return ()
    inner = [n for one in nodes if isinstance(one, Scope) and one is not function for n in ast.walk(one)]
    deep = {id(n) for n in inner}
    stored = [
        n
        for n in nodes
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and id(n) not in deep and n.id not in BUILTINS
    ]
    kept = {name for n in nodes if isinstance(n, ast.Global | ast.Nonlocal) for name in n.names}
    kept |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    kept |= {(n.asname or n.name).partition(".")[0] for n in nodes if isinstance(n, ast.alias)}
    kept |= {n.id for n in inner if isinstance(n, ast.Name)}
    ordered = sorted(stored, key=lambda n: (n.lineno, n.col_offset))
    return tuple(dict.fromkeys(n.id for n in ordered if n.id not in kept))


def rename(function: ast.FunctionDef, names: dict[str, str]) -> None:
    """Give variables of a function other names."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in names:
            node.id = names[node.id]
