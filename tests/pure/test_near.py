"""Near misses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.near import Names, advice


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("Comparing prizes", ["Comparing prices"]),
        ("comparing PRICES", ["Comparing prices"]),
        ("spark", ["Spark_MLlib", "Spark_Streaming"]),
        ("Dask", []),
        ("", []),
    ],
)
def test_names_that_resemble_or_contain_a_word(word: str, found: list[str]) -> None:
    assert Names(frozenset({"Spark_Streaming", "Comparing prices", "Spark_MLlib"})).near(word) == found


def test_advice() -> None:
    assert advice("prics", ["prices", "price"]) == "did you mean `prices` or `price`?"
    assert advice("zzz", ["prices"]) == ""


def test_many_names_take_no_longer() -> None:
    names = Names(frozenset(f"Lesson_{n}_on_something" for n in range(5_000)))
    assert "Lesson_17_on_something" in names.near("Lesson_17_on_somethign")
    assert all(not names.near(f"Nothing_{n}") for n in range(500))


@given(st.text(max_size=8), st.frozensets(st.text(max_size=8), max_size=8))
def test_what_is_near_is_one_of_the_names(word: str, among: frozenset[str]) -> None:
    assert set(Names(among).near(word)) <= among
