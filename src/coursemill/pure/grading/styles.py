"""The same code in other words: names of its own, comments, another order; it does the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from random import Random

from coursemill.pure.grading import variables
from coursemill.pure.grading.answers import tree
from coursemill.pure.trials import WRITEFILE

WORDS = ("result", "value", "item", "tmp", "x", "found", "data", "current", "entry", "n", "acc", "out", "thing", "part")
REMARKS = (
    "my first idea was longer",
    "works!",
    "see the lesson above",
    "not sure why this is needed",
    "checked with the example",
    "TODO: make it nicer",
)


def restyled(source: str, chance: Random) -> str:
    """Return code that does the same, as somebody else would have written it; what is no Python stays as it is.

    Variables of functions get other names; what others can see (functions, parameters, globals) keeps its own.
    """
    changed = tree(source)
    if changed is None:
        return source
    written = WRITEFILE.match(source)
    try:
        for node in list(ast.walk(changed)):
            if isinstance(node, ast.FunctionDef):
                _rename(node, chance)
        text = ast.unparse(changed)
    except RecursionError:
        return source
    remark = f"# {chance.choice(REMARKS)}\n" if chance.random() < 0.7 else ""
    return (written[0] if written else "") + remark + text


def scratch(chance: Random, lines: int = 14) -> str:
    """Return a cell in which somebody tries things out; no two are alike, and nothing depends on it."""
    name, table = chance.choice(WORDS), chance.sample(WORDS, 4)
    body = [f"{name} = [{', '.join(str(chance.randrange(1000)) for _ in range(6))}]"]
    for n in range(lines):
        one, other = table[n % 4], chance.choice(table)
        a, b = chance.randrange(2, 90), chance.choice("abcdefgh")
        forms = (
            f"{one}_{n} = [{other} * {a} for {other} in {name} if {other} % {chance.randrange(2, 9)} != {a % 7}]",
            f"{one}_{n} = sorted({name}, key=lambda {other}: abs({other} - {a * 7}))[: {a % 5 + 1}]",
            f'{one}_{n} = "{b}".join(str({other}) for {other} in {name}[{a % 4}:]).replace("{a}", "{b}{b}")',
            f"{one}_{n} = dict(zip({name}, range({a}))).get({chance.randrange(1000)}, {a})",
            f"{one}_{n} = sum({other} // {a} for {other} in {name}) / max(len({name}), {chance.randrange(1, 9)})",
        )
        body.append(chance.choice(forms))
    return "\n".join(body)


def _rename(function: ast.FunctionDef, chance: Random) -> None:
    """Give a function's own variables other names."""
    taken = set(_names(list(ast.walk(function))))
    words = [word for word in (*WORDS, *(f"{word}{n}" for n in (2, 3) for word in WORDS)) if word not in taken]
    chance.shuffle(words)
    variables.rename(function, dict(zip(variables.own(function), words, strict=False)))


def _names(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
