"""What crosses by value, and that nothing with behaviour of its own does."""

import datetime
import enum
import http
import math
import pathlib
import sys
import urllib.parse
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import plain

OPAQUE = "opaque"
Point = namedtuple("Point", "x y")


class Liar(type):
    """A metaclass that wants its classes to be taken for others."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(int)

    def __subclasscheck__(cls, other: type) -> bool:
        return True

    def __instancecheck__(cls, other: object) -> bool:
        return True


class Lying(metaclass=Liar):
    __module__ = "builtins"
    __qualname__ = "int"

    @property
    def __class__(self) -> Any:
        return int

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Str(str):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Rows(list[int]):
    def __len__(self) -> int:
        return 7


class Colour(enum.IntEnum):
    RED = 1


def seen(value: Any) -> Any:
    return plain.copied(value, lambda _: OPAQUE)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 7, 2.5, 1j, "text", b"bytes", ..., range(3), bytearray(b"x")),
        *([1, [2]], (1, (2,)), {1, 2}, frozenset({1}), {"a": {"b": [1]}}),
        *(Counter("abca"), OrderedDict(a=1), deque([1, 2], maxlen=3), Point(1, "2")),
        *(Decimal("1.5"), Fraction(1, 3), pathlib.PurePosixPath("a/b"), pathlib.Path("x"), uuid.UUID(int=5)),
        *(datetime.date(2026, 1, 2), datetime.timedelta(3), datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)),
        datetime.datetime(2026, 1, 2, tzinfo=ZoneInfo("Europe/Berlin")),
        *(http.HTTPStatus.OK, urllib.parse.urlparse("http://a/b")),
    ],
    ids=repr,
)
def test_plain_data_crosses_equal(value: Any) -> None:
    found = seen(value)
    assert found == value
    assert type(found).__name__ == type(value).__name__


def test_containers_are_copies() -> None:
    value = [[1], {"a": [2]}]
    found = seen(value)
    value[0].append(3)  # type: ignore[union-attr]
    value[1]["a"].append(4)  # type: ignore[call-overload]
    assert found == [[1], {"a": [2]}]


@pytest.mark.parametrize(
    "value",
    [object(), Lying(), Lying, Str("x"), Rows([1]), Colour.RED, len, lambda: 1, iter([1]), sys, Str, (i for i in "a")],
    ids=lambda v: type.__name__ if type(v) is Lying or v is Lying else repr(v)[:20],
)
def test_what_has_behaviour_does_not_cross(value: Any) -> None:
    assert seen(value) is OPAQUE


def test_what_has_behaviour_is_kept_out_of_containers() -> None:
    assert seen([1, Str("x"), {"k": Lying()}]) == [1, OPAQUE, {"k": OPAQUE}]


def test_a_default_factory_crosses_only_when_it_is_a_builtin() -> None:
    found = seen(defaultdict(list, a=[1]))
    assert found["new"] == []
    assert seen(defaultdict(lambda: 3, a=1)) == {"a": 1}
    assert seen(defaultdict(lambda: 3)).default_factory is None


def test_forged_attributes_are_no_plain_data() -> None:
    fraction, path = Fraction(1, 3), pathlib.PurePosixPath("a")
    fraction._numerator = Lying()  # type: ignore[attr-defined]
    path._str = Str("a")  # type: ignore[attr-defined]
    assert seen([fraction, path]) == [OPAQUE, OPAQUE]


def test_data_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(plain.TooLarge, match="nested"):
        seen(value)


def test_too_much_data_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MAX_ITEMS", 10)
    with pytest.raises(plain.TooLarge, match="more than 10 values"):
        seen([0] * 11)


def test_a_librarys_subclass_of_a_builtin_becomes_the_builtin() -> None:
    bs4 = pytest.importorskip("bs4")
    text = bs4.BeautifulSoup("<p>Shop</p>", "html.parser").p.string
    assert type(seen(text)) is str
    assert seen(text) == "Shop"
    assert plain.copied(text, lambda v: v, strip=False) is text


def test_arrays_and_scalars_cross() -> None:
    numpy = pytest.importorskip("numpy")
    value = numpy.arange(6.0).reshape(2, 3)[:, ::-1]
    found = seen(value)
    numpy.testing.assert_array_equal(found, value)
    assert not numpy.shares_memory(found, value)
    assert type(seen(numpy.float32(1.5))) is numpy.float32
    assert seen(numpy.dtype("f4")) == numpy.float32
    assert seen(numpy.array([1, "a", Lying()], dtype=object)).tolist() == [1, "a", OPAQUE]
    assert seen(numpy.array([[1], [2, 3]], dtype=object)).tolist() == [[1], [2, 3]]
    assert seen(numpy.ma.masked_array([1], [True])) is OPAQUE


def test_frames_cross_with_their_types() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "a": [1, 2],
            "b": ["x", None],
            "c": pandas.Categorical(["u", "v"]),
            "d": pandas.to_datetime(["2026-01-02"] * 2),
        },
        index=pandas.MultiIndex.from_tuples([("p", 1), ("q", 2)], names=["k", "n"]),
    )
    pandas.testing.assert_frame_equal(seen(frame), frame)
    pandas.testing.assert_series_equal(seen(frame["b"]), frame["b"])
    pandas.testing.assert_series_equal(seen(frame["a"]), frame["a"])
    twice = pandas.concat([frame, frame], axis=1)
    pandas.testing.assert_frame_equal(seen(twice), twice)
    assert seen(pandas.Timestamp("2026-01-02")) == pandas.Timestamp("2026-01-02")
    assert seen(pandas.NaT) is pandas.NaT
    assert seen(pandas.DataFrame({"a": [Lying()]}))["a"].tolist() == [OPAQUE]
    assert seen(frame.groupby("c", observed=True)) is OPAQUE


def test_a_frames_texts_lose_their_class() -> None:
    pandas = pytest.importorskip("pandas")
    assert seen(pandas.DataFrame({"a": [Str("x")]}))["a"].tolist() == [OPAQUE]


def test_spark_rows_cross_with_their_names() -> None:
    sql = pytest.importorskip("pyspark.sql")
    row = sql.Row(name="Ada", age=36)
    found = seen([row])[0]
    assert found == row
    assert (found.name, found["age"]) == ("Ada", 36)
    assert seen(sql.Row(name=Lying()))[0] is OPAQUE


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_any_plain_data_crosses_equal_and_in_its_types(value: Any) -> None:
    found = seen(value)
    assert found == value
    assert repr(found) == repr(value)


def test_nan_crosses() -> None:
    assert math.isnan(seen(math.nan))
