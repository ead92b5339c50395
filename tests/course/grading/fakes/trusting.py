"""An examiner that trusts everybody: cells and tests run here, in one namespace, without a kernel or a sandbox.

It is for tests of what is around an examination. It leaves a line in the file `$TRUSTING_LOG` for each notebook.
"""

import ast
import io
import os
import signal
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from coursemill.pure.grading import autograded, intake, merge
from coursemill.pure.grading.assignment import Item
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.plan import Look, Plan
from coursemill.pure.grading.verdict import Outcome, Verdict


def examine(package: Package, handed: Handed, options: Options) -> Verdict:
    """Run a notebook as if nobody meant any harm."""
    assignment = package.assignment
    note(f"{handed.student}/{assignment.name}")
    merged, notes, trouble = None, handed.notes, ""
    status: Any = "missing"
    if handed.content is not None:
        try:
            taken = intake.notebook(handed.content)
            merged, notes = merge.merge(assignment, taken.notebook), (*handed.notes, *taken.notes)
        except intake.Unreadable as error:
            status, trouble = "unreadable", str(error)
    outcomes: list[Outcome] = []
    outputs: dict[str, list[dict[str, Any]]] = {}
    space: dict[str, Any] = {"KillGrader": KillGrader}
    for cell in merged.cells if merged else ():
        if cell.type == "code":
            ended, part, said = run(cell.source, space)
            outputs[cell.id] = [{"output_type": "stream", "name": "stdout", "text": said}] if said else []
            if cell.item and cell.item.role == "test":
                outcomes.append(outcome(cell.item, ended, part))
    if merged is None:
        outcomes = [Outcome(item.id, status, item.points) for item in assignment.tests]
    return Verdict(
        handed.student,
        assignment.worksheet,
        assignment.name,
        tuple(outcomes),
        (*notes, *(merged.notes if merged else ())),
        merged.unanswered if merged else (),
        trouble,
        autograded.compose(assignment, merged, outputs, outcomes, notes, trouble),
    )


def calibrate(package: Package, options: Options) -> Plan:
    """Find out which tests the instructor's own solution does not pass."""
    note(f"solution/{package.assignment.name}")
    space: dict[str, Any] = {"KillGrader": KillGrader}
    looks = {}
    for item in package.assignment.items:
        if item.type == "code":
            ended, _, _ = run(item.source, space)
            if item.role == "test":
                looks[item.id] = Look(trouble="" if ended == "passed" else "it fails")
    return Plan(looks)


def run(source: str, space: dict[str, Any]) -> tuple[str, float | None, str]:
    """How a cell ends, what its last line gives, and what it prints."""
    said = io.StringIO()
    part = None
    try:
        tree = ast.parse(source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with redirect_stdout(said):
            exec(compile(tree, "cell", "exec"), space)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), space) if last else None  # type: ignore[attr-defined] # an Expr
        part = float(value) if type(value) in (int, float) else None
        status = "passed"
    except AssertionError:
        status = "failed"
    except KillGrader:
        os.kill(os.getpid(), signal.SIGKILL)
    except Exception:
        status = "error"
    return status, part, said.getvalue()


class KillGrader(Exception):  # noqa: N818 - it is an order
    """A cell raises it that wants the grader's process to die."""


def outcome(item: Item, ended: Any, part: float | None) -> Outcome:
    """What came of a test."""
    return Outcome(item.id, ended, item.points, part, place=item.place, message="it fails" if ended != "passed" else "")


def note(line: str) -> None:
    """Say what was run."""
    if log := os.environ.get("TRUSTING_LOG"):
        with Path(log).open("a") as stream:
            stream.write(line + "\n")
