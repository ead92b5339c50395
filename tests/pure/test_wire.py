"""Plain data cross as bytes exactly; bytes of anybody's making become data, or one error, and nothing else."""

import collections
import datetime
import decimal
import enum
import fractions
import http
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import time
import uuid
import zoneinfo
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import wire
from coursemill.pure.plain import TooLarge
from coursemill.pure.wire import Malformed

text = st.text(st.characters(exclude_categories=())) | st.builds(lambda t: t * 5000, st.text(min_size=1, max_size=2))
decimals = st.decimals().filter(lambda d: not d.is_snan())  # such a one cannot be hashed
moments = st.datetimes(timezones=st.none() | st.timezones() | st.just(datetime.UTC))
numbers = st.integers() | st.floats() | st.booleans() | st.complex_numbers() | decimals | st.fractions()
hashable = st.none() | numbers | text | st.binary() | moments | st.dates() | st.timedeltas() | st.uuids()
scalars = hashable | st.times() | st.binary().map(bytearray) | st.sampled_from([..., range(1, 9, 2), slice(1, None)])


def nested(inner: Any) -> Any:
    return (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(text, inner)
        | st.dictionaries(hashable, inner)
        | st.sets(hashable)
        | st.frozensets(hashable)
        | st.lists(inner).map(collections.deque)
        | st.dictionaries(text, inner).map(lambda d: collections.defaultdict(list, d))
        | st.dictionaries(text, inner).map(collections.OrderedDict)
    )


