"""Tests that need live objects: they run in the candidate, where a verdict can be faked, and so among twins.

A twin is the test with another expected value. Which is which, the candidate is not told, and the order is random: who
lets a twin pass has not computed anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import SystemRandom

from coursemill.effects.grading.candidate import Candidate, Ran
from coursemill.pure.grading.outputs import Output
from coursemill.pure.grading.plan import Look
from coursemill.pure.grading.telling import Result
from coursemill.pure.grading.verdict import Status, Twin

CELL = "test"
LONGEST = 600
"""Characters of an error's message that are kept."""


def inside(candidate: Candidate, source: str, look: Look, limit: float) -> Result | None:
    """Run a test and its twins; None when the candidate ended before the test was run."""
    order = [(source, True), *((twin, False) for twin in look.twins)]
    SystemRandom().shuffle(order)
    result: Result | None = None
    twin: Twin = "failed" if look.twins else ""
    for code, is_test in order:
        if candidate.gone():
            break
        if twin == "passed" and not is_test:
            continue  # one is enough, and may have taken as long as it might
        ran = _shown(candidate.run(CELL, code, limit), candidate.outputs.of(CELL))
        if is_test:
            result = _result(ran, candidate.reason, candidate.outputs.of(CELL))
            if result.status != "passed":  # nothing is faked, though the answer may be what a twin expects
                return result.beside("failed" if look.twins else "")
        elif ran.status != "error":  # it passed, or ended in a way that the test does not
            twin = "passed"
    return result and result.beside(twin)


def _shown(ran: Ran, outputs: Sequence[Output]) -> Ran:
    """What came of a test, in which a magic (`%%time`, `%run`) may have shown an error and gone on."""
    error = next((output for output in outputs if output["output_type"] == "error"), None)
    return replace(ran, status="error", said=error) if error and ran.status == "done" else ran


def _result(ran: Ran, reason: str, outputs: Sequence[Output]) -> Result:
    if ran.status == "done":
        return Result("passed", part=_number(outputs), seconds=ran.seconds)
    if ran.status != "error":
        return Result(ran.status, reason=reason or "it was still running when its time was up", seconds=ran.seconds)
    kind, text = (str(ran.said.get(key, ""))[:LONGEST] for key in ("ename", "evalue"))
    status: Status = "failed" if kind == "AssertionError" else "error"
    said = f"{kind}: {text}" if text else kind
    return Result(status, message=text, reason=said, kind=kind, seconds=ran.seconds, foreign=True, inner=True)


def _number(outputs: Sequence[Output]) -> float | None:
    """What the last line gave, where that is a number: as nbgrader reads it."""
    for output in outputs:
        if output["output_type"] == "execute_result":
            try:
                return float(output["data"].get("text/plain", ""))
            except ValueError:
                return None
    return None
