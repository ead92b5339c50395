"""What Python code uses: names, calls, definitions and settings, in order. Code is read, never executed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from coursemill.pure import trees
from coursemill.pure.raw.resolve import OWN, UNKNOWN, Resolver, Value, dotted

SURE = ("ImportError", "ModuleNotFoundError", "AttributeError")
_TAKES_SETTINGS = frozenset({"set", "setdict", "update", "CrawlerProcess", "CrawlerRunner", "Settings"})


@dataclass(frozen=True, slots=True)
class Use:
    """One place in the code where a name, a call, a definition or a setting stands."""

    kind: Literal["name", "import", "call", "defines", "setting"]
    name: str
    line: int
    col: int
    shown: str
    """As a person would name it."""
    call: ast.Call | None = None
    bases: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    """Parameters of a method."""
    beside: frozenset[str] = frozenset()
    """The methods that the class has."""
    tails: Mapping[int | str, str] = field(default_factory=dict)
    """How string arguments end: by position and by keyword."""
    caught: frozenset[str] = frozenset()
    """Exceptions that the code around it expects."""


@dataclass
class Reader(Resolver):
    """Reads the blocks of a note one after the other; what a block binds, the next ones know."""

    caught: frozenset[str] = frozenset()
    uses: list[Use] = field(default_factory=list)

    def read(self, tree: ast.AST) -> list[Use]:
        """Return what the code uses, in order."""
        self.uses = []
        self._visit(tree)
        return self.uses

    def _visit(self, node: ast.AST) -> None:
        method = getattr(self, f"visit_{type(node).__name__.lower()}", None)
        if method is not None:
            method(node)
        else:
            for child in trees.children(node):
                self._visit(child)

    def visit_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported(alias, alias.name)
            bound = alias.name if alias.asname else alias.name.partition(".")[0]
            self.scope[alias.asname or bound] = Value(bound)

    def visit_importfrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(self.names.full(module))
                self._imported(node, module)
                continue
            name = f"{module}.{alias.name}"
            self._imported(alias, name)
            self.scope[alias.asname or alias.name] = Value(name)

    def _imported(self, node: ast.Import | ast.ImportFrom | ast.alias, name: str) -> None:
        parts = name.split(".")
        for n in range(len(parts)):
            at = self.names.full(".".join(parts[: n + 1]))
            self._use("import", at, node, shown=".".join(parts[: n + 1]))

    def visit_assign(self, node: ast.Assign) -> None:
        self._visit(node.value)
        for target in node.targets:
            self._bind(target, node.value)
            self._visit(target)

    def visit_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._visit(node.value)
            self._bind(node.target, node.value)
        elif isinstance(node.target, ast.Name):
            self.scope[node.target.id] = Value(self._instance(node.annotation))
        self._visit(node.annotation)

    def visit_namedexpr(self, node: ast.NamedExpr) -> None:
        self._visit(node.value)
        self._bind(node.target, node.value)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        name = dotted(target)
        if name:
            found = self.resolve(value)
            self.scope[name] = Value(self.names.like.get(found, found), self.tail(value))
            if name.isupper():
                self._use("setting", name, target, shown=name)
            if name == "custom_settings" and isinstance(value, ast.Dict):
                self._settings(value)
        elif isinstance(target, ast.Subscript):
            self._use("name", f"{self.resolve(target.value)}[]=", target, shown=_shown(target.value))
        elif isinstance(target, ast.Tuple | ast.List):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            if len(values) != len(target.elts):
                values = [ast.Constant(None)] * len(target.elts)
            for one, given in zip(target.elts, values, strict=True):
                self._bind(one, given)

    def _settings(self, node: ast.Dict) -> None:
        for key in node.keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isupper():
                self._use("setting", key.value, key, shown=key.value)

    def visit_for(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        self._visit(node.iter)
        several = self.resolve(node.iter)
        made = several[1:-1] if several.startswith("[") else self.names.makes.get(f"{several}[for]", UNKNOWN)
        for name in trees.walk(node.target):
            if isinstance(name, ast.Name):
                self.scope[name.id] = Value(made if name is node.target else UNKNOWN)
        for child in (*getattr(node, "ifs", ()), *getattr(node, "body", ()), *getattr(node, "orelse", ())):
            self._visit(child)

    visit_asyncfor = visit_comprehension = visit_for

    def visit_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        outer, self.scope = self.scope, dict(self.scope)
        for generator in node.generators:
            self._visit(generator)
        for child in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self._visit(child)
        self.scope = outer

    visit_setcomp = visit_generatorexp = visit_dictcomp = visit_listcomp

    def visit_with(self, node: ast.With | ast.AsyncWith) -> None:
        expected: set[str] = set()
        for item in node.items:
            self._visit(item.context_expr)
            if isinstance(item.optional_vars, ast.Name):
                self.scope[item.optional_vars.id] = Value(self.resolve(item.context_expr))
            if isinstance(item.context_expr, ast.Call):
                called = dotted(item.context_expr.func) or ""
                if called.rpartition(".")[2] in ("raises", "assertRaises", "suppress"):
                    expected |= {name for one in item.context_expr.args for name in _exceptions(one)}
        self._body(node.body, expected)

    visit_asyncwith = visit_with

    def visit_try(self, node: ast.Try) -> None:
        caught = {name for handler in node.handlers for name in _exceptions(handler.type)}
        self._body(node.body, caught)
        for handler in node.handlers:
            # what is done instead, where the new way is not there
            self._body(handler.body, caught.intersection(SURE) and {*SURE, "TypeError"})
        self._body([*node.orelse, *node.finalbody], set())

    visit_trystar = visit_try

    def visit_if(self, node: ast.If) -> None:
        self._visit(node.test)
        asks = any(
            (isinstance(one, ast.Name) and one.id == "hasattr")
            or (isinstance(one, ast.Attribute) and one.attr in ("__version__", "VERSION", "version_info"))
            for one in trees.walk(node.test)
        )
        self._body([*node.body, *node.orelse], {"*"} if asks else set())

    def _body(self, statements: Iterable[ast.stmt], caught: set[str] | frozenset[str]) -> None:
        before, self.caught = self.caught, self.caught | caught
        for statement in statements:
            self._visit(statement)
        self.caught = before

    # Functions and classes ---------------------------------------------------------------------------------------

    def visit_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, first: str = "") -> None:
        for child in (*getattr(node, "decorator_list", ()), *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self._visit(child)
        outer = self.scope
        self.scope = dict(outer)
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for n, parameter in enumerate(every):
            if parameter.annotation is not None:
                self._visit(parameter.annotation)
            known = first if n == 0 and first else self._instance(parameter.annotation)
            self.scope[parameter.arg] = Value(known)
        if isinstance(node, ast.Lambda):
            self._visit(node.body)
        else:
            for statement in node.body:
                self._visit(statement)
        bound = {name: value for name, value in self.scope.items() if name.startswith("self.")}
        self.scope = outer
        self.scope.update(bound)
        if not isinstance(node, ast.Lambda):
            self.scope[node.name] = Value(f"{UNKNOWN}()")

    visit_asyncfunctiondef = visit_lambda = visit_functiondef

    def visit_classdef(self, node: ast.ClassDef) -> None:
        for child in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self._visit(child)
        bases = tuple(self.resolve(base).removesuffix(OWN) for base in node.bases)
        base = next((one for one in bases if not one.startswith(UNKNOWN)), "")
        made = self.names.makes.get(base, base)
        methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        outer, self.scope = self.scope, dict(self.scope)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                takes = tuple(one.arg for one in (*statement.args.args, *statement.args.kwonlyargs))
                given = len(statement.args.args) - len(statement.args.defaults)
                required = takes[: max(given, 0)]
                shown = f"{node.name}.{statement.name}"
                self.uses.append(
                    Use(
                        "defines", statement.name, statement.lineno, statement.col_offset + 1, shown,
                        bases=bases, takes=required, beside=frozenset(methods), caught=self.caught,
                    )
                )  # fmt: skip
                self.visit_functiondef(statement, made or UNKNOWN)
            else:
                self._visit(statement)
        bound = {name: value for name, value in self.scope.items() if name.startswith("self.")}
        self.scope = outer
        self.scope.update(bound)
        self.scope[node.name] = Value(f"{base or f'.{node.name}'}{OWN}")

    def _instance(self, annotation: ast.expr | None) -> str:
        if annotation is None:
            return UNKNOWN
        if isinstance(annotation, ast.BinOp):  # X | None
            annotation = annotation.left
        name = self.resolve(annotation)
        return UNKNOWN if name.startswith((UNKNOWN, "[")) else self.names.makes.get(name, name)

    # Expressions -------------------------------------------------------------------------------------------------

    def visit_call(self, node: ast.Call) -> None:
        self._visit(node.func)
        tails: dict[int | str, str] = {}
        arguments: dict[int | str, ast.expr] = {
            **dict(enumerate(node.args)),
            **{k.arg or "": k.value for k in node.keywords},
        }
        for key, argument in arguments.items():
            tail = self.tail(argument)
            if tail is not None:
                tails[key] = tail
        name = self.resolve(node.func)
        self._use("call", name, node.func, shown=_shown(node.func), call=node, tails=tails)
        given = (*node.args, *(keyword.value for keyword in node.keywords))
        for argument in given if name.rpartition(".")[2] in _TAKES_SETTINGS else ():
            if isinstance(argument, ast.Dict):
                self._settings(argument)
            elif isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value.isupper():
                self._use("setting", argument.value, argument, shown=argument.value)
        for child in given:
            self._visit(child)

    def visit_attribute(self, node: ast.Attribute) -> None:
        self._visit(node.value)
        name = self.resolve(node)
        if name != UNKNOWN:
            self._use("name", name, node, shown=_shown(node))

    def visit_name(self, node: ast.Name) -> None:
        if node.id not in self.scope and isinstance(node.ctx, ast.Load):
            name = self.resolve(node)
            if name != UNKNOWN:
                self._use("name", name, node, shown=node.id)

    def _use(
        self,
        kind: Literal["name", "import", "call", "defines", "setting"],
        name: str,
        node: ast.AST,
        *,
        shown: str,
        call: ast.Call | None = None,
        tails: Mapping[int | str, str] | None = None,
    ) -> None:
        line, col = place(node)
        self.uses.append(Use(kind, name, line, col, shown, call, tails=tails or {}, caught=self.caught))


def place(node: ast.AST) -> tuple[int, int]:
    """Line and column where the last part of a name stands: a chain of calls goes over many lines."""
    if isinstance(node, ast.Attribute) and node.end_lineno != node.lineno:
        return node.end_lineno or node.lineno, (node.end_col_offset or 0) - len(node.attr) + 1
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1


def _shown(node: ast.expr) -> str:
    """`np.product`, or `.append` of something longer."""
    written = dotted(node)
    if written:
        return written
    return f".{node.attr}" if isinstance(node, ast.Attribute) else "this"


def _exceptions(node: ast.expr | None) -> Iterator[str]:
    if node is None:
        return
    if isinstance(node, ast.Tuple):
        for one in node.elts:
            yield from _exceptions(one)
    elif name := dotted(node):
        yield name.rpartition(".")[2]
