"""What an executed notebook proves: how much of it ran, and what failed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from coursemill.pure import claims, statements, traces
from coursemill.pure.outcome import Failure, Status
from coursemill.pure.traces import Cell

MAY_RAISE = "raises-exception"
SKIPPED = "skip-execution"
GENERATED = "injected-parameters"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why an execution ended before its time, and in which cell (its id; empty: before the first)."""

    kind: Literal["timeout", "died"]
    cell: str
    message: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A status with what it rests on."""

    status: Status
    code: int
    cells: int
    statements: int
    failures: tuple[Failure, ...]
    reason: str = ""
    imports: int = 0
    """How many of the statements only import something."""


def judge(notebook: Mapping[str, Any], stop: Stop | None = None) -> Judgement:
    """Look at an executed notebook (nbformat's JSON): errors, false claims, and cells that never ran."""
    code = [c for c in notebook["cells"] if c["cell_type"] == "code" and _text(c["source"]).strip()]
    code = [{**c, "source": _text(c["source"])} for c in code]
    ran = [c for c in code if c["execution_count"] is not None and not _failed(c) and not _stopped(c, stop)]
    own = [c["source"] for c in ran if not _tagged(c, GENERATED) and not _added(c)]
    count, imports = sum(map(statements.count, own)), sum(map(statements.imports, own))
    failures = [*_errors(code, stop), *_false_claims(ran)]
    if not failures:
        failures = _left_out(code)
    status: Status = stop.kind if stop else "failed" if failures else "passed" if count > imports else "empty"
    cells = sum(not _tagged(c, GENERATED) for c in code)
    files = sum(statements.WRITES.match(c["source"]) is not None for c in ran)
    reason = _reason(status, cells, imports, files, failures)
    return Judgement(status, cells, len(ran), count, tuple(failures), reason, imports)


def _errors(code: Sequence[Cell], stop: Stop | None) -> list[Failure]:
    found = []
    for cell in code:
        if _stopped(cell, stop) and stop:
            found.append(_interrupted(cell, code, stop))
        elif _failed(cell):
            trace = traces.explain(cell, code)
            found.append(Failure("error", trace.place, cell["id"], trace.message, trace.lines))
    if stop and not found:
        found.append(Failure(stop.kind, traces.place(code[0], 1) if code else "", stop.cell, stop.message))
    return found


def _interrupted(cell: Cell, code: Sequence[Cell], stop: Stop) -> Failure:
    """The cell that was running; where it hung is known when the interrupt left a traceback."""
    if any(o["output_type"] == "error" for o in cell["outputs"]):
        trace = traces.explain(cell, code)
        return Failure(stop.kind, trace.place, cell["id"], stop.message, trace.lines)
    return Failure(stop.kind, traces.place(cell, 1), cell["id"], stop.message)


def _false_claims(ran: Sequence[Cell]) -> list[Failure]:
    found = []
    for cell in ran:
        claim = cell["metadata"].get("coursemill", {}).get("claim")
        if claim and (difference := claims.difference(claim["text"], claims.printed(cell["outputs"]))):
            path, _, span = claim["source"].rpartition(":")
            where = f"{path}:{span.partition('-')[0]}"
            found.append(Failure("claim", where, cell["id"], "the code prints something else", (), difference))
    return found


def _left_out(code: Sequence[Cell]) -> list[Failure]:
    """Cells that should have run and did not, though nothing failed: a pass would say too much."""
    missed = [c for c in code if c["execution_count"] is None and not _tagged(c, SKIPPED)]
    return [Failure("error", traces.place(c, 1), c["id"], "the cell was not executed") for c in missed[:1]]


def _failed(cell: Cell) -> bool:
    if _tagged(cell, MAY_RAISE):
        return False
    broken = cell["metadata"].get("papermill", {}).get("exception") is True
    return broken or any(o["output_type"] == "error" for o in cell["outputs"])


def _stopped(cell: Cell, stop: Stop | None) -> bool:
    return stop is not None and cell["id"] == stop.cell


def _reason(status: Status, code: int, imports: int, files: int, failures: Sequence[Failure]) -> str:
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return f"{failures[0].message.splitlines()[0]}{more}"
    if status == "empty" and imports:
        return "nothing but imports was executed"
    if status == "empty" and files:
        return "files were written, and nothing was executed"
    if status == "empty":
        return "no statement was executed: its code cells hold only comments" if code else "it has no code"
    return ""


def _added(cell: Cell) -> bool:
    """Whether no line of the cell is the note's."""
    lines = cell["metadata"].get("coursemill", {}).get("lines", "")
    return bool(lines) and set(lines) <= {"0", ","}


def _tagged(cell: Cell, tag: str) -> bool:
    return tag in cell["metadata"].get("tags", ())


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
