"""Bodies that comments emptied, failures that nobody sees, and imports below what needs them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coursemill.model import Finding
from coursemill.pure import codes, trees
from coursemill.pure.raw.damage.rule import in_block
from coursemill.pure.raw.damage.source import Note, Source, parsed

MARKS = re.compile(r"[ \t]*(?:#[ \t]*)*")
HEADER = re.compile(r"(?:try|else|finally|(?:if|elif|for|while|with|async|def|class|except)\b.*):\s*(?:#.*)?$")
CLAUSE = re.compile(r"(?:except|finally|else|elif)\b")
LONGEST = 400
BROAD = frozenset({"Exception", "BaseException"})
LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warn", "warning"})


@dataclass(frozen=True)
class Line:
    """A line of a block: how many comment marks stand before its code, and in which column that begins."""

    depth: int
    column: int
    code: str

    @classmethod
    def of(cls, line: str) -> Line:
        """Take a line apart."""
        marks = MARKS.match(line)
        before = marks[0] if marks else ""
        return cls(before.count("#"), len(before.replace("#", " ")), line[len(before) :])


@in_block
def emptied(source: Source, note: Note) -> Iterator[Finding]:
    """`try:` and nothing but comments below it: whatever `except` says, nothing can fail there."""
    lines = [Line.of(line) for line in source.lines[1]]
    for number, line in enumerate(lines):
        if len(line.code) <= LONGEST and HEADER.match(line.code) and (hidden := _hidden(lines, number)):
            is_try = line.code.startswith("try")
            if is_try or (_is_header(line.code) and any(map(_is_code, hidden))):
                word = line.code.split(":")[0].split()[0]
                message = f"comments are all that is left of the body of this `{word}`"
                yield source.on(codes.EMPTIED, number + 1, message)


@in_block
def nothing_tried(source: Source, note: Note) -> Iterator[Finding]:
    """`try: pass`: what was to be tried is gone."""
    for tried in source.all(ast.Try):
        if all(isinstance(part, ast.Pass) or _is_ellipsis(part) for part in tried.body):
            yield source.at(codes.EMPTIED, tried, "this `try` tries nothing")


@in_block
def swallowed(source: Source, note: Note) -> Iterator[Finding]:
    """The whole of a cell in one `try` whose `except` takes everything: the cell passes, whatever happens."""
    if source.tree is None or source.path or source.claimed:
        return
    work = [part for part in source.tree.body if not _is_preparation(part)]
    whole = _tried(work, source.tree.body)
    for tried in source.all(ast.Try):
        functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        for handler in tried.handlers if _is_work(tried) else ():
            silent = all(isinstance(part, ast.Pass) or _is_ellipsis(part) for part in handler.body)
            if not _takes_all(handler) or not all(map(_is_quiet, handler.body)):
                continue
            if tried in whole and not _demonstrates(tried, handler):
                message = "whatever fails in this cell ends here, and the cell passes all the same"
                yield source.at(codes.SWALLOWED, handler, message)
            elif silent and len(tried.body) > 1 and not any(isinstance(n, functions) for n in source.above(tried)):
                yield source.at(codes.SWALLOWED, handler, "whatever fails above ends here, and nobody sees it")


@in_block
def import_below(source: Source, note: Note) -> Iterator[Finding]:
    """An import stands below code that needs it."""
    body = source.tree.body if source.tree else []
    if not any(isinstance(part, ast.Import | ast.ImportFrom) for part in body[1:]):
        return
    above: set[str] = set()
    for part in body:
        if not isinstance(part, ast.Import | ast.ImportFrom):
            continue
        for alias in part.names:
            name = alias.asname or alias.name.partition(".")[0]
            uses = (use.lineno for use in source.named.get(name, ()) if isinstance(use.ctx, ast.Load))
            line = next(uses, part.lineno)
            if line < part.lineno and name not in above and not _is_bound_above(name, part.lineno, source, note):
                where = source.block.first_line + line - 1
                message = f"`{name}` is imported here and used on line {where}, above"
                yield source.at(codes.IMPORT_BELOW, part, message)
            above.add(name)


def _hidden(lines: list[Line], number: int) -> list[str]:
    """What comments took out of the body below a header, when that is all of the body."""
    header, hidden = lines[number], list[str]()
    tries = header.code.startswith("try")
    for line in lines[number + 1 :]:
        if not line.code.strip() or (tries and line.code.strip() == "pass" and line.column > header.column):
            continue
        if line.depth > header.depth:
            hidden.append(line.code)
        elif line.depth == header.depth and line.column > header.column:
            return []
        else:
            return [] if tries and not CLAUSE.match(line.code) else hidden
    return [] if tries else hidden


def _is_header(text: str) -> bool:
    """Whether `text` begins a statement, and is no sentence that ends with a colon."""
    before = {"el": "if x: pass\n", "ex": "try: pass\n", "fi": "try: pass\n"}.get(text[:2], "")
    return parsed(f"{before}{text}\n pass") is not None


def _is_code(text: str) -> bool:
    """Whether a line says something to Python, and is not a word or a sentence that happens to parse."""
    tree = parsed(text.strip()) if len(text) <= LONGEST else None
    if tree is None or not tree.body:
        return False
    first = tree.body[0]
    return not isinstance(first, ast.Expr) or isinstance(first.value, ast.Call | ast.Await | ast.Yield)


def _tried(work: Sequence[ast.stmt], body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The `try` that is all the work of a cell, or all that the functions do which it calls."""
    if len(work) == 1 and isinstance(work[0], ast.If) and "__main__" in ast.unparse(work[0].test):
        work = work[0].body
    if len(work) == 1 and isinstance(work[0], ast.Try):
        return [work[0]]
    functions = {part.name: part.body for part in body if isinstance(part, ast.FunctionDef)}
    found: list[ast.stmt] = []
    for part in work:
        call = part.value if isinstance(part, ast.Expr) else None
        inner = (
            functions.get(call.func.id, []) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else []
        )
        inner = [one for one in inner if not _is_preparation(one)]
        if len(inner) != 1 or not isinstance(inner[0], ast.Try):
            return []
        found += inner
    return found


