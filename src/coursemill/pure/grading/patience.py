"""How long the cells of a notebook may take: in proportion to what the instructor's own took."""

from __future__ import annotations

from dataclasses import replace

from coursemill.pure.grading.job import Options
from coursemill.pure.grading.plan import Plan

LEAST = 30.0
"""Seconds that any cell may take, and any test."""
FACTOR = 10.0
"""A student's cell may be so many times as slow as the instructor's."""
SOLUTION = 600.0
"""Seconds that a cell of the instructor's own may take, where nobody says more."""
TWICE = 2.0
MOMENT = 1.0
"""Seconds in which any cell has begun."""
NOTEBOOK = 60.0
WHOLE = 5.0
"""A notebook may take `NOTEBOOK` seconds, and `WHOLE` times what the instructor's took."""


def of_cell(cell: str, plan: Plan, options: Options) -> float:
    """Seconds that a cell or a test may take; one that the student added, as long as the shortest.

    Whatever limit is asked for, one that took the instructor longer has time for that.
    """
    usual = plan.seconds.get(cell, 0.0)
    return max(options.timeout, TWICE * usual) if options.timeout else max(LEAST, FACTOR * usual)


def with_solution(options: Options) -> Options:
    """How patient one is with the instructor's own solution, whatever limit students get."""
    return replace(options, timeout=max(options.timeout, SOLUTION))


def of_again(cell: str, plan: Plan, options: Options) -> float:
    """Seconds that a cell may take that is known to take too long: about as long as the instructor's own took.

    So what it does before it loops has happened, and nobody waits for its end again.
    """
    limit = of_cell(cell, plan, options)
    return min(limit, max(MOMENT, limit / FACTOR))


def of_notebook(plan: Plan, options: Options) -> float:
    """Seconds that all cells may take together; one that takes as long as it may leaves time for another."""
    usual = NOTEBOOK + WHOLE * sum(plan.seconds.values())
    return max(usual, 2 * of_longest(plan, options))


def of_longest(plan: Plan, options: Options) -> float:
    """Seconds that the cell may take that may take longest."""
    return max((of_cell(cell, plan, options) for cell in ("", *plan.seconds)), default=LEAST)
