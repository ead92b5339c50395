"""How a test ended, and what a student may read of it."""

from __future__ import annotations

import ast
import traceback
from dataclasses import asdict, dataclass, replace
from typing import Any

MESSAGE = 600
"""Characters of an error's message that are kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a test cell."""

    status: str
    part: float | None = None
    message: str = ""
    """For the student: as it may be shown if no line of the test is hidden."""
    reason: str = ""
    """For the instructor."""
    line: int = 0
    kind: str = ""
    """The error's class."""
    by: str = "examiner"
    """Where the error arose."""

    def said(self) -> dict[str, Any]:
        """As data."""
        return {**{k: v for k, v in asdict(self).items() if k != "by"}, "from": self.by}

    def hiding(self, source: str, hidden: frozenset[int]) -> Ended:
        """The same where some lines are hidden: of an assertion's message stays what stands in it for all to read."""
        if not hidden or self.status == "passed":
            return self
        if self.line and self.line not in hidden:
            return self
        shown = constant(source, self.line) if self.status == "failed" else ""
        return replace(self, message=shown or self.kind)


def explained(error: BaseException, file: str, source: str, *, crossed: bool) -> Ended:
    """How a test ended that raised `error`; `crossed`: it came from the candidate."""
    line = next((n for f, n in reversed([*traceback.walk_tb(error.__traceback__)]) if f.f_code.co_filename == file), 0)
    kind = type(error).__name__
    said = _message(error)
    lines = source.split("\n")
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    failed = isinstance(error, AssertionError) and not crossed
    message = said or (f"in `{text}`" if text else "") if failed else f"{kind}: {said}" if said else kind
    return Ended(
        "failed" if failed else "error",
        message=message,
        reason=f"{kind}: {said}" if said else f"{kind} in `{text}`",
        line=line,
        kind=kind,
        by="candidate" if crossed else "examiner",
    )


def constant(source: str, line: int) -> str:
    """The constant parts of the message of the assert on a line: what is computed becomes `…`."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Assert) and n.lineno <= line <= (n.end_lineno or n.lineno)]
    if not found or found[-1].msg is None:
        return ""
    return _constant(found[-1].msg)


def _constant(message: ast.expr) -> str:
    if isinstance(message, ast.Constant) and isinstance(message.value, str):
        return message.value
    if isinstance(message, ast.JoinedStr):
        return "".join(_constant(part) if isinstance(part, ast.Constant) else "…" for part in message.values)
    return ""


def _message(error: BaseException) -> str:
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception as broken:
        return f"<{type(broken).__name__} while it was shown>"
    return text if len(text) <= MESSAGE else text[: MESSAGE - 1] + "…"
