"""What a cell brings beside names: modules that it imports, files of code that it writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from coursemill.pure.grading import uses
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.uses import Statement

FILE = re.compile(r"[\w./-]+\.py")
WRITERS = {"open", "write_text", "write_bytes", "copy", "copyfile", "rename", "replace"}


def modules(node: ast.stmt) -> dict[str, str]:
    """Return the names that a statement imports, with their modules."""
    found: dict[str, str] = {}
    for one in ast.walk(node):
        if isinstance(one, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in one.names}
        elif isinstance(one, ast.ImportFrom):
            found |= {alias.asname or alias.name: one.module or "" for alias in one.names}
    return found


def same_imports(item: Item) -> frozenset[str]:
    """Return names that a released cell imports just as the solution does: the instructor's, whoever deletes them."""
    released, solution = (
        {(name, ast.unparse(s.node)) for s in uses.statements(text) for name in s.binds if is_import(s)}
        for text in (item.released, item.source)
    )
    both = (*uses.statements(item.released), *uses.statements(item.source))
    others = {name for s in both if not is_import(s) for name in s.binds}
    return frozenset(name for name, _ in released & solution) - others


def is_import(statement: Statement) -> bool:
    """Whether it does nothing but import."""
    return isinstance(statement.node, ast.Import | ast.ImportFrom)


def files(item: Item) -> Iterator[str]:
    """Give the files of code that an answer seems to write."""
    if file := uses.written(item.source):
        yield file
    nodes = [n for s in uses.statements(item.source) for n in ast.walk(s.node)]
    called = {n.id if isinstance(n, ast.Name) else n.attr for n in nodes if isinstance(n, ast.Name | ast.Attribute)}
    if called & WRITERS:
        texts = (n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
        yield from (text for text in texts if FILE.fullmatch(text))


def is_hidden(statement: Statement, item: Item) -> bool:
    """Whether students do not see all of a statement."""
    lines = range(statement.node.lineno, (statement.node.end_lineno or statement.node.lineno) + 1)
    return not item.hidden.isdisjoint(lines)
