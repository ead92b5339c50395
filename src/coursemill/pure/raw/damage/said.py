"""Code that does not do what its comment, its text or its name says: "(first sample)", and all samples are printed."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from coursemill.model import Finding
from coursemill.pure import codes, trees
from coursemill.pure.raw.damage.rule import in_block
from coursemill.pure.raw.damage.source import Bound, Note, Source

NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
NOUN = (
    "sample|element|item|row|record|entry|entrie|example|value|image|batch|batche|line|word|prediction|token|column|"
    "result|review|label|point|product|score|user|character|digit|number|sentence|document|tag|link"
)
SAID = re.compile(
    r"\b(?P<which>first|last|second|third|top)[ -](?:"
    rf"(?P<count>\d+|{'|'.join(NUMBERS)}|few|couple of)(?:[ -](?:\w+ )?(?P<nouns>{NOUN})s?)?|(?P<noun>{NOUN}))\b",
    re.IGNORECASE,
)
REMARK = re.compile(
    r"#+\s*(?:[-=]>\s*)?(?P<verb>only|just|take|get|show|print|display|select|keep|use|look at)?\s*"
    rf"(?:only |just )?(?:the )?(?P<said>{SAID.pattern})(?: only)?\s*[.:!]?",
    re.IGNORECASE,
)
BRACKETS = re.compile(rf"\((?:only |just )?(?:the )?(?P<said>{SAID.pattern})(?: only)?\)\s*[.:]?$", re.IGNORECASE)
TARGET = re.compile(rf"(?P<which>first|last|second|third)_(?P<noun>{NOUN})", re.IGNORECASE)
SHOWN = frozenset({"print", "display", "pprint"})
WHOLE = frozenset({"collect", "copy", "cpu", "detach", "get_text", "getall", "items", "keys", "numpy", "to_list",
                   "to_numpy", "toPandas", "tolist", "values"})  # fmt: skip
"""Methods that give everything, when they are called without arguments."""
MANY = frozenset({"predict", "split", "splitlines", "find_all", "findall", "getall", "collect", "tolist", "readlines"})
SPLITTERS = frozenset({"train_test_split", "load_data"})
MAKERS = frozenset(
    [f"numpy.{n}" for n in ("arange", "array", "asarray", "linspace", "ones", "zeros", "random.rand", "random.randn")]
    + ["pandas.DataFrame", "pandas.Series", "pandas.read_csv", "pandas.read_json", "pandas.read_parquet"]
    + ["tensorflow.constant", "re.findall", "re.split"]
)
SEVERAL = re.compile(r"(?:batch|array|list|dataset|frame|matrix|tensor)(?:_|$)|(?:^|_)(?:df|data|[^_]*[^s_]s)$")
MOST = 20
"""How many ways in which a name gets its value are looked at."""
PART = re.compile(r"first|last|top|head|tail|one|single|sample(?!s)|second|third|subset|\d")


@dataclass(frozen=True)
class Claim:
    """What is said: which elements of what, and how many (0: just one, -1: a few)."""

    text: str
    noun: str
    count: int


@in_block
def printed(source: Source, note: Note) -> Iterator[Finding]:
    """`print("First sample:", samples)`: the text says one, the code prints all."""
    for call in source.all(ast.Call):
        if not isinstance(call.func, ast.Name) or call.func.id not in SHOWN:
            continue
        for text, value in _pairs(call):
            claim = _claim(text)
            if claim and _is_all(value, claim, note):
                yield _finding(source, call, claim, value)


@in_block
def remarked(source: Source, note: Note) -> Iterator[Finding]:
    """`print(samples)  # first sample`: the comment says one, the code takes all."""
    if not SAID.search(source.text):
        return
    remarks, above = _remarks(source.text)
    if not remarks and not above:
        return
    statements: list[ast.Expr | ast.Assign] = [*source.all(ast.Expr), *source.all(ast.Assign)]
    for statement in statements:
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        claim = remarks.get(last) if first == last else None
        claim = claim or (above.get(first - 1) if isinstance(statement, ast.Expr) else None)
        values = _values(statement) if claim else []
        if claim and values and all(_is_all(value, claim, note) for value in values):
            yield _finding(source, statement, claim, values[0])


@in_block
def named(source: Source, note: Note) -> Iterator[Finding]:
    """`first_row = rows`: the name says one, the code takes all."""
    for assigned in source.all(ast.Assign):
        target = assigned.targets[0]
        found = TARGET.fullmatch(target.id) if isinstance(target, ast.Name) else None
        if found and len(assigned.targets) == 1:
            claim = Claim(f"{found['which']} {found['noun']}", found["noun"].lower(), 0)
            if _is_all(assigned.value, claim, note):
                yield _finding(source, assigned, claim, assigned.value)


def _finding(source: Source, node: ast.AST, claim: Claim, value: ast.expr) -> Finding:
    try:
        shown = ast.unparse(value)
    except RecursionError:
        shown = "it"
    shown = shown if len(shown) <= 60 else f"{shown[:20]}…{shown[-30:]}"
    message = f"it says “{claim.text}”, and `{shown}` is all of it"
    return source.on(codes.SAID_OTHERWISE, getattr(value, "lineno", 1), message, offset=_offset(node, value))


def _offset(node: ast.AST, value: ast.expr) -> int:
    """Where the value begins; inside of f-strings Python 3.11 does not know."""
    inside = any(isinstance(part, ast.JoinedStr) and value in trees.walk(part) for part in trees.walk(node))
    return int(getattr(node, "col_offset", 0)) if inside else value.col_offset


def _claim(text: str) -> Claim | None:
    found = list(SAID.finditer(text))
    return _of_match(found[-1]) if found else None


def _of_match(found: re.Match[str]) -> Claim:
    count = (found["count"] or "").lower()
    number = int(count) if count.isdigit() and len(count) < 9 else NUMBERS.get(count, -1 if count else 0)
    noun = (found["noun"] or found["nouns"] or "").lower()
    return Claim(found.groupdict().get("said") or found[0], noun, number)


def _pairs(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Each thing that is printed, with the text right before it."""
    text = ""
    for argument in call.args:
        if isinstance(argument, ast.JoinedStr):
            for part in argument.values:
                if isinstance(part, ast.FormattedValue):
                    yield text, part.value
                    text = ""
                elif isinstance(part, ast.Constant):
                    text = str(part.value)
        elif isinstance(argument, ast.Constant):
            text = str(argument.value) if isinstance(argument.value, str) else ""
        else:
            yield text, argument
            text = ""


