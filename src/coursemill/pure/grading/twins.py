"""Twins of a test: sources that must fail where the test passes, because in each one thing that it expects is another.

A test in a student's kernel cannot be trusted by itself: whoever makes it pass by fooling Python's comparisons, or
by keeping it from running, makes its twins pass, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from coursemill.pure import python

NOTHING = "..."
"""Is equal to nothing but itself, and no test expects it."""
MARK = "\u2047"
FAR = 10**9
ENDLESS = "1e999"
"""Python's float for it is infinite."""
NEVER = "GeneratorExit"
"""An exception that nothing raises where a test waits for one."""
MAKERS = {
    *("set", "frozenset", "list", "tuple", "dict", "sorted", "int", "float", "str", "bytes", "complex", "range"),
    *("array", "asarray", "Series", "DataFrame", "Index", "tensor", "constant", "approx", "Counter", "OrderedDict"),
    *("Decimal", "Fraction", "date", "datetime", "timedelta", "Timestamp", "Path", "PurePath", "Point"),
}
"""What makes an expected value of literals."""
NEAR = {"approx", "isclose", "allclose", "array", "asarray", "Series", "DataFrame", "tensor", "constant"}
"""What may be compared with a tolerance."""
PAIRS = {"isclose", "allclose", "array_equal", "array_equiv", "equals", "equal", "is_", "startswith", "endswith"}
ALL = {"all", "bool", "sum", "len", "item", "assertTrue", "assert_", "true", "numpy"}
BOUNDS = {ast.Lt: f"-{ENDLESS}", ast.LtE: f"-{ENDLESS}", ast.Gt: ENDLESS, ast.GtE: ENDLESS}
FLIPPED = {ast.NotEq: ("!=", "=="), ast.IsNot: ("not", ""), ast.NotIn: ("not", "")}
ASSERTED = {"In": "()", "IsInstance": "()", "Greater": ENDLESS, "Less": f"-{ENDLESS}"}


@dataclass(frozen=True, slots=True)
class _Edit:
    """A piece of the source, by lines and bytes as ast counts them, and what is to stand there."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def twins(source: str) -> tuple[str, ...]:
    """Return the twins of a test, each with as many lines; the most telling ones first, none if it has no asserts.

    Whether each really fails is to be tried: a tolerance may be wide, an assertion may never be reached.
    """
    tree = python.tree(source)
    if tree is None:
        return ()
    edits = [edit for node in _in_order(tree) for edit in _of_statement(node)]
    edits.sort(key=lambda edit: (edit.text == NOTHING) + 2 * edit.text.startswith("(not "))  # what deceives most, first
    lines, seen = source.split("\n"), python.look(source).source.split("\n")
    found = dict.fromkeys(_edited(lines, e) for e in edits if _is_untouched(lines, seen, e))
    return tuple(text for text in found if text != source and not python.look(text).problem)


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    yield tree
    for node in ast.iter_child_nodes(tree):
        yield from _in_order(node)


def _of_statement(node: ast.AST) -> Iterator[_Edit]:
    match node:
        case ast.Assert(test=test):
            yield from _of_condition(test)
        case ast.Expr(value=ast.Call() as call) if _name(call).lower().startswith("assert"):
            yield from _of_call(call)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if isinstance(item.context_expr, ast.Call) and "raises" in _name(item.context_expr).lower():
                    yield from (_put(argument, NEVER) for argument in item.context_expr.args[:1])
        case ast.ExceptHandler(type=ast.expr() as kind):
            yield _put(kind, NEVER)


def _of_condition(test: ast.expr) -> Iterator[_Edit]:
    """What is expected of something that has to be true."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from _of_condition(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _Edit(_start(test), _start(operand), "")
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for before, op, after in zip([left, *comparators], ops, comparators, strict=False):
                yield from _of_comparison(before, op, after)
        case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner) | ast.NamedExpr(value=inner):
            yield from _of_condition(inner)
        case ast.Call():
            yield from _of_true_call(test)
        case ast.BoolOp() | ast.Name() | ast.Attribute() | ast.Subscript() | ast.Await():
            yield _opposite(test)


def _of_true_call(call: ast.Call) -> Iterator[_Edit]:
    name, arguments = _name(call), call.args
    if name in ALL and arguments:
        yield from _of_condition(arguments[0])
    elif name in ALL and isinstance(call.func, ast.Attribute):  # `(a == b).all()`
        yield from _of_condition(call.func.value)
    elif name in ("isinstance", "issubclass") and len(arguments) == 2:
        yield _put(arguments[1], "()")
    elif name == "hasattr" and len(arguments) == 2:
        yield from _literals(arguments[1])
    elif name in PAIRS and arguments:
        yield from _of_pair(arguments[:2], near=name in NEAR)
    else:
        yield _opposite(call)


def _of_call(call: ast.Call) -> Iterator[_Edit]:
    """`self.assertEqual(a, b)`, `np.testing.assert_allclose(a, b)`."""
    name, arguments = _name(call), call.args
    if "raises" in name.lower():
        yield from (_put(argument, NEVER) for argument in arguments[:1])
    elif name in ("assertTrue", "assert_") and arguments:
        yield from _of_condition(arguments[0])
    elif "not" in name.lower() and len(arguments) > 1:
        first = ast.unparse(arguments[0])
        yield _put(arguments[1], f"[{first}]" if name.endswith("In") else first)
    elif len(arguments) > 1:
        known = next((text for key, text in ASSERTED.items() if name.startswith(f"assert{key}")), "")
        if known:
            yield _put(arguments[1], known)
        else:
            yield from _of_pair(arguments[:2], near="close" in name or "lmost" in name)
    elif arguments:
        yield _put(arguments[0], "True" if "False" in name else NOTHING)


