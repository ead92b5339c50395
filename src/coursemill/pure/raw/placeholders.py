"""Where code says that something is left out: `= ...`, `[copy it here]`, `<your key>`, `# rest of the code`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from coursemill.pure import trees
from coursemill.pure.raw import comments

_STRING = re.compile(
    r"(?i:\[\s*(?:copy|paste|insert|add|put|fill|replace|your|see|same|omitted|content|rest)\b[^\]\n]{3,}\])"
    r"|(?i:<\s*(?:your|my|insert|enter|add|put|replace)[\s_-][^<>\n]*>)"
    r"|\b(?:YOUR|MY|INSERT)_[A-Z_]*(?:KEY|TOKEN|SECRET|PASSWORD|USERNAME|ID|URL|NAME|HERE|PATH|HOST)\b"
    r"|(?i:\byour[ _-](?:api[ _-])?(?:key|token|password|secret|username|project[_-]id)(?:[ _-]here)?\b)"
)
_OWN = r"(?:your|rest of|remaining|other|existing|more|additional|same|previous|the|some)"
_COMMENT = re.compile(
    r"(?:\.\.\.|…)\s*(?:\S.*)?|.*[^.\s]\s+(?:\.\.\.|…)"
    rf"|(?:(?:add|put|insert|write|place|paste) )?{_OWN}\b.*\b(?:code|logic|implementation|body)\b"
    r".*\b(?:here|below|goes)\b.*"
    r"|(?:add |put |insert |write |place )?(?:your|the)?\s*\b(?:code|logic|implementation)\b\s+(?:goes\s+)?here\b.*"
    r"|(?:the )?rest of (?:the|your|this) \b.*|(?:same|code) as (?:above|before)\b.*|(?:existing|remaining) code\b.*"
    r"|(?:todo|fixme)\b:?\s*(?:implement|write|fill|complete|add|finish|your)\b.*|fill (?:this )?in\b.*"
    r"|implement(?:ation)? (?:me|this|goes here|omitted|left)\b.*|.*\bomitted for brevity\b.*",
    re.IGNORECASE,
)
_LINE = re.compile(
    r"^[ \t]*(?:\.\.\.|…|\{\s*(?:\.\.\.|…)\s*\})[ \t]*[;,]?[ \t]*$|[=:(\[{,]\s*(?:\.\.\.|…)\s*(?=[;,)\]}]|$)", re.M
)
_ANY_COMMENT = re.compile(r"(?:^|\s)(?:#|//|--)[ \t]*(?P<line>\S.*)$|/\*(?P<block>.*?)\*/|<!--(?P<html>.*?)-->", re.M)
_FIELDS = frozenset({
    "Field", "Query", "Path", "Body", "Form", "Header", "Cookie", "File", "Depends", "Security", "slice", "Option",
    "Argument", "field", "mapped_column", "einsum",
})  # fmt: skip
_ABSTRACT = frozenset({"overload", "abstractmethod", "abstractproperty", "override"})


def in_python(text: str, statements: Sequence[ast.stmt]) -> str:
    """Return the first placeholder of Python code that parses as `statements`; nothing when there is none."""
    for node, found in _nodes(statements):
        if found:
            return _short(ast.unparse(node) if not isinstance(node, ast.Constant) else found)
    for line in comments.lines(text):
        if line.mark >= 0 and _COMMENT.fullmatch(line.said):
            return _short(f"# {line.said}")
    return ""


def in_text(text: str) -> str:
    """Return the first placeholder of code in any other language; nothing when there is none."""
    found = _LINE.search(text) or _STRING.search(text)
    if found:
        return _short(found[0].strip())
    for comment in _ANY_COMMENT.finditer(text):
        said = next(part for part in comment.groups() if part is not None).strip()
        if _COMMENT.fullmatch(said) and not re.fullmatch(r".*[^.\s]\s+(?:\.\.\.|…)", said):
            return _short(comment[0].strip())
    return ""


def _nodes(statements: Sequence[ast.stmt]) -> Iterator[tuple[ast.AST, str]]:
    """Every node that may be a placeholder, and what of it is one."""
    todo: list[ast.AST] = list(reversed(statements))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _STRING.search(node.value)
            yield node, found[0] if found else "'...'" if node.value.strip() in {"...", "…"} else ""
            continue
        if _holds_dots(node):
            yield node, "..."
        if isinstance(node, ast.Subscript):
            todo.append(node.value)
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_abstract(node.decorator_list):
            continue
        if isinstance(node, ast.ClassDef) and (_is_abstract(node.bases) or _is_stub(node.body)):
            continue
        todo += reversed(trees.children(node))


def _holds_dots(node: ast.AST) -> bool:
    """Whether `...` stands for a value, an item, an argument or a body here."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr):
        return node.value is not None and _is_dots(node.value)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(map(_is_dots, node.elts))
    if isinstance(node, ast.Dict):
        return any(value is not None and _is_dots(value) for value in (*node.keys, *node.values))
    if isinstance(node, ast.keyword):
        return _is_dots(node.value)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name not in _FIELDS and any(map(_is_dots, node.args))
    return False


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _is_abstract(names: Sequence[ast.expr]) -> bool:
    """Whether decorators or bases say that bodies are left out on purpose."""
    words = {ast.unparse(name).split("[")[0].split("(")[0].rpartition(".")[2] for name in names}
    return not words.isdisjoint(_ABSTRACT | {"Protocol", "ABC", "TypedDict", "NamedTuple"})


def _is_stub(body: Sequence[ast.stmt]) -> bool:
    """`class Missing(Exception): ...` is whole."""
    return len(body) == 1 and isinstance(body[0], ast.Expr) and _is_dots(body[0].value)


def _short(text: str) -> str:
    line = text.split("\n")[0]
    return line if len(line) <= 60 else line[:59] + "…"
