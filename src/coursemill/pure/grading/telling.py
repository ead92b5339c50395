"""How a test ended, and what a student may read of it: nothing hidden, whatever the student's code did to get at it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.plan import Look
from coursemill.pure.grading.verdict import Outcome, Status, Twin

LONGEST = 2000
"""Characters of a message that are kept."""
REPLIES = frozenset({"passed", "failed", "error", "timeout", "limit"})
AN_ERROR = "Error"
"""Any kind of error: the kind itself may be the student's invention."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a test ended in one round."""

    status: Status
    message: str = ""
    """As a student may read it, if nothing hidden was run before."""
    reason: str = ""
    part: float | None = None
    line: int = 0
    """Of the test's source, from 1; 0: unknown."""
    kind: str = ""
    """The name of the error's class."""
    seconds: float = 0.0
    twin: Twin = ""
    foreign: bool = False
    """Whether the error arose in the candidate."""
    inner: bool = False
    """Whether all of it is the candidate's word."""
    taken: frozenset[str] = frozenset()
    """What the answer did beyond giving data, as a plan names it."""

    def beside(self, twin: Twin) -> Result:
        """The same with what became of its twins."""
        return replace(self, twin=twin)


def replied(reply: Mapping[str, Any]) -> Result:
    """Read an examiner's reply."""
    status: Any = reply.get("status")
    part, line = reply.get("part"), reply.get("line")
    message, reason, kind = (_text(reply.get(name)) for name in ("message", "reason", "kind"))
    if status not in REPLIES:
        status, reason = "error", reason or "the examiner did not say how it ended"
    return Result(
        status=status,
        part=float(part) if isinstance(part, int | float) and not isinstance(part, bool) else None,
        message=message,
        reason=reason or message,
        line=line if type(line) is int else 0,
        kind=kind,
        seconds=float(reply.get("seconds", 0.0)),
        foreign=reply.get("from") != "examiner",
        taken=frozenset(reply.get("taken", ())),
    )


def outcome(item: Item, look: Look, result: Result, cleaned: Result | None, *, late: bool) -> Outcome:
    """What came of a test.

    `late`: a hidden test was run before it, whose values the student's code may say again; then `cleaned` is how it
    ended where none was.
    """
    reason = result.reason
    if look.trouble and result.status != "passed":
        reason = f"{reason} (the instructor's own solution does not pass it: {look.trouble})"
    return Outcome(
        test=item.id,
        status=result.status,
        points=item.points,
        part=result.part if result.status == "passed" else None,
        message=_message(item, result, cleaned, late=late)[:LONGEST],
        reason="" if result.status == "passed" else reason[:LONGEST],
        mode=look.mode,
        twin=result.twin,
        place=_place(item, result.line),
        hidden=bool(item.hidden),
        seconds=result.seconds,
    )


def needs_cleaning(item: Item, result: Result) -> bool:
    """Whether a message may hold what a hidden test before it gave away."""
    return result.status in {"failed", "error"} and not (result.inner or _is_constant(result, item))


def _message(item: Item, result: Result, cleaned: Result | None, *, late: bool) -> str:
    if result.status == "passed":
        return ""
    if result.status not in {"failed", "error"}:
        return result.message
    if result.inner:
        return _constant(item, result)
    if not (late and needs_cleaning(item, result)):
        return result.message
    if cleaned is not None and cleaned.status == result.status:
        return cleaned.message
    return _constant(item, result)


def _constant(item: Item, result: Result) -> str:
    """What can be said without any value: the test's own words, or else the kind of error."""
    if _is_constant(result, item):
        return result.message
    return result.kind if _is_known(result) else AN_ERROR


def _is_constant(result: Result, item: Item) -> bool:
    """Whether a message is the test's own, or tells nothing but a kind of error that nobody made up."""
    message = result.message
    return not message or (message == result.kind and _is_known(result)) or message in _words(item)


def _is_known(result: Result) -> bool:
    """Whether the kind of error is no name of the student's choice."""
    found = getattr(builtins, result.kind, None)
    return not result.foreign or (isinstance(found, type) and issubclass(found, BaseException))


def _words(item: Item) -> set[str]:
    """What a test can say whatever it was given: its lines and the texts in them, as far as students have seen them.

    Of hidden lines it is the messages of their asserts, which are meant to be shown.
    """
    seen = item.released if item.hidden else item.source
    lines = {f"in `{line.strip()}`" for line in seen.split("\n")}
    texts = {text for node in _nodes(seen) if (text := _text_of(node))}
    asserts = (node for node in _nodes(item.source) if isinstance(node, ast.Assert) and node.msg)
    texts |= {text for node in asserts if node.msg and (text := _text_of(node.msg))}
    return lines | texts | {f"AssertionError: {text}" for text in texts}


def _nodes(source: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):  # it has magics, perhaps
        return []


def _text_of(node: ast.AST) -> str:
    """A text that stands in the source; `…` stands for what is computed."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text_of(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _place(item: Item, line: int) -> str:
    """Where the test stands, with the line that failed."""
    if not line:
        return item.place
    if 0 < line <= len(item.lines):
        return f"{item.place.rpartition(':')[0]}:{item.lines[line - 1]}"
    return f"{item.place}, line {line}"


def _text(value: object) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""
