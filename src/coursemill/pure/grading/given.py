"""What is taken over from a cell without running all of it: some of its statements, each on its line."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from coursemill.pure import python
from coursemill.pure.grading import uses
from coursemill.pure.grading.uses import Statement

MAKERS = {
    *("compile", "namedtuple", "NamedTuple", "partial", "partialmethod", "TypeVar", "NewType", "TypedDict", "Enum"),
    *("itemgetter", "attrgetter", "methodcaller", "lru_cache", "cache", "wraps", "make_dataclass", "new_class"),
    *("vectorize", "frompyfunc", "singledispatch", "Template", "getLogger", "count", "cycle"),
}
"""Callables that make functions, classes and the like: nothing that a test could look at by value."""
SETTINGS = {
    *("seed", "set_seed", "set_random_seed", "manual_seed", "set_option", "set_printoptions", "use_deterministic"),
    *("filterwarnings", "simplefilter", "setLevel", "disable", "setlocale", "setrecursionlimit", "set_floatx"),
    *("setdefault", "insert", "append", "extend", "update", "use", "register", "setcontext"),
}
"""Methods of modules, and of what is in them (`sys.path`, `os.environ`), that say how others shall work."""


def reduced(source: str, names: Collection[str]) -> str:
    """Return the imports, definitions and constants of a cell that `names` need; all other lines are empty.

    Of definitions that depend on each other all are kept, of `from x import *` and `%run` each, and what sets a
    needed module up: `np.random.seed(1)`, `sys.path.append("lib")`. Data that they depend on are computed only if
    they are among `names`, or stand there.
    """
    return written(source, [s for s in needed(uses.statements(source), names) if _is_light(s, names)])


def needed(statements: Iterable[Statement], names: Collection[str]) -> list[Statement]:
    """Return all the statements that `names` need, in order."""
    wanted, kept = set(names), []
    for statement in reversed(list(statements)):
        if _is_wanted(statement, wanted):
            kept.append(statement)
            wanted |= statement.reads
    return kept[::-1]


def rebuilt(statement: Statement) -> bool:
    """Whether a value is made anew rather than copied: a function without a name, a compiled pattern."""
    value = getattr(statement.node, "value", None)
    return isinstance(statement.node, ast.Assign | ast.AnnAssign) and _makes(value)


def called(statement: Statement) -> str:
    """Return the name of the function whose result the statement gives a name to."""
    value = getattr(statement.node, "value", None)
    if not isinstance(statement.node, ast.Assign | ast.AnnAssign) or not isinstance(value, ast.Call):
        return ""
    return value.func.id if isinstance(value.func, ast.Name) else ""


def constant(statement: Statement) -> bool:
    """Whether the statement does nothing but give names to data that stand in it."""
    value = getattr(statement.node, "value", None)
    if not isinstance(statement.node, ast.Assign | ast.AnnAssign) or value is None:
        return False
    refused = ast.Call | ast.Await | ast.Lambda | ast.NamedExpr | ast.Attribute | ast.Subscript | uses.Comprehension
    return not statement.stores and not any(isinstance(n, refused) for n in ast.walk(value))


def written_file(source: str) -> str:
    """Return code that writes the file which the cell writes by `%%writefile`; empty if it does not."""
    found = uses.WRITES.match(source)
    if not found:
        return ""
    path, body = uses.written(source), source[found.end() :]
    mode = "a" if found["append"] else "w"
    body = body if body.endswith("\n") else f"{body}\n"
    return f"with open({path!r}, {mode!r}, encoding='utf-8') as _file:\n    _file.write({body!r})\n"


def _is_light(statement: Statement, names: Collection[str]) -> bool:
    if statement.defines or not statement.binds or not statement.binds.keys().isdisjoint(names):
        return True
    return constant(statement) or rebuilt(statement)


def _is_wanted(statement: Statement, wanted: set[str]) -> bool:
    if isinstance(statement.node, ast.ImportFrom) and statement.node.module == "__future__":
        return True
    if statement.open:
        return True
    if wanted & statement.binds.keys():
        return True
    return _sets_up(statement, wanted)


def _sets_up(statement: Statement, wanted: set[str]) -> bool:
    """`sys.path.append("lib")`, `pd.options.display.width = 80`, `@area.register`: of names that are needed."""
    node = statement.node
    if isinstance(node, uses.Defined):
        return any(isinstance(d, ast.Attribute | ast.Call) and _root(d) in wanted for d in node.decorator_list)
    if isinstance(node, ast.Assign | ast.AugAssign):
        return bool(statement.stores & wanted) and not statement.binds
    called = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(called, ast.Call) or not isinstance(called.func, ast.Attribute):
        return False
    return _root(called.func) in wanted and called.func.attr in SETTINGS


def _makes(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Lambda):
        return True
    if not isinstance(value, ast.Call):
        return False
    function = value.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in MAKERS


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def written(source: str, kept: list[Statement]) -> str:
    """The statements on the lines that they have in the cell, as far as no line holds two of them."""
    lines = python.look(source).source.splitlines()
    spans = [_span(s.node) for s in kept]
    taken = {line: 0 for first, last in spans for line in range(first, last + 1)}
    for statement in uses.statements(source):
        first, last = _span(statement.node)
        for line in range(first, last + 1):
            if line in taken:
                taken[line] += 1
    if any(count > 1 for count in taken.values()):  # `a = 1; import b`
        return "\n".join(ast.unparse(s.node) for s in kept)
    text = [line if number in taken else "" for number, line in enumerate(lines, start=1)]
    return "\n".join(text).rstrip()


def _span(node: ast.stmt) -> tuple[int, int]:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    return first, node.end_lineno or node.lineno
