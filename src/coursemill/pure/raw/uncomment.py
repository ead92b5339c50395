"""Commented-out Python made code again: only comment marks are taken away, prose stays a comment."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from coursemill.pure import trees
from coursemill.pure.python import Problem
from coursemill.pure.raw import comments
from coursemill.pure.raw.comments import Line
from coursemill.pure.raw.logical import Item, bare, items, widths
from coursemill.pure.raw.nesting import Node, tree
from coursemill.pure.raw.sense import BUILTINS

_MOST_BANNED, _MOST_TRIED = 12, 30
_MAGIC = re.compile(r"^([ \t]*)(?:(?:[\w., \t]+=[ \t]*)?[%!].*|[\w.]+\?{1,2}[ \t]*)$")
_ELSEWHERE = re.compile(
    r"^\W*(?:either\b|or\b|oder\b|ou\b|o\b|optional(?:ly)?\b|opcional|deprecated\b|wrong\b|bad\b|old\b|legacy\b)"
    r"|\b(?:alternativ\w*|instead|deprecated|do not|don'?t|never|avoid|not recommended|uncomment|no longer|outdated|"
    r"to (?:enable|disable|activate) |terminal|command line|another (?:way|option)|would (?:fail|raise)|raises?\b)"
    r"|\b(?:in|into|to)\b[^.]*\b\w+\.(?:py|cfg|ini|toml|ya?ml|json|sh|env)\b",
    re.IGNORECASE,
)
"""Words above a run of commented code that say that it does not belong to what is above."""


def live(text: str) -> str:
    """Return a Python block with its commented-out code made code again, line for line.

    A line changes only by losing its `#` and one blank behind it. Prose stays a comment, and so does what is only
    an alternative: commented code in a block that is mostly live (unless it goes on with what is above, at the
    block's end), and comments in comments (unless a body would hold nothing else). Magics and shell lines stay
    comments, too: they need IPython, and most of them a network. What parses, parses afterwards; when nothing
    helps, `text` is returned. `live(live(x)) == live(x)`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while True:
            changed = _step(text)
            if changed == text:
                return text
            text = changed


@lru_cache(maxsize=128)
def parsed(text: str) -> Sequence[ast.stmt] | None:
    """Return the statements of a block of Python, `pass` for magics and shell lines; None when it does not parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = _parsed(text)
        return tree if tree is not None or (python := _python(text)) == text else _parsed(python)


@lru_cache(maxsize=256)
def problem(text: str) -> Problem | None:
    """Say where a block of Python does not compile, and why; None when it does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = _compiled(text)
        if wrong is not None and (python := _python(text)) != text:
            return _compiled(python)
        return wrong


def _parsed(text: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


@dataclass(frozen=True)
class _Block:
    text: str
    lines: Sequence[Line]
    items: Sequence[Item]
    known: Set[str]
    widths: dict[int, int]


@lru_cache(maxsize=512)  # everything that looks at a raw note asks for the same blocks, and for what they become
def _step(text: str) -> str:
    if "#" not in text:
        return text
    lines = comments.lines(text)
    before = _quality(text)
    found = items(lines, broken=not before)
    if all(item.live for item in found):
        return text
    known = _known(found)
    block = _Block(text, lines, found, known, widths(lines))
    nodes = tree(found, known)
    chosen = _chosen(block, nodes)
    result = _settled(block, chosen, before)
    if result == text and not before and chosen is not nodes:
        result = _settled(block, nodes, before)
    return result


def _known(found: Sequence[Item]) -> frozenset[str]:
    """The names that statements bind; one that nothing else mentions is not among them, unless it stands alone."""
    binds = [{*_bound(item.statements)} for item in found]
    seen = Counter(name for item, own in zip(found, binds, strict=True) for name in own.union(_used(item.statements)))
    bound = set[str]().union(*binds)
    return frozenset(name for name in bound if seen[name] > 1 or len(found) == 1)


def _chosen(block: _Block, nodes: list[Node]) -> list[Node]:
    """What of the tree becomes live: all of it, or, when most of it is, what is missing and what goes on at the end."""
    found = [item for node in nodes for item in node.items()]
    live = sum(item.live and not _is_import(item) for item in found)
    if live <= sum(not item.live for item in found):
        return nodes
    last = max((item.last for item in found if item.live), default=-1)
    tail = [node for node in nodes if node.item.first > last]
    above = [node for node in nodes if node.item.first <= last]
    return [*_completed(above), *_going_on(block, above, tail)]


def _completed(nodes: Iterable[Node]) -> list[Node]:
    """Live statements with what they need: bodies of which nothing is live, and the clauses that `try` has to have."""
    found = []
    for node in nodes:
        if not _any_live([node]):
            continue
        body, clauses = node.body, node.clauses
        if node.item.live:
            body = body if not _any_live(body) else tuple(_completed(body))
            clauses = tuple(_completed(clauses)) if node.item.word != "try" or _any_live(clauses) else clauses
        found.append(Node(node.item, body, clauses, node.decorators))
    return found


def _any_live(nodes: Iterable[Node]) -> bool:
    return any(item.live or item.mixed for node in nodes for item in node.items())


def _going_on(block: _Block, above: Sequence[Node], tail: Sequence[Node]) -> Iterator[Node]:
    """The commented statements at the end that use what is defined above, and nothing that is not."""
    defined = {name for node in above if _any_live([node]) for name in _top(node)}
    taken = {n for node in tail for item in node.items() for n in range(item.first, item.last + 1)}
    elsewhere = False
    start = max((item.last for node in above for item in node.items()), default=-1) + 1
    for group in _groups(tail):
        said = [block.lines[n].said for n in range(start, group[0].item.first) if n not in taken]
        if any(said):
            elsewhere = any(_ELSEWHERE.search(words) for words in said)
        start = max(item.last for node in group for item in node.items()) + 1
        own = {name for node in group for item in node.items() for name in _bound(item.statements)}
        used = {name for node in group for item in node.items() for name in _used(item.statements)} - own
        if not elsewhere and used & defined and used <= defined | BUILTINS and all(n.item.mark == 0 for n in group):
            defined |= {name for node in group for name in _top(node)}
            yield from group


def _groups(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    """Statements that stand together: no blank line and no prose between them."""
    group: list[Node] = []
    end = -1
    for node in nodes:
        first = min(item.first for item in node.items())
        if group and first != end + 1:
            yield group
            group = []
        group.append(node)
        end = max(item.last for item in node.items())
    if group:
        yield group


def _settled(block: _Block, nodes: Sequence[Node], before: int) -> str:
    """Make the nodes live, and take back what does not parse then: statement by statement, or else by halves."""
    banned: set[int] = set()
    for _ in range(_MOST_BANNED):
        chosen = {item for node in nodes for item in node.items() if not item.live}
        if not chosen:
            return block.text
        result = _uncommented(block, nodes)
        wrong = problem(result)
        if _is_good(result, wrong, before):
            return result
        suspects = [item for item in chosen if item.first < (wrong.line if wrong else 1)]
        banned.add(max(suspects or chosen, key=lambda item: item.first).first)
        kept = {item.first for item in chosen} - banned
        nodes = tree([item for item in block.items if item.live or item.first in kept], block.known)
    budget = [_MOST_TRIED if before else 0]
    fitting = _fitting(block, [node for node in nodes if not _any_live([node])], before, budget)
    result = _uncommented(block, fitting)
    return result if budget[0] > 0 and _is_good(result, problem(result), before) else block.text


def _fitting(block: _Block, nodes: list[Node], before: int, budget: list[int]) -> list[Node]:
    """Those of the commented statements with which the block still parses; `budget`: how many more may be tried."""
    budget[0] -= 1
    if not nodes or budget[0] < 0:
        return []
    result = _uncommented(block, nodes)
    if _is_good(result, problem(result), before):
        return nodes
    half = len(nodes) // 2
    return _fitting(block, nodes[:half], before, budget) + _fitting(block, nodes[half:], before, budget) if half else []


def _is_good(result: str, wrong: Problem | None, before: int) -> bool:
    """Whether a result compiles, or at least parses where the block did no more."""
    return wrong is None or (before < 2 and parsed(result) is not None)


def _uncommented(block: _Block, nodes: Iterable[Node]) -> str:
    """Take the marks of the nodes' commented lines away, and one of each comment in a comment that goes with them."""
    levels: dict[int, int] = {}
    for node in nodes:
        chosen = [item for item in node.items() if not item.live]
        for item in chosen:
            levels.update((n, item.level) for n in range(item.first, item.last + 1) if n not in item.kept)
        if chosen:
            first, last = min(item.first for item in chosen), max(item.last for item in chosen)
            levels.update((n, 1) for n in range(first, last) if n not in levels and _inner(block.lines[n]))
    for run in comments.runs(block.lines):
        own = range(run.first, run.last + 1)
        for order in (own, reversed(own)):
            near = False
            for n in order:
                near = n in levels or (near and _inner(block.lines[n]))
                if near and block.lines[n].said:
                    levels.setdefault(n, 1)
    out = [line.text for line in block.lines]
    for n, level in levels.items():
        if n in block.widths:
            out[n] = bare(block.lines[n], block.widths[n], level)
    return "\n".join(out)


def _inner(line: Line) -> bool:
    """Whether a line is a comment in a comment, or a mark alone."""
    return line.kind == "comment" and not line.inside and (not line.said or line.comment[1:].lstrip().startswith("#"))


def _quality(text: str) -> int:
    """2: it compiles; 1: it parses; 0: it does neither."""
    return 2 if problem(text) is None else int(parsed(text) is not None)


def _compiled(text: str) -> Problem | None:
    try:
        compile(text, "<block>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return Problem(error.lineno or 1, max(error.offset or 1, 1), error.msg)
    except (RecursionError, MemoryError):
        return Problem(1, 1, "it is nested too deeply")
    except (ValueError, OverflowError) as error:
        return Problem(1, 1, str(error))
    return None


def _python(text: str) -> str:
    """Put `pass` in the place of magics and shell lines."""
    if not any(mark in text for mark in "%!?"):
        return text
    return "\n".join(
        _MAGIC.sub(r"\1pass", line.text) if line.kind == "code" and not line.inside else line.text
        for line in comments.lines(text)
    )


def _is_import(item: Item) -> bool:
    return bool(item.statements) and all(isinstance(s, ast.Import | ast.ImportFrom) for s in item.statements)


def _top(node: Node) -> Iterator[str]:
    """The names that a statement binds where it stands."""
    yield from _bound(node.item.statements, own=True)
    if node.item.word not in {"def", "class"} and not node.item.code.startswith("async def"):
        for child in (*node.body, *node.clauses):
            yield from _top(child)


def _bound(statements: Iterable[ast.AST], own: bool = False) -> Iterator[str]:
    """Names that statements bind; their parameters, too, unless only what they bind where they stand is asked for."""
    for statement in statements:
        for node in trees.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.alias):
                yield node.asname or node.name.partition(".")[0]
            elif isinstance(node, ast.arg) and not own:
                yield node.arg
            elif isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name


def _used(statements: Iterable[ast.AST]) -> Iterator[str]:
    for statement in statements:
        for node in trees.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield node.id