def alike(one: Any, other: Any) -> bool:
    """Equal, of the same classes all the way down; nan is nan, and -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, complex):
        return alike(one.real, other.real) and alike(one.imag, other.imag)
    if isinstance(one, dict):
        return alike(list(one), list(other)) and alike(list(one.values()), list(other.values()))
    if isinstance(one, list | tuple | collections.deque):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, set | frozenset):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    if isinstance(one, decimal.Decimal):
        return one.as_tuple() == other.as_tuple()
    if isinstance(one, datetime.datetime | datetime.time):
        return (one.replace(tzinfo=None), one.fold, one.tzinfo) == (
            other.replace(tzinfo=None),
            other.fold,
            other.tzinfo,
        )
    return bool(one == other)


@given(st.recursive(scalars, nested, max_leaves=20))
def test_data_come_back_as_they_were(value: Any) -> None:
    assert alike(wire.loads(wire.dumps(value)), value)


@given(st.lists(st.integers(), min_size=64) | st.lists(st.floats(), min_size=64) | st.lists(text, min_size=64))
def test_long_lists_of_one_kind_too(value: list[Any]) -> None:
    assert alike(wire.loads(wire.dumps(value)), value)
    assert alike(wire.loads(wire.dumps(tuple(value))), tuple(value))


class Spot(NamedTuple):
    x: int
    y: Any = None


class Mood(enum.Enum):
    GOOD = "g"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Item:
    name: str
    price: float


@pytest.mark.parametrize(
    "value",
    [
        *(10**5000, -(10**5000), [2**70] * 100, 2**63, -(2**63), 1e308, -0.0, math.inf, -math.inf),
        *(pathlib.Path("/a/b"), pathlib.PureWindowsPath("c:\\x"), uuid.UUID(int=3), fractions.Fraction(-1, 3)),
        *(decimal.Decimal("1.10"), decimal.Decimal("sNaN12"), decimal.Decimal("-Infinity"), NotImplemented),
        datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
        datetime.time(3, tzinfo=datetime.timezone(datetime.timedelta(hours=-1), "named")),
        *(collections.Counter("aab"), collections.deque([1], 3), collections.defaultdict(int, {1: 2})),
        *(http.HTTPStatus.OK, [True] * 100, {(1, "a"): {frozenset({1})}}, {"a" * 5000: 1}, "x" * 10**6, b"x" * 10**6),
        [[]] * 1000,
    ],
    ids=lambda v: f"{type(v).__name__}{str(v)[:20] if type(v) is not int else ''}",
)
def test_odd_values(value: Any) -> None:
    assert alike(wire.loads(wire.dumps(value)), value)


@pytest.mark.parametrize("value", [Spot(1, [2]), Mood.GOOD, Right.READ | Right.WRITE, Item("a", 1.5), [Item("b", 2.0)]])
def test_classes_that_both_sides_know(value: Any) -> None:
    known = {cls.__qualname__: cls for cls in (Spot, Mood, Right, Item)}
    made = wire.loads(wire.dumps(value), lambda module, name: known.get(name) if module == __name__ else None)
    assert made == value
    assert type(made) is type(value)


def test_classes_that_the_reader_does_not_know() -> None:
    spot = wire.loads(wire.dumps(Spot(1, 2)))
    assert (spot, spot.x, type(spot).__name__) == ((1, 2), 1, "Spot")
    assert type(spot) is not Spot
    for value in (Mood.GOOD, Item("a", 1.5)):
        with pytest.raises(Malformed, match="a class that is known here"):
            wire.loads(wire.dumps(value))


@pytest.mark.parametrize(
    "value", [object(), len, print, type, [SimpleNamespace()], {1: os}, (x for x in "a"), Malformed]
)
def test_what_is_no_plain_data(value: Any) -> None:
    with pytest.raises(TypeError, match="is no plain data"):
        wire.dumps(value)


def test_what_a_subclass_says_does_not_count() -> None:
    class Liar(int):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = int.__hash__

    with pytest.raises(TypeError):
        wire.dumps(Liar(3))


def test_what_holds_itself_or_is_too_much() -> None:
    loop: list[Any] = []
    loop.append(loop)
    twins: list[Any] = []
    for _ in range(90):
        twins = [twins, twins]
    with pytest.raises(TooLarge):
        wire.Packer(items=10_000).tree(twins)
    for value in (loop, {"a": loop}, [0] * 6_000_000, bytes(600 * 1024**2), [""] * 5_000_001):
        with pytest.raises(TooLarge):
            wire.dumps(value)


def test_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    fields = [("a", "<i4"), ("b", "<f8", (2,)), ("c", [("d", "S3")])]
    padded = numpy.dtype({"names": ["x", "y"], "formats": ["i1", "i8"], "offsets": [0, 8], "itemsize": 24})
    for value in (
        *(numpy.arange(6).reshape(2, 3), numpy.asfortranarray(numpy.eye(3)), numpy.zeros((0, 3)), numpy.array(3)),
        *(numpy.arange(10)[::-2], numpy.broadcast_to(1, (2, 2)), numpy.array(["a", "bc"]), numpy.array([b"x", b""])),
        *(numpy.array([1, "NaT"], "M8[ns]"), numpy.array([1, 2], "m8[D]"), numpy.array([1.5], ">f4")),
        *(numpy.zeros(3, fields), numpy.ones(2, padded), numpy.array([True]), numpy.array([1 + 2j], "c8")),
        *(numpy.float32(1.5), numpy.datetime64("2024-01-01"), numpy.str_("ab"), numpy.bool_(True), numpy.int8(-1)),
    ):
        made = wire.loads(wire.dumps(value))
        assert type(made) is type(value)
        assert made.dtype == value.dtype
        numpy.testing.assert_array_equal(made, value)
    mixed = numpy.array([None, [1], {"a": (2,)}], dtype=object)
    made = wire.loads(wire.dumps(mixed))
    assert made.dtype == object
    assert made.tolist() == mixed.tolist()
    writable = wire.loads(wire.dumps(numpy.zeros(3)))
    writable[0] = 1
    assert wire.loads(wire.dumps(numpy.dtype(fields))) == numpy.dtype(fields)


def frames() -> list[Any]:
    pandas, numpy = pytest.importorskip("pandas"), pytest.importorskip("numpy")
    series = [
        *(pandas.Series([1, 2], name="a"), pandas.Series(["a", None]), pandas.Series([1, None], dtype="Int64")),
        *(pandas.Series([True, None], dtype="boolean"), pandas.Series(["x", None], dtype="string")),
        *(pandas.Series(["a", "b", "a"], dtype="category"), pandas.Series([1.5, numpy.nan], dtype="Float32")),
        *(pandas.Series(pandas.date_range("2024", periods=3, freq="MS", tz="Europe/Berlin")), pandas.Series([])),
        *(pandas.Series(pandas.period_range("2024-01", periods=3, freq="M")), pandas.Series([[1], {"a": 2}])),
        *(pandas.Series(pandas.interval_range(0, 3)), pandas.Series(pandas.to_timedelta([1, 2], unit="s"))),
        pandas.Series([1, 2], index=pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None])),
        *(pandas.Series([1, 2], index=pandas.date_range("2024", periods=2)), pandas.Series([1], dtype="M8[s]")),
    ]
    arrow = pytest.importorskip("pyarrow")
    for kind in (arrow.int8(), arrow.float64(), arrow.string(), arrow.timestamp("us"), arrow.bool_(), arrow.date32()):
        series.append(pandas.Series(pandas.array([None, None], dtype=pandas.ArrowDtype(kind))))
    series.append(pandas.Series(["x", None, "yz"], dtype=pandas.ArrowDtype(arrow.string()))[1:])
    series.append(pandas.Series(["x", None], dtype="string[pyarrow]"))
    return series


def test_series_indexes_and_frames() -> None:
    pandas, numpy = pytest.importorskip("pandas"), pytest.importorskip("numpy")
    for one in frames():
        made = wire.loads(wire.dumps(one))
        pandas.testing.assert_series_equal(made, one)
        index = pandas.Index(one)
        pandas.testing.assert_index_equal(wire.loads(wire.dumps(index)), index, exact=True)
        frame = one.to_frame("x").assign(y=1)
        pandas.testing.assert_frame_equal(wire.loads(wire.dumps(frame)), frame)
    for frame in (
        *(pandas.DataFrame(), pandas.DataFrame(index=[1, 2]), pandas.DataFrame(columns=["a", "b"])),
        *(pandas.DataFrame([[1, 2.0]], columns=["a", "a"]), pandas.DataFrame({("a", 1): [1], None: [2]})),
        pandas.DataFrame(numpy.eye(3), columns=pandas.MultiIndex.from_tuples([("a", 1), ("b", 1), ("b", 2)])),
    ):
        pandas.testing.assert_frame_equal(wire.loads(wire.dumps(frame)), frame, check_column_type=True)
    noted = pandas.DataFrame({"a": [1]})
    noted.attrs["unit"] = "kg"
    assert wire.loads(wire.dumps(noted)).attrs == {"unit": "kg"}


def test_moments_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    for value in (
        *(pandas.Timestamp("2024"), pandas.Timestamp("2024-10-27 02:30+01:00", tz="Europe/Berlin"), pandas.NaT),
        *(pandas.Timestamp("2024", tz=zoneinfo.ZoneInfo("Asia/Tokyo")), pandas.Timestamp("2024").as_unit("s")),
        *(pandas.Timedelta("1s"), pandas.NA),
    ):
        made = wire.loads(wire.dumps(value))
        assert (repr(made), type(made), getattr(made, "unit", "")) == (
            repr(value),
            type(value),
            getattr(value, "unit", ""),
        )


def test_rows_and_schemas_of_spark() -> None:
    types = pytest.importorskip("pyspark.sql.types")
    fields = [
        types.StructField("n", types.DecimalType(10, 2)),
        types.StructField("m", types.LongType(), False, {"k": 1}),
    ]
    maps = types.MapType(types.StringType(), types.ArrayType(types.StructType(fields)))
    for value in (
        types.Row(a=1, b=[types.Row(x=2)]),
        types.Row(1, 2),
        types.StructType([types.StructField("o", maps)]),
    ):
        made = wire.loads(wire.dumps(value))
        assert (made, type(made), repr(made)) == (value, type(value), repr(value))


# Bytes of anybody's making


def framed(tree: Any, *buffers: bytes) -> bytes:
    head = json.dumps([tree, [len(b) for b in buffers]]).encode()
    return struct.pack(">I", len(head)) + head + b"".join(buffers)


RUBBISH = [
    *(
        {"eval": "1"},
        {},
        {"a": 1, "b": 2},
        {"str": 0},
        {"str": "x"},
        {"str": -1},
        {"bytes": True},
        {"int": 7},
        {"t": 3},
    ),
    *({"set": [[]]}, {"set": [{"d": {}}]}, {"dict": [[1], []]}, {"dict": [[[]], [1]]}, {"d": []}, {"range": [0, 1, 0]}),
    *(
        {"range": [0, 1.5, 1]},
        {"complex": [1]},
        {"Decimal": "1x"},
        {"Decimal": 3},
        {"Fraction": [1, 0]},
        {"UUID": [-1]},
    ),
    *({"date": "x"}, {"datetime": ["2024-01-01", 0, "../../etc/passwd"]}, {"datetime": ["2024-01-01", 7, None]}),
    *({"timezone": [{"timedelta": [9, 0, 0]}]}, {"timezone": 3}, {"singleton": "x"}, {"singleton": []}),
    *({"named": []}, {"named": ["a", "b", "c d", ["x"], [1]]}, {"named": ["a", "b", "C", ["x", "import"], [1, 2]]}),
    *(
        {"named": ["os", "stat_result", "C", ["x"], []]},
        {"member": ["os", "system", "x", None]},
        {"member": [1, 2, 3, 4]},
    ),
    *({"record": ["subprocess", "Popen", [], []]}, {"deque": [[], "x"]}, {"defaultdict": ["eval", {"d": {}}]}),
    *({"array": ["|O", [1], "C", 0]}, {"array": ["<i4", [10**12], "C", 0]}, {"array": ["<i4", [-1], "C", 0]}),
    *({"array": ["V0", [10**18], "C", 0]}, {"array": [{"fields": [[["a", 0, "|O"]], 8]}, [1], "C", 0]}),
    *(
        {"array": [{"fields": [[["a", -8, "<i8"]], 8]}, [1], "C", 0]},
        {"array": [{"of": ["<i8", [10**9]]}, [1], "C", 0]},
    ),
    *({"array": ["import os", [1], "C", 0]}, {"array": [{"ml_dtypes": "finfo"}, [1], "C", 0]}, {"dtype": {"x": 1}}),
    *({"scalar": ["|O8", "00" * 8]}, {"scalar": ["<i4", "zz"]}, {"objects": [[2], [1]]}, {"objects": [[10**12], []]}),
    *({"Series": [1, 2, None, 3]}, {"Series": [{"objects": [[1], [1]]}, {"RangeIndex": [0, 5, 1, None]}, None, None]}),
    *({"Index": [{"masked": [3, 4]}, None, None]}, {"categorical": [{"objects": [[1], [9]]}, 3, False]}),
    *({"arrow": ["extension<arrow.py_extension_type>", 1, 0, []]}, {"arrow": ["string", 10**9, 0, [None, 0, None]]}),
    *(
        {"MultiIndex": [[], [], []]},
        {"missing": "os"},
        {"Timestamp": [1, "ns", ["pytz", "../x"], 0]},
        {"Block": [1, 2, 3, 4]},
    ),
    *({"periods": [{"objects": [[0], []]}, "x"]}, {"texts": ["evil", "x", []]}, {"Timedelta": ["x", "ns"]}),
    *(
        {"StructType": {"d": {"type": "udt", "class": "os.system"}}},
        {"StructType": {"d": {"type": "struct"}}},
        {"Row": [3, []]},
    ),
    *({"tensor": ["resource", 3]}, {"DType": "no such"}, {"TensorSpec": [1]}, {"strings": [[3], ["x"]]}),
    *([{"str": 0}, {"str": 0}], {"ints": 0}, {"floats": 1}, [[[[{"x": 1}]]]]),
]


@pytest.mark.parametrize("tree", RUBBISH, ids=str)
def test_rubbish_is_refused(tree: Any) -> None:
    for library in ("numpy", "pandas", "pyarrow"):
        pytest.importorskip(library)
    before = set(sys.modules)
    with pytest.raises(Malformed):
        wire.loads(framed(tree, b"\xff\xfe\xfd"))
    assert {
        name for name in set(sys.modules) - before if not name.startswith(("pandas", "numpy", "pyarrow", "zoneinfo"))
    } == set()


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0", b"\0\0\0\1", b"\xff\xff\xff\xff", struct.pack(">I", 2) + b"{}", struct.pack(">I", 4) + b"[1,2"),
        *(framed(1) + b"x", framed(1, b"x")[:-1], struct.pack(">I", 100_000) + b"[" * 100_000),
        struct.pack(">I", 20) + b"[1, [99999999999999]]"[:20],
        *(
            struct.pack(">I", len(h)) + h
            for h in (b"[1,[-1]]", b'[1,["a"]]', b"[1,{}]", b"[1,[600000000]]", b"[1,[1.5]]")
        ),
        struct.pack(">I", 5007) + b"[" + b"9" * 5000 + b",[]]  ",
    ],
    ids=lambda data: str(data[:30]),
)
def test_broken_frames_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        wire.loads(data)


def test_what_takes_too_much_is_refused_in_time() -> None:
    began = time.monotonic()
    many = b"[[" + b"[]," * 10_000_000 + b"[]],[]]"
    deep = b"[" + b'{"t":[' * 5000 + b"]}" * 5000 + b",[]]"
    for head in (many, deep):
        with pytest.raises(Malformed):
            wire.loads(struct.pack(">I", len(head)) + head)
    with pytest.raises(Malformed):
        wire.loads(framed([{"str": 0}] * 1000, b"x" * 10**6))
    assert time.monotonic() - began < 10


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(wire.UNPACK)), inner, max_size=1),
    ),
    st.lists(st.binary(max_size=64), max_size=3),
)
def test_whatever_comes_becomes_data_or_one_error(tree: Any, buffers: list[bytes]) -> None:
    try:
        made = wire.loads(framed(tree, *buffers))
    except Malformed:
        return
    wire.dumps(made)  # so it is data


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(Malformed):
        wire.loads(data)


def test_nothing_is_imported_for_data() -> None:
    trees = [{"array": ["<i8", [1], "C", 0]}, {"Series": [1, 2, None, 3]}, {"Row": [None, []]}]
    code = f"""
import sys
from coursemill.pure import wire
before = set(sys.modules)
for data in {[framed(tree, bytes(8)) for tree in trees]!r}:
    try:
        wire.loads(data)
    except wire.Malformed as error:
        assert "is not imported here" in str(error), error
    else:
        raise SystemError
assert set(sys.modules) == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)