def _of_comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> Iterator[_Edit]:
    if type(op) in FLIPPED:
        yield _Edit(_end(left), _start(right), "\0".join(FLIPPED[type(op)]))
    elif type(op) in BOUNDS:
        yield from _of_bound(left, op, right)
    elif isinstance(op, ast.In):
        yield from list(_literals(left))[:1]
        yield _put(right, "()")
    else:
        yield from _of_pair([left, right])


def _of_bound(left: ast.expr, op: ast.cmpop, right: ast.expr) -> Iterator[_Edit]:
    if _name(left) in ("abs", "fabs", "absolute"):  # `abs(x - 3.14) < 0.01`
        yield from _literals(left, near=True)
    if _is_number(left) and not _is_number(right):
        bound = BOUNDS[type(op)]
        yield _put(left, bound.removeprefix("-") if bound.startswith("-") else f"-{bound}")
    elif _name(right) == "set" or isinstance(right, ast.Set):
        yield _put(right, "set()")
    else:
        yield _put(right, BOUNDS[type(op)])


def _of_pair(pair: list[ast.expr], *, near: bool = False) -> Iterator[_Edit]:
    """Two things that have to be equal: the one that is written out is the expected one, else the second."""
    near = near or any(_name(one) in NEAR for one in pair)
    found = [edits for one in reversed(pair) if _is_expected(one) and (edits := list(_literals(one, near=near)))]
    yield from found[0] if found else ()
    yield _put(pair[-1], NOTHING)


def _is_expected(node: ast.expr) -> bool:
    """Whether it is made of literals alone."""
    match node:
        case ast.Constant():
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(map(_is_expected, parts))
        case ast.Dict(keys=keys, values=values):
            return all(_is_expected(part) for part in (*keys, *values) if part)
        case ast.UnaryOp(operand=operand):
            return _is_expected(operand)
        case ast.BinOp(left=left, right=right):
            return _is_expected(left) and _is_expected(right)
        case ast.Call(args=arguments, keywords=keywords):
            parts = [*arguments, *(k.value for k in keywords)]
            return _name(node) in MAKERS and all(map(_is_expected, parts))
    return False


def _literals(node: ast.expr, *, near: bool = False) -> Iterator[_Edit]:
    """Another value for the first and for the last literal in it."""
    found = list(_changed(node, near))
    yield from dict.fromkeys(found[:1] + found[-1:])


def _changed(node: ast.AST, near: bool) -> Iterator[_Edit]:
    match node:
        case ast.Constant(value=value):
            yield _put(node, _other(value, near))
        case ast.List(elts=[]) | ast.Tuple(elts=[]):
            yield _put(node, f"[{NOTHING}]" if isinstance(node, ast.List) else f"({NOTHING},)")
        case ast.Dict(keys=[]):
            yield _put(node, f"{{{NOTHING}: {NOTHING}}}")
        case ast.Dict(values=parts):
            for part in parts:
                yield from _changed(part, near)
        case ast.Call(args=arguments, keywords=keywords) if _name(node) in MAKERS:
            for part in (*arguments, *(k.value for k in keywords)):
                yield from _changed(part, near)
        case ast.Call() if _name(node) not in ("abs", "round", "min", "max"):
            return  # what a call is given is the test's question, not what it expects
        case ast.JoinedStr() | ast.Subscript() | ast.Lambda():
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _changed(child, near)


def _other(value: object, near: bool) -> str:
    if value is None or value is Ellipsis:
        return NOTHING if value is None else "None"
    if isinstance(value, bool):
        return repr(not value)
    if isinstance(value, str):
        return repr(value + MARK)
    if isinstance(value, bytes):
        return repr(value + b"?")
    if isinstance(value, int) and not near:
        return repr(value + 1)
    return repr(value + FAR)  # type: ignore[operator]  # a number is left


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand)
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _name(node: ast.AST) -> str:
    """What a call calls: `np.testing.assert_equal` → `assert_equal`."""
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _put(node: ast.expr, text: str) -> _Edit:
    return _Edit(_start(node), _end(node), text)


def _opposite(node: ast.expr) -> _Edit:
    """Where one change would not do: another alternative may be true."""
    return _put(
        node, f"(not {ast.unparse(node)})" if not isinstance(node, ast.BoolOp) else f"(not ({ast.unparse(node)}))"
    )


def _start(node: ast.expr) -> tuple[int, int]:
    return node.lineno - 1, node.col_offset


def _end(node: ast.expr) -> tuple[int, int]:
    return (node.end_lineno or node.lineno) - 1, node.end_col_offset or 0


def _is_untouched(lines: list[str], seen: list[str], edit: _Edit) -> bool:
    """Whether the place is where ast saw it, and not on a line with a magic that was translated."""
    span = slice(edit.start[0], edit.end[0] + 1)
    return lines[span] == seen[span]


def _edited(lines: list[str], edit: _Edit) -> str:
    (first, begin), (last, end) = edit.start, edit.end
    head, tail = lines[first].encode()[:begin].decode(), lines[last].encode()[end:].decode()
    text = edit.text
    if "\0" in text:  # an operator: what else stands between its operands stays
        old, new = text.split("\0")
        between = "\n".join(lines[first : last + 1])
        text = between[len(head) : len(between) - len(tail)].replace(old, new, 1)
    elif last > first:
        text = f"({text}{chr(10) * (last - first)})" if text else "\n" * (last - first)
    return "\n".join([*lines[:first], head + text + tail, *lines[last + 1 :]])
