"""How many statements a cell executes: a pass counts only with them, for a notebook of comments proves nothing."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

MAGIC = re.compile(r"^(\s*)(?:[%!].*|[^\s#'\"=(]+\?{1,2}\s*)$", re.MULTILINE)
ASSIGNED_MAGIC = re.compile(r"^(\s*[\w., ]+=\s*)[%!].*$", re.MULTILINE)
WRITES = re.compile(r"\s*%%(?:writefile|file)\b")


@lru_cache(maxsize=256)  # who looks at a note asks for the same cells again
def count(source: str) -> int:
    """Count the top-level statements of a cell.

    A magic, a shell line and a whole `%%` cell count as one; strings, `...` and `pass` alone as none, and so does
    a file that is only written; a cell that Python cannot parse counts as one when it holds anything but comments.
    """
    if WRITES.match(source):
        return 0
    if source.lstrip().startswith("%%"):
        return 1 if source.strip().partition("\n")[2].strip() or _line_magic(source) else 0
    body = _body(source)
    if body is None:
        return int(any(line.strip() and not line.lstrip().startswith("#") for line in source.splitlines()))
    return sum(not _idle(statement) for statement in body)


def imports(source: str) -> int:
    """Count those of a cell's statements that only import something."""
    if source.lstrip().startswith("%%"):
        return 0
    return sum(isinstance(statement, ast.Import | ast.ImportFrom) for statement in _body(source) or ())


def _body(source: str) -> list[ast.stmt] | None:
    """The statements of a cell, its magics among them; None when Python cannot parse it."""
    return _parsed(source) or _parsed(MAGIC.sub(r"\1magic()", ASSIGNED_MAGIC.sub(r"\1magic()", source)))


def _parsed(source: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return statement.value.value is ... or isinstance(statement.value.value, str)
    return isinstance(statement, ast.Pass)


def _line_magic(source: str) -> bool:
    """`%%time x` runs its own line even when no more follows."""
    return len(source.split()) > 1
