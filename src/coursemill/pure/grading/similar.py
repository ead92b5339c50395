"""Submissions that resemble one another more than those of a class do.

Code is compared by fingerprints of its syntax (winnowing: S. Schleimer, D. S. Wilkerson, A. Aiken, "Winnowing: local
algorithms for document fingerprinting", SIGMOD 2003), so that names, comments, formatting and the order of functions
don't count. Only what a submission has for itself is compared: not what the instructor gave, nor what many wrote.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from coursemill.pure.grading.answers import tree

PIECE = 8
"""Pieces of syntax in a fingerprint: shorter likenesses are not seen."""
WINDOW = 4
"""Fingerprints of which one is kept: a likeness of PIECE + WINDOW − 1 pieces is always seen."""
SHORT = 40
"""Pieces of syntax, some five lines: shorter cells are not looked at."""
OWN = 24
"""Fingerprints of its own that a submission needs to be compared at all: some 15 lines that others don't have."""
ALIKE = 0.8
"""Share of the smaller submission's own fingerprints that are in the other one, too."""
COMMON = 0.5
"""Share of a class: what more have is nobody's own."""
FEW = 4
"""In a small class so many may have it."""
_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two submissions that resemble each other."""

    first: str
    second: str
    share: float
    """Of the smaller one's own fingerprints."""
    pieces: int
    """Fingerprints that both have, and few others."""


def pairs(work: Mapping[str, Iterable[str]], instructor: Iterable[str] = ()) -> tuple[Pair, ...]:
    """Return the pairs of students whose code resembles each other's, the most alike first.

    `work` is each student's code, in cells; `instructor` all that the instructor wrote: given code, solutions, tests.
    Time grows with the number of likenesses, not with that of pairs.
    """
    given = tuple(instructor)
    words = _words(given)
    ignored = prints(given, words)
    own = _distinctive({student: prints(cells, words) - ignored for student, cells in work.items()})
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for student, found in own.items():
        for one in found:
            holders[one].append(student)
    found_pairs = (pair for student in own for pair in _of(student, own, holders))
    return tuple(sorted(found_pairs, key=lambda pair: (-pair.share, -pair.pieces, pair.first, pair.second)))


def groups(found: Iterable[Pair]) -> tuple[tuple[str, ...], ...]:
    """Put students together who are linked by pairs, the largest group first."""
    member: dict[str, set[str]] = {}
    for pair in found:
        joined = member.get(pair.first, {pair.first}) | member.get(pair.second, {pair.second})
        member.update(dict.fromkeys(joined, joined))
    unique = {tuple(sorted(joined)) for joined in member.values()}
    return tuple(sorted(unique, key=lambda group: (-len(group), group)))


def prints(cells: Iterable[str], words: frozenset[str] = frozenset()) -> frozenset[int]:
    """Return the fingerprints of code, in which `words` and builtins are the only names that count."""
    return frozenset(one for cell in cells for one in _prints(cell, words))


def _distinctive(own: Mapping[str, frozenset[int]]) -> dict[str, frozenset[int]]:
    """Take out what many have, and then the submissions that have too little left."""
    number = Counter(one for found in own.values() for one in found)
    most = max(FEW, COMMON * len(own))
    common = {one for one, holding in number.items() if holding > most}
    left = {student: found - common for student, found in own.items()}
    return {student: found for student, found in sorted(left.items()) if len(found) >= OWN}


