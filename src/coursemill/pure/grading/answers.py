"""Which answers are the same: up to formatting, comments, docstrings, and what functions call their own variables."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from coursemill.pure import python
from coursemill.pure.grading import variables
from coursemill.pure.trials import WRITEFILE


@dataclass(frozen=True, slots=True)
class Given:
    """A student's answer to an exercise: the sources of its cells, and what they earned."""

    student: str
    sources: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Declared:
    """An answer that the author foresaw (`role="wrong"`)."""

    name: str
    """`wrong answer 2`."""
    place: str
    """Where it stands in its note."""
    score: float
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Answers that are the same."""

    source: str
    """As most of its students wrote it."""
    students: tuple[str, ...]
    low: float
    """The least that one of them earned."""
    high: float
    declared: Declared | None = None

    @property
    def count(self) -> int:
        return len(self.students)


def clusters(given: Iterable[Given], declared: Sequence[Declared] = ()) -> tuple[Cluster, ...]:
    """Put the same answers together, the most common first."""
    known = {_key(one.sources): one for one in reversed(declared)}
    same: defaultdict[str, list[Given]] = defaultdict(list)
    for one in given:
        same[_key(one.sources)].append(one)
    found = [_cluster(members, known.get(key)) for key, members in same.items()]
    return tuple(sorted(found, key=lambda cluster: (-cluster.count, cluster.students)))


def normal(source: str) -> str:
    """Return a text that is the same for sources that differ in formatting, comments, docstrings and variables alone.

    What is no Python is compared by its lines, without blank ones and those that are comments.
    """
    return _normal(source) if len(source) <= python.MAX_SIZE else hashlib.sha256(source.encode(*_ANY)).hexdigest()


def bare(source: str) -> str:
    """Return the code without comments and docstrings, in which people write their names."""
    found = tree(source)
    written = WRITEFILE.match(source)
    try:
        if found is not None:
            return (written[0] if written else "") + ast.unparse(_Bare().visit(found))
    except RecursionError:
        pass
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("#"))


def tree(source: str) -> ast.Module | None:
    """Return the syntax tree of a cell, also of one that writes a file of Python; None when it is no Python.

    It is the caller's own.
    """
    written = WRITEFILE.match(source)
    return python.parsed(source[written.end() :], cell=False) if written else python.parsed(source)


_ANY = ("utf-8", "surrogatepass")


def _cluster(members: Sequence[Given], declared: Declared | None) -> Cluster:
    texts = Counter("\n\n".join(one.sources) for one in members)
    most = max(texts.values())
    scores = [one.score for one in members]
    return Cluster(
        source=min(text for text, number in texts.items() if number == most),
        students=tuple(sorted(one.student for one in members)),
        low=min(scores),
        high=max(scores),
        declared=declared,
    )


def _key(sources: Iterable[str]) -> str:
    return "\0".join(map(normal, sources))


@lru_cache(maxsize=4096)
def _normal(source: str) -> str:
    found = tree(source)
    if found is None:
        lines = (line.strip() for line in source.splitlines())
        return "\n".join(line for line in lines if line and not line.startswith("#"))
    written = WRITEFILE.match(source)
    head = written["path"] if written else ""
    try:
        same = _Bare().visit(found)
        for node in list(ast.walk(same)):
            if isinstance(node, ast.FunctionDef):
                variables.rename(node, {name: f"variable {n}" for n, name in enumerate(variables.own(node))})
        return f"{head}\n{ast.dump(same)}"
    except RecursionError:
        return source


class _Bare(ast.NodeTransformer):
    """Takes docstrings out, and statements that are only a text."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [s for s in body if not _is_text(s)] or ([ast.Pass()] if not isinstance(node, ast.Module) else [])
        return node


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
