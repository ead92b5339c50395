"""What a fence means: code to run, a part of an exercise, a claim, or prose."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coursemill.model import Claim, Code, Finding, Solution, Span, Test, Wrong
from coursemill.pure import codes
from coursemill.pure.attributes import Attributes, meant, of_fence
from coursemill.pure.fences import PYTHON
from coursemill.pure.markdown import Fence

SHELL = frozenset({"bash", "sh", "shell"})
ALLOWED: Mapping[str, frozenset[str]] = {
    "run": frozenset({"role", "id", "tags"}),
    "setup": frozenset({"role", "id", "tags"}),
    "file": frozenset({"role", "id", "tags", "path"}),
    "output": frozenset({"role"}),
    "solution": frozenset({"role", "path"}),
    "test": frozenset({"role", "id", "points", "hidden", "given"}),
    "wrong": frozenset({"role", "score", "path"}),
    "show": frozenset(),
}
"""Role → the attributes that it has; a `show` fence may have any, since other tools read them."""
GRADED = frozenset({"solution", "test", "wrong"})
"""Roles whose attributes only their author writes: there a foreign one is a slip."""
NAME_LENGTH = 18
"""Of a test: `<id>-test-<name>` is a cell id, which has 64 characters at most."""

_OUTPUT = re.compile(
    r"[ \t>*_]*(?:the )?(?:expected |console |printed )?"
    r"(?:output|result|this prints|it prints)(?: is| will be)?[ \t*_:]*",
    re.IGNORECASE,
)

Kind = Literal["prose", "code", "task", "claim", "loose"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A fence, understood. `kind` says where it goes; `loose`: an error keeps it out of everything."""

    kind: Kind
    role: str
    item: Code | Solution | Test | Wrong | Claim | None = None
    findings: tuple[Finding, ...] = ()


def read(path: str, fence: Fence, lines: Sequence[str], slug: str) -> Cell:
    """Understand `fence` of the note at `path`; `slug` is that of the heading above it."""
    language, attributes = of_fence(path, fence.start + 1, fence.column + 1, fence.info)
    language = language.lower()
    if "role" not in attributes.values and language not in PYTHON:
        return Cell("prose", "")
    role = attributes.text("role", "run")
    if role == "show":
        return Cell("prose", role)
    if role not in ALLOWED:
        fix = meant(role, ALLOWED) or f"the roles: {', '.join(ALLOWED)}"
        attributes.report(codes.UNKNOWN_ROLE, "role", f"there is no role `{role}`", fix)
        return Cell("loose", role, None, tuple(attributes.findings))
    unclear = _allow(attributes, role) or attributes.broken
    place = _Place(Span(path, fence.start + 1, fence.end), fence.start + 2, fence.text, margin(fence, lines), slug)
    item = not unclear and _fits(attributes, role, language) and _MAKERS[role](place, attributes, role, language)
    kind: Kind = (
        "code" if isinstance(item, Code) else "claim" if isinstance(item, Claim) else "task" if item else "loose"
    )
    return Cell(kind, role, item or None, tuple(attributes.findings))


def announces_output(line: str) -> bool:
    """Whether a line says just that what follows is output: `Output:`."""
    return _OUTPUT.fullmatch(line) is not None


@dataclass(frozen=True, slots=True)
class _Place:
    span: Span
    first_line: int
    text: str
    indent: int
    slug: str


def _allow(attributes: Attributes, role: str) -> bool:
    """Report attributes that `role` does not have; return whether a test or a wrong answer may have been meant."""
    graded = next((key for key in ("points", "hidden", "given", "score") if key in attributes.values), None)
    if "role" not in attributes.values and graded:
        message, fix = f"code that is just run has no attribute `{graded}`", 'add role="test" or role="wrong"'
        attributes.report(codes.UNKNOWN_ATTRIBUTE, graded, message, fix)
        return True
    what = f'role="{role}"' if "role" in attributes.values else "code that is just run"
    foreign = [] if role in GRADED else [k for k, value in attributes.values.items() if _is_foreign(k, value)]
    for key in foreign:
        attributes.report(codes.FOREIGN_ATTRIBUTE, key, f"`{key}` is ignored: it is no attribute of {what}")
    attributes.allow(ALLOWED[role] | {*foreign}, what)
    return False


def _is_foreign(key: str, value: str | None) -> bool:
    """Whether no attribute of ours can have been meant, nor a role without its key."""
    ours = frozenset(ALLOWED if value is None else ()).union(*ALLOWED.values())
    return key not in ours and not meant(key, ours)


def _fits(attributes: Attributes, role: str, language: str) -> bool:
    """Whether `role` can be had in `language`: what is executed is Python, or bash where it is just run."""
    if role in {"file", "output"} or language in PYTHON or (role == "run" and language in SHELL):
        return True
    if role in {"solution", "wrong"} and "path" in attributes.values:
        return True
    fix = 'put `python` first, or write role="show"'
    where = f"for `{language}`" if language else "without a language"
    attributes.report(codes.UNKNOWN_ROLE, "role", f'there is no role="{role}" {where}', fix)
    return False


def _code(place: _Place, attributes: Attributes, role: str, language: str) -> Code | None:
    kind: Literal["run", "setup", "file", "shell"] = "run"
    if role == "setup":
        kind = "setup"
    elif role == "file":
        kind = "file"
    elif language in SHELL:
        kind = "shell"
    path = attributes.file_path() if role == "file" else ""
    if role == "file" and not path:
        if "path" not in attributes.values:
            attributes.report(codes.FILE_PATH, "role", 'role="file" needs a path', 'add path="folder/name.py"')
        return None
    return Code(
        span=place.span,
        first_line=place.first_line,
        text=place.text,
        role=kind,
        path=path,
        tags=attributes.words("tags"),
        id=attributes.identifier(),
        slug=place.slug,
        indent=place.indent,
    )


def _solution(place: _Place, attributes: Attributes, role: str, language: str) -> Solution | None:
    path = attributes.file_path()
    if "path" in attributes.values and not path:
        return None
    return Solution(place.span, place.first_line, place.text, path, place.indent)


def _test(place: _Place, attributes: Attributes, role: str, language: str) -> Test:
    return Test(
        span=place.span,
        first_line=place.first_line,
        text=place.text,
        points=attributes.number("points"),
        hidden=attributes.flag("hidden"),
        given=attributes.flag("given"),
        name=attributes.identifier(longest=NAME_LENGTH),
        indent=place.indent,
    )


def _wrong(place: _Place, attributes: Attributes, role: str, language: str) -> Wrong:
    return Wrong(
        span=place.span,
        first_line=place.first_line,
        text=place.text,
        score=attributes.number("score"),
        path=attributes.file_path(),
        indent=place.indent,
    )


def _claim(place: _Place, attributes: Attributes, role: str, language: str) -> Claim:
    return Claim(place.span, place.text)


_MAKERS: Mapping[str, Callable[[_Place, Attributes, str, str], Code | Solution | Test | Wrong | Claim | None]] = {
    "run": _code,
    "setup": _code,
    "file": _code,
    "output": _claim,
    "solution": _solution,
    "test": _test,
    "wrong": _wrong,
}


def margin(fence: Fence, lines: Sequence[str]) -> int:
    """Characters of the note before the code, on its first line that is not blank."""
    for n, text in enumerate(fence.text.split("\n"), fence.start + 1):
        if text.strip(" \t") and n < len(lines):
            return len(lines[n]) - len(text) if lines[n].endswith(text) else 0
    return 0