def _values(statement: ast.Expr | ast.Assign) -> list[ast.expr]:
    """What a statement shows or keeps."""
    value = statement.value
    if isinstance(statement, ast.Expr) and isinstance(value, ast.Call):
        if isinstance(value.func, ast.Name) and value.func.id in SHOWN:
            return [one for _, one in _pairs(value)]
        return []
    return [value]


def _remarks(text: str) -> tuple[dict[int, Claim], dict[int, Claim]]:
    """Line → what the comment behind its code says; and line → what a comment alone there tells to print."""
    behind: dict[int, Claim] = {}
    alone: dict[int, Claim] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.COMMENT or not SAID.search(token.string):
                continue
            found = REMARK.fullmatch(token.string.rstrip()) or BRACKETS.search(token.string.rstrip())
            if found and token.line[: token.start[1]].strip():
                behind[token.start[0]] = _of_match(found)
            elif found and (found.groupdict().get("verb") or "").lower() in {"print", "show", "display"}:
                alone[token.start[0]] = _of_match(found)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return behind, alone
    return behind, alone


def _is_all(node: ast.expr, claim: Claim, note: Note) -> bool:
    """Whether `node` is surely more than the claim says: all of something that has many elements."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not (node.args or node.keywords):
            if node.func.attr not in WHOLE:
                return False
            node = node.func.value
        elif isinstance(node, ast.Call) and note.builtin(node.func) in {"list", "tuple"} and len(node.args) == 1:
            node = node.args[0]
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            if not isinstance(node.slice.value, str):
                return False
            names.append(node.slice.value)
            node = node.value
        elif isinstance(node, ast.Attribute):
            names.append(node.attr if node.attr not in {"values", "T"} else "")
            node = node.value
        else:
            break
    if not isinstance(node, ast.Name):
        return False
    names.append(node.id)
    if any(PART.search(name.lower()) for name in names):
        return False
    ways = note.bound.get(node.id, ())[:MOST]
    if not ways:
        return node.id not in note.aliases and any(SEVERAL.search(name.lower()) for name in names if name)
    return all(_gives_many(way, node.id, claim, note) for way in ways)


def _gives_many(way: Bound, name: str, claim: Claim, note: Note) -> bool:
    if way.items is not None:  # one element after the other, and each may have many itself
        several = "batch" in name.lower() or (SEVERAL.search(name.lower()) is not None and _in_batches(note))
        return several and not claim.noun.startswith("batch")
    if way.unpacked is not None:
        function = way.unpacked.func if isinstance(way.unpacked, ast.Call) else None
        return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")) in SPLITTERS
    value = way.value
    if isinstance(value, ast.List | ast.Tuple | ast.Set):
        return len(value.elts) > max(claim.count, 1) and claim.count >= 0
    if isinstance(value, ast.ListComp | ast.SetComp):
        return not any(isinstance(part, ast.Slice) for part in trees.walk(value))
    if not isinstance(value, ast.Call):
        return False
    method = value.func.attr if isinstance(value.func, ast.Attribute) else ""
    known = note.dotted(value.func)
    return (bool(value.args) and known in MAKERS) or (method in MANY and not known)


def _in_batches(note: Note) -> bool:
    """Whether the note makes batches of its data."""
    return any("batch" in attribute.attr for source in note.sources for attribute in source.all(ast.Attribute))
