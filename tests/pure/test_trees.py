"""Trees are walked as `ast.walk` does, less what no rule asks for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from coursemill.pure import trees

LEFT_OUT = (ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)
SOURCES = sorted((Path(__file__).parents[2] / "src/coursemill/pure").glob("*.py"))


@pytest.mark.parametrize(
    "code",
    [
        "",
        "a = -b + c[1:2] if not d < e else f(*g, h=i, **j)",
        "async def f(a: int = 1, /, *b, c=2, **d) -> int:\n    async with x as y:\n        await z\n    return (yield)",
        "match a:\n    case {'k': [1, *b], **c}:\n        pass\n    case P(x=None) | 'q' as d:\n        pass",
        "try:\n    import a.b as c\nexcept* (A, B) as e:\n    del e\n@d\nclass C(D, metaclass=M):\n    x: int",
        "[f'{a!r:>{b}}' for a in b if a async for c in d]; {**a, 'k': 1}; lambda x, *y: x; (z := 1)",
    ],
)
def test_walk_and_children(code: str) -> None:
    assert_same(ast.parse(code))


def test_own_sources() -> None:
    for path in SOURCES:
        assert_same(ast.parse(path.read_text(encoding="utf-8")))


def assert_same(tree: ast.Module) -> None:
    every = [node for node in ast.walk(tree) if not isinstance(node, LEFT_OUT)]
    assert trees.walk(tree) == every
    for node in every:
        assert trees.children(node) == [one for one in ast.iter_child_nodes(node) if not isinstance(one, LEFT_OUT)]
