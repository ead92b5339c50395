"""Near misses."""

import pytest

from coursemill.pure.near import advice, near


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
    assert near(word, ["Spark_Streaming", "Comparing prices", "Spark_MLlib"]) == found


def test_advice() -> None:
    assert advice("prics", ["prices", "price"]) == "did you mean `prices` or `price`?"
    assert advice("zzz", ["prices"]) == ""
