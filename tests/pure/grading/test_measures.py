import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import measures

POINTS = st.floats(0, 10, allow_nan=False).map(lambda x: round(x, 2))
CLASS = st.lists(st.tuples(POINTS, POINTS), min_size=3, max_size=60)
# Five students, four exercises of a point each: worked by hand.
GRID = [[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 1, 1, 0], [1, 1, 1, 1, 0]]


def test_spread_is_what_spreadsheets_say() -> None:
    found = measures.spread([7, 15, 36, 39, 40, 41])
    assert found
    assert (found.count, found.low, found.first, found.median, found.third, found.high) == (
        6,
        7,
        20.25,
        37.5,
        39.75,
        41,
    )
    assert found.mean == pytest.approx(29.6667, abs=1e-4)
    assert found.deviation == pytest.approx(14.7739, abs=1e-3)


def test_spread_of_one_and_of_none() -> None:
    assert measures.spread([]) is None
    one = measures.spread([3.0])
    assert one
    assert (one.mean, one.deviation, one.low, one.first, one.median, one.third, one.high) == (3, 0, 3, 3, 3, 3, 3)


@given(st.lists(POINTS, min_size=1, max_size=50))
def test_spread_agrees_with_numpy(values: list[float]) -> None:
    found = measures.spread(values)
    assert found
    expected = np.percentile(values, [0, 25, 50, 75, 100])
    assert [found.low, found.first, found.median, found.third, found.high] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("scores", "points", "expected"), [([2, 1, 0, 1], 2, 0.5), ([0, 0], 3, 0.0), ([], 3, None), ([1, 1], 0, None)]
)
def test_difficulty(scores: list[float], points: float, expected: float | None) -> None:
    assert measures.difficulty(scores, points) == expected


def test_correlation_by_hand() -> None:
    # Rests of the first exercise: 3, 2, 2, 2, 0; covariance 0.4, variances 0.3 and 1.2.
    assert measures.correlation(GRID[0], [3, 2, 2, 2, 0]) == pytest.approx(0.4 / math.sqrt(0.3 * 1.2))


@pytest.mark.parametrize(
    ("scores", "rest"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [2, 2, 2]), ([1, 0], [0, 1]), ([], [])]
)
def test_no_correlation_where_nothing_varies(scores: list[float], rest: list[float]) -> None:
    assert measures.correlation(scores, rest) is None


def test_upper_and_lower_groups_by_hand() -> None:
    # Eleven students: 27 % are three. The best three earn 2, 2, 1 of 2, the weakest 0, 1, 0.
    totals = [20, 19, 18, 15, 14, 13, 12, 11, 5, 4, 3]
    scores = [2, 2, 1, 1, 2, 0, 1, 1, 0, 1, 0]
    assert measures.upper_lower(scores, totals, 2) == pytest.approx((5 / 3 - 1 / 3) / 2)


def test_those_who_tie_at_a_border_count_in_part() -> None:
    # Groups of one: two students share the first place, one of them with the point.
    assert measures.upper_lower([1, 0, 0, 0], [9, 9, 5, 1], 1) == pytest.approx(0.5)


@given(CLASS, st.randoms())
def test_upper_and_lower_groups_do_not_depend_on_order(rows: list[tuple[float, float]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random
    first, second = (measures.upper_lower(*map(list, zip(*some, strict=True)), 10) for some in (rows, shuffled))
    assert first == (None if second is None else pytest.approx(second, abs=1e-9))


def test_alpha_by_hand() -> None:
    # Variances 0.3, 0.3, 0.3, 0.2; of the totals 4, 3, 3, 2, 0: 2.3.
    assert measures.alpha(GRID) == pytest.approx(4 / 3 * (1 - 1.1 / 2.3))


@pytest.mark.parametrize("columns", [[], [[1, 2, 3]], [[1, 2], [2, 1]], [[1, 1, 1], [2, 2, 2]], [[1, 2, 3], [3, 2, 1]]])
def test_no_alpha_where_there_is_nothing_to_agree_on(columns: list[list[float]]) -> None:
    assert measures.alpha(columns) is None


@given(CLASS)
def test_numbers_stay_within_their_bounds(rows: list[tuple[float, float]]) -> None:
    scores, totals = map(list, zip(*rows, strict=True))
    for number in (measures.correlation(scores, totals), measures.upper_lower(scores, totals, 10)):
        assert number is None or -1 - 1e-9 <= number <= 1 + 1e-9
    agreed = measures.alpha([scores, totals])
    assert agreed is None or agreed <= 1 + 1e-9


def test_error_of_measurement() -> None:
    assert measures.error(4.0, 0.75) == 2.0
    assert measures.error(4.0, -0.5) == 4.0