def _is_work(tried: ast.Try) -> bool:
    return not all(isinstance(part, ast.Pass) or _is_ellipsis(part) for part in tried.body)


def _demonstrates(tried: ast.Try, handler: ast.ExceptHandler) -> bool:
    """Whether the cell is about the failure: one statement, whose error is shown."""
    tests = any(isinstance(part, ast.Assert) for outer in tried.body for part in trees.walk(outer))
    return len(tried.body) == 1 and not tests and _shows_error(handler)


def _is_preparation(part: ast.stmt) -> bool:
    """Whether a statement can hardly fail, so that it is no work of the cell."""
    if isinstance(part, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Pass):
        return True
    if isinstance(part, ast.Expr):
        return isinstance(part.value, ast.Constant) or _is_heading(part.value)
    return isinstance(part, ast.Assign | ast.AnnAssign) and (
        part.value is None or not any(isinstance(n, ast.Call | ast.Subscript) for n in trees.walk(part.value))
    )


def _is_heading(node: ast.expr) -> bool:
    """`print("--- Prices ---")`."""
    printed = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    return isinstance(node, ast.Call) and printed and all(isinstance(part, ast.Constant) for part in node.args)


def _takes_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in kinds)


def _is_quiet(part: ast.stmt) -> bool:
    """Whether a statement of a handler does no more than to say something."""
    if isinstance(part, ast.Pass) or _is_ellipsis(part):
        return True
    call = part.value if isinstance(part, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr in LOGGING or function.attr in {"print_exc", "format_exc"}
    return isinstance(function, ast.Name) and function.id in {"print", "display"}


def _shows_error(handler: ast.ExceptHandler) -> bool:
    names = {n.id for part in handler.body for n in trees.walk(part) if isinstance(n, ast.Name)}
    return handler.name is not None and handler.name in names


def _is_ellipsis(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and part.value.value is ...


def _is_bound_above(name: str, line: int, source: Source, note: Note) -> bool:
    """Whether something else gives the name its meaning: an earlier cell, an argument, an earlier line."""
    if name in source.given or source.imported.get(name, line) < line:
        return True
    names = (one for one in source.named.get(name, ()) if one.lineno < line)
    return any(not isinstance(one.ctx, ast.Load) for one in names) or any(
        name in one.imported for one in _cells_above(source, note)
    )


def _cells_above(source: Source, note: Note) -> Iterator[Source]:
    if source.runs:
        for one in note.sources:
            if one is source:
                return
            if one.runs:
                yield one