def _of(student: str, own: Mapping[str, frozenset[int]], holders: Mapping[int, Sequence[str]]) -> Iterator[Pair]:
    """The pairs in which `student` has the smaller submission.

    Whoever has ALIKE of its fingerprints must have one of any set that is larger than the rest of them: only the
    rarest so many are looked up.
    """
    mine = own[student]
    enough = int(-(-ALIKE * len(mine) // 1))
    rarest = sorted(mine, key=lambda one: (len(holders[one]), one))[: len(mine) - enough + 1]
    for other in sorted({name for one in rarest for name in holders[one]}):
        if (len(mine), student) < (len(own[other]), other):
            shared = len(mine & own[other])
            if shared >= enough:
                first, second = sorted((student, other))
                yield Pair(first, second, shared / len(mine), shared)


@lru_cache(maxsize=8192)
def _prints(cell: str, words: frozenset[str]) -> frozenset[int]:
    """Nothing for what is short, and for what is no Python."""
    found = tree(cell)
    if found is None:
        return frozenset()
    try:
        units = list(_units(found, words))
    except RecursionError:
        return frozenset()
    long = sum(map(len, units)) >= SHORT
    return frozenset(one for pieces in units for one in _winnowed(pieces)) if long else frozenset()


def _winnowed(pieces: Sequence[str]) -> Iterator[int]:
    """Of each window of fingerprints the smallest."""
    hashes = [_hash(pieces[n : n + PIECE]) for n in range(len(pieces) - PIECE + 1)]
    for n in range(max(1, len(hashes) - WINDOW + 1) if hashes else 0):
        yield min(hashes[n : n + WINDOW])


def _hash(pieces: Sequence[str]) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(pieces).encode("utf-8", "replace"), digest_size=8).digest())


def _units(module: ast.Module, words: frozenset[str]) -> Iterator[list[str]]:
    """The syntax of each function, and of each statement outside of them, as texts in order."""
    names = _Names.of(module, words)
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            waiting.extend(node.body)
        else:
            inner: list[ast.AST] = []
            yield list(_pieces(node, names, inner, top=True))
            waiting.extend(inner)


def _pieces(node: ast.AST, names: _Names, inner: list[ast.AST], *, top: bool = False) -> Iterator[str]:
    """A node's syntax from its root on; functions inside of it are put into `inner`, docstrings left out."""
    if not top and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inner.append(node)
        return
    if isinstance(node, ast.expr_context) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return
    yield f"{type(node).__name__} {names.said(node)}"
    for child in ast.iter_child_nodes(node):
        yield from _pieces(child, names, inner)


@dataclass(frozen=True, slots=True)
class _Names:
    """Which names count."""

    words: frozenset[str]
    """Of the instructor's code."""
    own: frozenset[str]
    """Variables, functions and classes that the code makes itself."""
    members: frozenset[str]
    """Attributes and methods that it makes itself."""
    parameters: frozenset[str]
    """Of its functions."""

    @classmethod
    def of(cls, module: ast.Module, words: frozenset[str]) -> _Names:
        nodes = list(ast.walk(module))
        defined = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
        bound = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        imported = {n.asname for n in nodes if isinstance(n, ast.alias) and n.asname}
        parameters = frozenset(n.arg for n in nodes if isinstance(n, ast.arg))
        members = {n.attr for n in nodes if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load)}
        own = frozenset(defined | bound | imported | parameters) - _BUILTINS
        return cls(words, own, frozenset(defined | members), parameters)

    def said(self, node: ast.AST) -> str:
        """What a node says beside its kind: names of libraries and constants, not names that somebody made up."""
        if isinstance(node, ast.Name):
            known = node.id in _BUILTINS or (node.id in self.words and node.id not in self.own)
            return node.id if known else ""
        if isinstance(node, ast.Attribute):
            return "" if node.attr in self.members else node.attr
        if isinstance(node, ast.keyword):
            return "" if node.arg in self.parameters else str(node.arg)
        if isinstance(node, ast.Constant):
            return repr(node.value)
        if isinstance(node, ast.alias):
            return node.name
        return str(node.module) if isinstance(node, ast.ImportFrom) else ""


def _words(cells: Iterable[str]) -> frozenset[str]:
    """Every name in the instructor's code."""
    found = (node for cell in cells if (module := tree(cell)) for node in ast.walk(module))
    return frozenset(
        node.id if isinstance(node, ast.Name) else node.name
        for node in found
        if isinstance(node, ast.Name | ast.FunctionDef | ast.ClassDef)
    )
