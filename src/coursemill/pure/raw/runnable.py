"""Why a Python block cannot run where it stands in its note, as far as that is certain; nothing is executed.

Modules that are not installed are no reason, and neither are files and servers that may be missing: a run tells.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache

from coursemill.pure import python, trees

GIVEN = frozenset(dir(builtins)) - {"exit", "quit"} | {
    "__name__", "__doc__", "_", "__", "___", "In", "Out", "display", "exit", "get_ipython", "quit",
}  # fmt: skip
"""Names that every notebook has."""
TAKES_ELLIPSIS = frozenset(
    {"Body", "Cookie", "Depends", "Field", "File", "Form", "Header", "Path", "Query", "isinstance"}
)
"""Callables to which `...` is a value like others, mostly FastAPI's and pydantic's."""
LEFT_OPEN = re.compile(r"\[(?:copy|paste|insert|put|add|enter|fill|your|same|the)\b[^\]\n]*\]", re.IGNORECASE)
"""`[Copy the page from above]` in a text."""
_MAGIC = re.compile(r"import[ \t(]*\*|\b(?:exec|globals|locals|run_line_magic)\b|^[ \t]*%", re.MULTILINE)
NAMED = 3
"""Names that a reason tells."""


@dataclass
class Names:
    """What the blocks above leave in the notebook."""

    bound: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    """Names whose value the note leaves out: `model = ...`."""
    shown: set[str] = field(default_factory=set)
    """Names that only code defines which is not run."""
    any: bool = False
    """A star import brought names that nobody knows here."""
    needs: dict[str, frozenset[str]] = field(default_factory=dict)
    """Function → names that it uses when it is called."""

    def run(self, code: str) -> None:
        """Take over what a block binds that is run."""
        for statement in _statements(code):
            self.take(statement)

    def take(self, statement: _Statement) -> None:
        """Take over what one statement of a block binds."""
        found = statement.binds.keys() | statement.globals
        self.bound |= found
        self.shown -= found
        self.open = (self.open - found) | statement.open
        self.any = self.any or statement.anything
        self.needs |= dict(statement.functions)

    def show(self, code: str) -> None:
        """Remember what a block would bind that is not run."""
        for statement in _statements(code):
            self.shown |= statement.binds.keys() - self.bound

    def copy(self) -> Names:
        return Names(set(self.bound), set(self.open), set(self.shown), self.any, dict(self.needs))


def why_not(code: str, names: Names) -> str:
    """Say why `code` cannot run when `names` are what stands above it; empty when it can, or may."""
    return attempt(code, names)[0]


def attempt(code: str, names: Names) -> tuple[str, Names]:
    """Say why `code` cannot run (see `why_not`), and what stands there when it is run nevertheless."""
    tree = python.tree(code)
    if tree is None:
        return "the code does not parse", names
    if any(isinstance(node, ast.ImportFrom) and node.level for node in (trees.walk(tree) if "from" in code else ())):
        return "a relative import works only in a file of a package", names
    here = names.copy()
    missing: dict[str, str] = {}
    for statement in _statements(code):
        if statement.gap:
            return "parts of it are left out", names
        for name in _used(statement, here):
            if name in here.open:
                missing.setdefault(name, "open")
            elif name not in here.bound and name not in GIVEN and name not in statement.inside and not here.any:
                missing.setdefault(name, "shown" if name in here.shown else "nowhere")
        here.take(statement)
        if statement.unpacks_nothing:
            missing |= dict.fromkeys(statement.binds, "open")
    return _reason(missing) or _not_in_a_notebook(code, tree), here


def needed(code: str) -> frozenset[str]:
    """Names that `code` uses and does not bind itself before."""
    found: set[str] = set()
    bound: set[str] = set()
    for statement in _statements(code):
        found |= {name for name in statement.loads if name not in bound}
        for _, needs in statement.functions:
            found |= needs - bound
        bound |= statement.binds.keys()
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a statement of a block does with names, whatever stands above the block."""

    binds: Mapping[str, None]
    """Names in their order."""
    inside: Set[str]
    """Names that it binds before it uses them."""
    loads: tuple[str, ...]
    functions: tuple[tuple[str, frozenset[str]], ...]
    """What may be called later, with the names that it uses then."""
    globals: frozenset[str]
    open: frozenset[str]
    """Names whose value it leaves out."""
    gap: bool
    anything: bool
    """It may bind names that nobody knows here."""
    unpacks_nothing: bool
    expects_name_error: bool


