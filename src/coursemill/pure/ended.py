"""How a test ended, and what a student may read of it."""

from __future__ import annotations

import ast
import math
import traceback
from dataclasses import asdict, dataclass, replace
from typing import Any

MESSAGE = 600
"""Characters of an error's message that are kept."""
REASON = 2000
"""Characters of what the instructor is told."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a test cell."""

    status: str
    part: float | None = None
    """What its last line gave, where that is a number."""
    message: str = ""
    """For the student."""
    reason: str = ""
    """For the instructor."""
    line: int = 0
    """Of the test's source, from 1; 0: none."""
    kind: str = ""
    """The error's class."""
    by: str = "examiner"
    """Where the error arose, `examiner` or `candidate`."""

    def said(self) -> dict[str, Any]:
        """As data."""
        return {**{k: v for k, v in asdict(self).items() if k != "by"}, "from": self.by}

    def hiding(self, source: str, hidden: frozenset[int]) -> Ended:
        """The same for readers who never see some lines.

        Of an assertion that failed there stays what stands in its message for all to read, of an error its kind.
        """
        if not hidden or self.status not in ("failed", "error") or (self.line and self.line not in hidden):
            return self
        shown = constant(source, self.line) if self.status == "failed" else ""
        return replace(self, message=shown or self.kind)


@dataclass(frozen=True, slots=True)
class Ran:
    """A test as it was run: the file that its code comes from in tracebacks, and its lines there.

    `skipped` is how many lines of the source stand before the first of these.
    """

    file: str
    source: str
    skipped: int = 0


def passed(value: object) -> Ended:
    """A test ended without an error; `value` is that of its last line, for which it may give a part of its points."""
    if type(value) is not int and type(value) is not float:
        return Ended("passed")
    part = float(value) if abs(value) < math.inf else math.nan
    if part >= 0:
        return Ended("passed", part)
    said = f"its last line gives {value:g}, which is no number of points: it counts as 0"
    return Ended("passed", 0.0, message=said, reason=said)


def explained(error: BaseException, ran: Ran, *, crossed: bool, trace: str = "") -> Ended:
    """A test raised `error`. `crossed`: it came from the candidate, which says that it arose at `trace`."""
    frames = [
        number for frame, number in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == ran.file
    ]
    line = frames[-1] if frames else 0
    if isinstance(error, SyntaxError) and not crossed and error.filename == ran.file:
        line = error.lineno or 0
    lines = ran.source.split("\n")
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    kind, said = type(error).__name__, _message(error)
    failed = isinstance(error, AssertionError) and not crossed
    told = f"{kind}: {said}" if said else f"{kind} in `{text}`" if text else kind
    return Ended(
        "failed" if failed else "error",
        message=(said or (f"in `{text}`" if text else kind)) if failed else f"{kind}: {said}" if said else kind,
        reason=f"{told}\n{trace}"[:REASON].strip(),
        line=line + ran.skipped if line else 0,
        kind=kind,
        by="candidate" if crossed else "examiner",
    )


def constant(source: str, line: int) -> str:
    """The constant parts of the message of the assertion on a line; what is computed becomes `…`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):  # it has magics, perhaps
        return ""
    for node in reversed([*ast.walk(tree)]):
        if isinstance(node, ast.Assert | ast.Raise) and node.lineno <= line <= (node.end_lineno or node.lineno):
            return _constant(node.msg if isinstance(node, ast.Assert) else _raised(node.exc))
    return ""


def _raised(call: ast.expr | None) -> ast.expr | None:
    """The message of `raise AssertionError(message)`."""
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "AssertionError":
        return call.args[0] if call.args else None
    return None


def _constant(message: ast.expr | None) -> str:
    if isinstance(message, ast.Constant) and isinstance(message.value, str):
        return message.value
    if isinstance(message, ast.JoinedStr):
        return "".join(_constant(part) if isinstance(part, ast.Constant) else "…" for part in message.values)
    return ""


def _message(error: BaseException) -> str:
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception as broken:  # an answer's own class may do anything
        return f"<{type(broken).__name__} while it was shown>"
    return text if len(text) <= MESSAGE else text[: MESSAGE - 1] + "…"
