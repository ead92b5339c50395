"""The arithmetic of item analysis: plain numbers in, plain numbers out; None where a number would mean nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

SHARE = 0.27
"""Of a class, in each of the two groups that are compared."""
FEWEST = 3
"""Students, below which nothing can be said of how an exercise tells them apart."""
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """How numbers are spread."""

    count: int
    mean: float
    deviation: float
    """Of a sample (n − 1); 0 for a single number."""
    low: float
    first: float
    """A quarter is at most this."""
    median: float
    third: float
    """Three quarters are at most this."""
    high: float


def spread(values: Sequence[float]) -> Spread | None:
    """Sum `values` up; None when there are none.

    Quartiles are interpolated, the lowest value being the 0th and the highest the 100th percentile: type 7 of
    R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996), 361-365;
    NumPy, R and spreadsheets (QUARTILE.INC) do the same.
    """
    if not values:
        return None
    several = len(values) > 1
    first, median, third = statistics.quantiles(values, method="inclusive") if several else [values[0]] * 3
    return Spread(
        count=len(values),
        mean=statistics.fmean(values),
        deviation=statistics.stdev(values) if several else 0.0,
        low=min(values),
        first=first,
        median=median,
        third=third,
        high=max(values),
    )


def difficulty(scores: Sequence[float], points: float) -> float | None:
    """Share of the points that were earned: 1 is easy, 0 hard. None without scores, or where nothing can be earned.

    It is the "item difficulty" p of L. Crocker, J. Algina, "Introduction to Classical and Modern Test Theory" (1986),
    chapter 14, for items with partial credit: the mean score over the maximum.
    """
    return statistics.fmean(scores) / points if scores and points > 0 else None


def correlation(scores: Sequence[float], rest: Sequence[float]) -> float | None:
    """Pearson's correlation of an exercise's scores with the points in all others, by student.

    It is the corrected item-total correlation: the exercise's own points are not in the total, as S. Henrysson has
    it ("Correction of item-total correlations in item analysis", Psychometrika 28 (1963), 211-218). None for fewer
    than three students, and where all have the same.
    """
    if len(scores) < FEWEST or not (_varies(scores) and _varies(rest)):
        return None
    return max(-1.0, min(1.0, statistics.correlation(scores, rest)))


def upper_lower(scores: Sequence[float], totals: Sequence[float], points: float) -> float | None:
    """How much larger a share of the points the best 27 % earn than the weakest 27 %: from 1 to −1.

    From T. L. Kelley, "The selection of upper and lower groups for the validation of test items", Journal of
    Educational Psychology 30 (1939), 17-24. The groups are rounded to whole students; where several with the same
    total stand at a group's border, each of them counts in part, so that no order of names decides. None for fewer
    than three students, and where all totals are the same.
    """
    if len(scores) < FEWEST or points <= 0 or not _varies(totals):
        return None
    size = max(1, math.floor(SHARE * len(scores) + 0.5))
    pairs = list(zip(totals, scores, strict=True))
    upper, lower = _best(pairs, size), _best([(-total, score) for total, score in pairs], size)
    return (upper - lower) / points


def alpha(columns: Sequence[Sequence[float]]) -> float | None:
    """Cronbach's alpha of exercises, each a sequence of the scores of the same students in the same order.

    k/(k−1) · (1 − Σ variance of an exercise / variance of the totals), after L. J. Cronbach, "Coefficient alpha and
    the internal structure of tests", Psychometrika 16 (1951), 297-334. None for fewer than two exercises or three
    students, and where all totals are the same.
    """
    if len(columns) < 2 or len(columns[0]) < FEWEST:
        return None
    totals = [math.fsum(row) for row in zip(*columns, strict=True)]
    if not _varies(totals):
        return None
    inner = math.fsum(statistics.variance(column) for column in columns)
    return len(columns) / (len(columns) - 1) * (1 - inner / statistics.variance(totals))


def error(deviation: float, reliability: float) -> float:
    """Give or take so many points: the standard error of measurement, σ·√(1 − reliability).

    After F. M. Lord, M. R. Novick, "Statistical Theories of Mental Test Scores" (1968), chapter 3.
    """
    return deviation * math.sqrt(max(0.0, 1 - max(0.0, reliability)))


def _varies(values: Sequence[float]) -> bool:
    return max(values) - min(values) > TINY


def _best(pairs: Sequence[tuple[float, float]], size: int) -> float:
    """Mean score of the `size` pairs with the highest totals; those that tie for the last places count in part."""
    totals = sorted((total for total, _ in pairs), reverse=True)
    border = totals[size - 1]
    above = [score for total, score in pairs if total > border + TINY]
    tied = [score for total, score in pairs if abs(total - border) <= TINY]
    return (math.fsum(above) + (size - len(above)) * statistics.fmean(tied)) / size