@lru_cache(maxsize=128)  # a pass over a note asks for a block several times, and the next pass again
def _statements(code: str) -> tuple[_Statement, ...]:
    """The statements of a block; what its text has no sign of is not looked for."""
    tree = python.tree(code)
    if tree is None:
        return ()
    again = _bound_again(tree) if LEFT_OPEN.search(code) else frozenset[str]()
    gaps, has_global, magic = "..." in code, "global " in code, _MAGIC.search(code) is not None
    found = []
    for statement in tree.body:
        binds = dict.fromkeys(_binds(statement))
        compound = hasattr(statement, "body") or isinstance(statement, ast.Match)
        found.append(
            _Statement(
                binds=binds,
                inside=binds.keys() if compound else frozenset(_walrus(statement) if ":=" in code else ()),
                loads=tuple(_loads(statement)),
                functions=tuple((name, _needs(node)) for name, node in _functions(statement)),
                globals=frozenset(_globals(statement) if has_global else ()),
                open=frozenset(_left_open(statement, again)),
                gap=gaps and _has_gap(statement),
                anything=magic and _brings_anything(statement),
                unpacks_nothing=_unpacks_nothing(statement),
                expects_name_error=_expects_name_error(statement),
            )
        )
    return tuple(found)


def _reason(missing: dict[str, str]) -> str:
    for kind, text in (
        ("open", "{names} {stand}"),
        ("nowhere", "nothing above defines {names}"),
        ("shown", "it needs {names} from code that is not run"),
    ):
        found = [name for name, how in missing.items() if how == kind]
        if found:
            stand = "stands only for a value that is left out"
            if len(found) > 1:
                stand = "stand only for values that are left out"
            return text.format(names=_listed(found), stand=stand)
    return ""


