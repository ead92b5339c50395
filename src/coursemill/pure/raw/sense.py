"""Whether a comment that parses as Python means code: `model.fit(x)` does, `Pricing` and `a, b and c` do not."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence, Set
from typing import Literal

from coursemill.pure import trees

Sense = Literal["code", "unclear", "prose"]
"""`unclear`: code only where the lines around it say so, by their indentation."""
BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__file__", "self", "cls"}

_KEYWORD = (
    r"(?:print|in|and|or|not|is|if|else|await|lambda|return|yield|assert|del|for|except|while|with|raise|from|import|as"
    r"|elif|case|match)\b"
)
_SPACED = re.compile(rf"[\w\])]\.[ \t]+\w|\w[ \t]+\.\w|(?<![\w.])(?!{_KEYWORD})[A-Za-z_]\w*[ \t]+\(")
"""Blanks where code has none: `e.g. f(x)`, `Prices (USD)`."""
_STRINGS = re.compile(r"\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
_TYPES = frozenset({
    "int", "str", "float", "bool", "bytes", "complex", "list", "dict", "set", "tuple", "frozenset", "object", "type",
    "None", "Any", "Optional", "Union", "Callable", "Iterable", "Iterator", "Sequence", "Mapping", "Path", "Decimal",
    "datetime", "date", "timedelta",
})  # fmt: skip
_LABELS = frozenset({
    "note", "notes", "todo", "fixme", "xxx", "hint", "tip", "warning", "caution", "important", "example", "examples",
    "output", "outputs", "result", "results", "returns", "expected", "usage", "default", "see", "type", "input", "step",
    "pylint", "mypy", "ruff", "flake8", "fmt", "isort", "cython", "distutils", "pragma", "yapf", "nosec", "coding",
})  # fmt: skip
_SHOWN = frozenset({
    "array", "tensor", "Tensor", "Row", "Timestamp", "Timedelta", "Counter", "OrderedDict", "defaultdict", "deque",
    "Decimal", "Fraction", "Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "dict_keys", "dict_values",
    "dict_items", "matrix", "mappingproxy", "namespace", "range", "Namespace", "datetime", "date", "timedelta",
    "PosixPath", "WindowsPath", "Response", "Match", "Categorical", "StructType", "StructField",
})  # fmt: skip
"""What values look like when they are printed; as statements, such calls do nothing."""


def sense(code: str, statements: Sequence[ast.stmt], known: Set[str], *, inside: bool = False) -> Sense:
    """Say what `code`, which parses as `statements`, is likely to be.

    `known` are the names of the code around it; `inside` a body, a keyword says more than at the margin.
    """
    if not statements:
        return "prose"
    if inside and isinstance(statements[0], ast.Delete | ast.Assert | ast.Raise | ast.Assign):
        return "code"
    plain = "\n" not in code and isinstance(statements[0], ast.Expr)
    spaced = _SPACED.search(_STRINGS.sub('""', code)) if plain else None
    if spaced and known.isdisjoint(_names(statements)):
        return "prose"
    found = [_statement(statement, known) for statement in statements]
    if "prose" in found:
        return "prose"
    return "unclear" if "unclear" in found else "code"


def _names(statements: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        for node in trees.walk(statement):
            if isinstance(node, ast.Name):
                yield node.id


def _statement(node: ast.stmt, known: Set[str]) -> Sense:
    if isinstance(node, ast.Expr):
        return _expression(node.value, known)
    if isinstance(node, ast.Assign):
        return _assigned(node, known)
    if isinstance(node, ast.AnnAssign):
        return _annotated(node, known)
    if isinstance(node, ast.Return | ast.Global | ast.Nonlocal | ast.Pass | ast.Break | ast.Continue):
        return "code"  # they stand only where they can: in functions and loops, or in a body
    if isinstance(node, ast.Delete):
        return "unclear" if any(isinstance(t, ast.Name) and t.id not in known for t in node.targets) else "code"
    if isinstance(node, ast.Assert):
        return "unclear" if isinstance(node.test, ast.Name) and node.test.id not in known else "code"
    if isinstance(node, ast.Raise):
        raised = node.exc.id if isinstance(node.exc, ast.Name) else ""
        return "unclear" if raised[:1].islower() and raised not in known else "code"
    if isinstance(node, ast.If | ast.While | ast.For | ast.With) and node.body[0].lineno == node.lineno:
        return _worst(_statement(child, known) for child in node.body)
    return "code"


def _worst(found: Iterator[Sense]) -> Sense:
    seen = set(found)
    return "prose" if "prose" in seen else "unclear" if "unclear" in seen else "code"


def _assigned(node: ast.Assign, known: Set[str]) -> Sense:
    """`key=value` shows a form, where nothing else knows one of the two names."""
    target, value = node.targets[0], node.value
    if (
        not isinstance(target, ast.Name)
        or not isinstance(value, ast.Name)
        or not known.isdisjoint({target.id, value.id})
    ):
        return "code"
    return "unclear" if value.col_offset - (target.end_col_offset or 0) == 1 else "code"


def _annotated(node: ast.AnnAssign, known: Set[str]) -> Sense:
    if isinstance(node.target, ast.Name) and node.target.id.lower() in _LABELS:
        return "prose"
    if not _is_type(node.annotation, known):
        return "prose"
    return "code" if node.value else "unclear"


def _is_type(node: ast.expr, known: Set[str]) -> bool:
    """Whether an annotation looks like a type and not like the words behind a colon."""
    if isinstance(node, ast.Name):
        return node.id in _TYPES or node.id in known or (node.id[:1].isupper() and not node.id.isupper())
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr) and (_is_type(node.left, known) or _is_type(node.right, known))
    if isinstance(node, ast.Constant):
        return node.value is None or (isinstance(node.value, str) and node.value.replace(".", "").isidentifier())
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute | ast.Name)
    return isinstance(node, ast.Attribute)


def _expression(node: ast.expr, known: Set[str]) -> Sense:
    """An expression is a statement's worth where it does something, or shows a part of what is known."""
    if isinstance(node, ast.Await):
        return "code" if isinstance(node.value, ast.Call) or _about(node.value, known) else "unclear"
    if isinstance(node, ast.Yield | ast.YieldFrom):
        return "code"  # only in a function
    if isinstance(node, ast.Call):
        return _call(node, known)
    if isinstance(node, ast.IfExp):
        return "code" if any(isinstance(child, ast.Call) for child in (node.body, node.orelse)) else "unclear"
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
        return "code"
    if isinstance(node, ast.Subscript):
        return "code" if _about(node, known) else "unclear"
    if isinstance(node, ast.BinOp | ast.Compare | ast.BoolOp):
        parts = [child for child in trees.walk(node) if isinstance(child, ast.Subscript | ast.Call)]
        names = {child.id for child in trees.walk(node) if isinstance(child, ast.Name)}
        if parts and names <= known | BUILTINS and not names.isdisjoint(known):
            return "code"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift | ast.LShift):
        return "code" if _about(node.left, known) and _about(node.right, known) else "unclear"
    return "unclear"


def _call(node: ast.Call, known: Set[str]) -> Sense:
    called = node.func
    if isinstance(called, ast.Constant):
        return "prose"
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    if name in _SHOWN and not _about(called, known):
        return "unclear"
    if isinstance(called, ast.Name) and len(called.id) == 1 and called.id not in known:
        return "unclear"  # O(n), f(x)
    if isinstance(called, ast.Name) and called.id not in known and called.id not in BUILTINS:
        plain = node.args and all(isinstance(a, ast.Name) and a.id not in known for a in node.args)
        return "unclear" if plain and not node.keywords and called.id[:1].isupper() else "code"
    return "code"


def _about(node: ast.expr, known: Set[str]) -> bool:
    """Whether an expression begins with a name that is known."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.List | ast.Tuple):
        return all(_about(element, known) for element in node.elts)
    if isinstance(node, ast.BinOp):
        return _about(node.left, known) and _about(node.right, known)
    return isinstance(node, ast.Name) and node.id in known
