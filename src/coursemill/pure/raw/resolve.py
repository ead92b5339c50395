"""What an expression stands for: a full name through imports and assignments, or the type of what it gives.

A value is known by the type that made it, which is written as a name, too: after `df = pd.read_csv(…)`, `df.append`
is `pandas.DataFrame.append`. `[T]` is several of T; `?` is what nobody knows; what is not of a library that the rules
know keeps a name that none of them has.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

UNKNOWN = "?"
OWN = "+"
"""Ends the name of a class of the note's own, which stands for its base: what it makes is one, its arguments differ."""
_BUILTINS = frozenset(vars(builtins))
_LITERALS = (
    ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
    ast.JoinedStr, ast.Compare, ast.Lambda,
)  # fmt: skip
_TAILS = frozenset({"join", "Path", "PurePath", "PosixPath", "str", "format"})


@dataclass(frozen=True, slots=True)
class Value:
    """What a name stands for: a full name or type, and how its text ends when it is a string that is known."""

    name: str = UNKNOWN
    tail: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of names before any code is read."""

    aliases: Mapping[str, str]
    same: Mapping[str, str]
    makes: Mapping[str, str]
    parts: Mapping[str, str]
    like: Mapping[str, str]
    """A type that is another one, and more: a frame's column is a series that belongs to it."""
    starred: frozenset[str]
    """Full names that `from module import *` may bring."""

    def full(self, name: str) -> str:
        """`name` by its usual path."""
        if name in self.same:
            return self.same[name]
        head, dot, last = name.rpartition(".")
        if not dot:
            return name
        known = self.full(head)
        joined = f"{known}.{last}" if known != head else name
        return self.same.get(joined, joined)


@dataclass
class Resolver:
    """Knows what names stand for at some place in the code."""

    names: Names
    named: Callable[[str], str]
    """A variable's name → its type, where everybody calls such things so; or `?`."""
    scope: dict[str, Value] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)

    def resolve(self, node: ast.expr) -> str:
        """The full name of an expression, or the type of what it gives; `?` when that is not known."""
        found = self._resolve(node)
        return self.names.full(found) if not found.startswith((UNKNOWN, "[")) else found

    def _resolve(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            value = self.scope.get(dotted(node) or "")
            if value is not None and value.name != UNKNOWN:
                return value.name
            owner = self.resolve(node.value)
            name = f"{UNKNOWN if owner.startswith('[') else owner}.{node.attr}"
            return self.names.parts.get(name, name)
        if isinstance(node, ast.Call):
            return self._made(self.resolve(node.func))
        if isinstance(node, ast.Subscript):
            owner = self.resolve(node.value)
            if isinstance(node.slice, ast.Slice | ast.List | ast.Compare):
                return owner  # a part of the same kind
            return owner[1:-1] if owner.startswith("[") else self.names.makes.get(f"{owner}[]", UNKNOWN)
        if isinstance(node, ast.Await | ast.NamedExpr | ast.Starred):
            return self.resolve(node.value)
        if isinstance(node, _LITERALS) and not (isinstance(node, ast.Constant) and node.value in (None, ...)):
            return "builtins.object()"
        if isinstance(node, ast.BinOp):
            return self.resolve(node.left)
        if isinstance(node, ast.IfExp):
            found = self.resolve(node.body)
            return found if found != UNKNOWN else self.resolve(node.orelse)
        return UNKNOWN

    def _name(self, name: str) -> str:
        value = self.scope.get(name)
        if value is not None and value.name != UNKNOWN:
            return value.name
        if value is None:
            for module in self.stars if name not in _BUILTINS else ():
                if f"{module}.{name}" in self.names.starred:
                    return f"{module}.{name}"
            if name in self.names.aliases:
                return self.names.aliases[name]
            if name in _BUILTINS:
                return f"builtins.{name}"
        return self.named(name)

    def _made(self, called: str) -> str:
        """What comes out of calling `called`: of a library's class, an instance; of others', something of theirs."""
        if called.startswith(UNKNOWN):
            return UNKNOWN
        if called.endswith(OWN):
            base = called.removesuffix(OWN)
            return self.names.makes.get(base, base if not base.startswith(".") else f"{base}()")
        owner, _, method = called.rpartition(".")
        usual = f"{self.names.like[owner]}.{method}" if owner in self.names.like else called
        return self.names.makes.get(usual, f"{called}()")

    def tail(self, node: ast.expr) -> str | None:
        """How the text ends that an expression gives."""
        if isinstance(node, ast.Constant):
            return str(node.value) if isinstance(node.value, str | bool | int) else None
        if isinstance(node, ast.Name | ast.Attribute):
            value = self.scope.get(dotted(node) or "")
            return value.tail if value else None
        if isinstance(node, ast.JoinedStr) and node.values:
            last = node.values[-1]
            return str(last.value) if isinstance(last, ast.Constant) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
            return self.tail(node.right)
        if isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "format" and isinstance(node.func, ast.Attribute):
                return self.tail(node.func.value)
            return self.tail(node.args[-1]) if called in _TAILS else None
        return None


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` of names and attributes alone."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else None
    return None