def _listed(names: list[str]) -> str:
    shown = names[:NAMED] + (["others"] if len(names) > NAMED else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _used(statement: _Statement, names: Names) -> Iterator[str]:
    """Names that a statement uses when it is executed, also in the functions that it names."""
    if statement.expects_name_error:
        return
    todo, done = [*statement.loads], set()
    while todo:
        name = todo.pop(0)
        if name in done:
            continue
        done.add(name)
        yield name
        if name in names.needs and name not in names.shown:
            todo += sorted(names.needs[name])


def _loads(statement: ast.AST) -> Iterator[str]:
    """Names that are read in the scope in which `statement` stands, in their order."""
    for node in _outside(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.ClassDef):
            own = {n.id for n in trees.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
            own |= {name for child in trees.children(node) for name in _binds(child)}
            yield from (name for child in trees.children(node) for name in _loads(child) if name not in own)


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of `node` that are executed in its own scope, in their order: no bodies of functions."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += reversed([*one.decorator_list, *one.args.defaults, *filter(None, one.args.kw_defaults)])
        elif not isinstance(
            one, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.ClassDef
        ):
            todo += reversed(trees.children(one))


def _binds(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds in the scope in which it stands."""
    for one in _outside(node):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield one.name
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id
        elif isinstance(one, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in one.names)
        elif isinstance(one, ast.ExceptHandler | ast.MatchStar | ast.MatchAs) and one.name:
            yield one.name
        elif isinstance(one, ast.MatchMapping) and one.rest:
            yield one.rest
        elif isinstance(one, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            yield from (n.target.id for n in trees.walk(one) if isinstance(n, ast.NamedExpr))


def _functions(statement: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """What may be called later: functions, and classes by their `__init__`."""
    for node in _outside(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                    yield node.name, inner


def _needs(function: ast.AST) -> frozenset[str]:
    """Names that a function's body reads and does not bind."""
    own: set[str] = set()
    read: set[str] = set()
    for node in trees.walk(function):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else own).add(node.id)
        elif isinstance(node, ast.arg):
            own.add(node.arg)
    own |= {name for node in trees.walk(function) if node is not function for name in _binds(node)}
    return frozenset(read - own - GIVEN)


def _left_open(statement: ast.stmt, again: Set[str]) -> Iterator[str]:
    """Names to which `...` is assigned, or a text such as `[Copy it from above]` that nothing replaces."""
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if value is None:
        return
    text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    if _has_gaps(value):
        yield from _binds(statement)
    elif LEFT_OPEN.search(text):
        yield from (name for name in _binds(statement) if name not in again)


def _bound_again(tree: ast.Module | None) -> frozenset[str]:
    """Names that a block binds more than once."""
    stored = Counter(
        node.id
        for node in (trees.walk(tree) if tree else ())
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    return frozenset(name for name, count in stored.items() if count > 1)


def _globals(statement: ast.stmt) -> Iterator[str]:
    """Names that functions bind for everybody when they are called."""
    for node in trees.walk(statement):
        if isinstance(node, ast.Global):
            yield from node.names


def _walrus(statement: ast.stmt) -> Iterator[str]:
    return (node.target.id for node in trees.walk(statement) if isinstance(node, ast.NamedExpr))


def _brings_anything(statement: ast.stmt) -> bool:
    """Whether a star import, `exec` or a magic such as `%run` may bind names that nobody knows here."""
    for node in trees.walk(statement):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Call) and _called(node) in {"exec", "run_line_magic", "globals", "locals"}:
            return True
    return False


def _unpacks_nothing(statement: ast.stmt) -> bool:
    """Whether `...` is to be unpacked: `x, y = ...`."""
    if not isinstance(statement, ast.Assign) or not _is_gap(statement.value):
        return False
    return any(isinstance(target, ast.Tuple | ast.List) for target in statement.targets)


def _has_gap(statement: ast.stmt) -> bool:
    """Whether `...` stands where the statement needs a value: `Sequential([...])`, `fit(x, epochs=...)`."""
    for node in _outside(statement):
        if not isinstance(node, ast.Call) or _called(node) in TAKES_ELLIPSIS:
            continue
        given = [*node.args, *(k.value for k in node.keywords if k.arg not in ("default", "factory"))]
        if any(_has_gaps(one) for one in given):
            return True
    return False


def _has_gaps(node: ast.expr) -> bool:
    """Whether a value is `...`, or a list or dict that holds one, however deep."""
    todo = [node]
    while todo:
        one = todo.pop()
        if _is_gap(one):
            return True
        if isinstance(one, ast.List | ast.Tuple | ast.Set):
            todo += one.elts
        elif isinstance(one, ast.Dict):
            todo += one.values
    return False


def _is_gap(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _called(node: ast.Call) -> str:
    func = node.func
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _expects_name_error(statement: ast.stmt) -> bool:
    """Whether a missing name is what the statement is about."""
    handlers = statement.handlers if isinstance(statement, ast.Try) else []
    caught: Set[str] = {n.id for h in handlers if h.type for n in trees.walk(h.type) if isinstance(n, ast.Name)}
    return "NameError" in caught


def _not_in_a_notebook(code: str, tree: ast.Module) -> str:
    """Say what a script can do and a notebook that nobody sits at cannot."""
    if "input" not in code and "asyncio" not in code:
        return ""
    own = {name for statement in tree.body for name in _binds(statement)}
    for node in (node for statement in tree.body for node in _outside(statement) if isinstance(node, ast.Call)):
        if isinstance(node.func, ast.Name) and node.func.id == "input" and "input" not in own:
            return "it asks for input"
        owner = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "run" else None
        if isinstance(owner, ast.Name) and owner.id == "asyncio":
            return "a notebook has an event loop already: it takes await where a script takes asyncio.run"
    return ""
