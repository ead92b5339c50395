"""Series, frames and indexes of pandas as columns, and back; see `columns`.

Each column is a raw buffer with its type: numpy's as they are, those of pandas' own types by their parts, those of
Arrow by Arrow's buffers, which are validated in full. What has another type is no plain data.
"""

from __future__ import annotations

import sys
from typing import Any

from coursemill.pure.columns import Missing, Pack, Packer, Unfit, Unpack, Unpacker, boxed, library

UNITS = ("s", "ms", "us", "ns")
MASKED = {"IntegerArray", "FloatingArray", "BooleanArray"}
ARROW = frozenset(
    {
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "halffloat", "float"),
        *("double", "string", "large_string", "binary", "large_binary", "date32[day]", "date64[ms]"),
        *(f"{kind}[{unit}]" for kind in ("timestamp", "duration") for unit in UNITS),
    }
)
"""Types of Arrow, as it names them, that cross."""
NAMES = {
    "float": "float32",
    "double": "float64",
    "halffloat": "float16",
    "date32[day]": "date32",
    "date64[ms]": "date64",
}
"""Where Arrow's function for a type has another name."""


def _series(p: Packer, value: Any, depth: int) -> Any:
    return {"Series": [_column(p, value.array, depth), *_common(p, value, depth), p.tree(value.name, depth)]}


def _un_series(u: Unpacker, payload: Any, depth: int) -> Any:
    column, index, attrs, name = u.fields(payload, object, object, object, object)
    made = _a_series(u, column, _labels(u, index, depth), depth)
    made.name = u.value(name, depth)
    return _with(u, made, attrs, depth)


def _frame(p: Packer, value: Any, depth: int) -> Any:
    columns = p.tree(value.columns, depth)
    types = list(value.dtypes)
    kinds = {getattr(one, "str", "O") for one in types}  # only numpy's have one
    if len(types) > 1 and len(kinds) == 1 and "O" not in next(iter(kinds)):
        return {"Block": [p.tree(value.to_numpy(), depth), *_common(p, value, depth), columns]}
    parts = [_column(p, value.iloc[:, i].array, depth) for i in range(len(types))]
    return {"DataFrame": [parts, *_common(p, value, depth), columns]}


def _un_frame(u: Unpacker, payload: Any, depth: int) -> Any:
    pandas = u.library("pandas")
    parts, index, attrs, columns = u.fields(payload, list, object, object, object)
    rows = _labels(u, index, depth)
    series = {i: _a_series(u, part, rows, depth) for i, part in enumerate(u.list(parts, depth))}
    made = pandas.DataFrame(series, index=rows, columns=range(len(series)))
    made.columns = _labels(u, columns, depth)
    return _with(u, made, attrs, depth)


def _un_block(u: Unpacker, payload: Any, depth: int) -> Any:
    values, index, attrs, columns = u.fields(payload, object, object, object, object)
    found = _array(u, values, depth)
    made = u.library("pandas").DataFrame(
        found, index=_labels(u, index, depth), columns=_labels(u, columns, depth), copy=False
    )
    return _with(u, made, attrs, depth)


def _common(p: Packer, value: Any, depth: int) -> list[Any]:
    attrs = dict(value.attrs)
    return [p.tree(value.index, depth), p.tree(attrs, depth) if attrs else None]


def _with(u: Unpacker, made: Any, attrs: Any, depth: int) -> Any:
    if attrs is not None:
        made.attrs.update(u.value(attrs, depth))
    return made


def _a_series(u: Unpacker, column: Any, index: Any, depth: int) -> Any:
    found = _values(u, column, depth)
    made = u.library("pandas").Series(found, index=index, dtype=object if found.dtype == object else None, copy=False)
    if made.dtype != found.dtype:
        raise ValueError("a column of another type")
    return made


# Columns


def _column(p: Packer, array: Any, depth: int) -> Any:
    """The values of a series or an index, by the class of pandas that holds them; raises Unfit."""
    name = type(array).__name__
    if name in ("NumpyExtensionArray", "PandasArray"):
        return p.tree(array.to_numpy(), depth)
    if name in MASKED:
        return {"masked": [p.tree(array._data, depth), p.tree(array._mask, depth)]}
    if name == "Categorical":
        return {"categorical": [p.tree(array.codes, depth), p.tree(array.categories, depth), array.ordered]}
    if name in ("DatetimeArray", "TimedeltaArray"):
        zone = _zone(array.tz) if name == "DatetimeArray" else None
        return {"moments": [p.tree(array._ndarray, depth), zone]}
    if name == "PeriodArray":
        return {"periods": [p.tree(array.asi8, depth), array.dtype.name.removeprefix("period[").removesuffix("]")]}
    if name == "IntervalArray":
        return {"intervals": [p.tree(array.left, depth), p.tree(array.right, depth), array.closed]}
    if name in ("StringArray", "ArrowStringArray", "ArrowStringArrayNumpySemantics"):
        missing = array.isna()
        texts = [None if gone else text for text, gone in zip(array, missing, strict=True)]
        return {"texts": [array.dtype.storage, str(array.dtype.na_value), p.list(texts, depth)]}
    if name == "ArrowExtensionArray":
        return {"arrow": _arrow(p, array)}
    raise Unfit


def _values(u: Unpacker, tree: Any, depth: int) -> Any:
    """The values of a series or an index."""
    found = u.value(tree, depth)
    if not isinstance(found, (u.library("numpy").ndarray, u.library("pandas").api.extensions.ExtensionArray)):
        raise ValueError("a column expected")
    return found


def _labels(u: Unpacker, tree: Any, depth: int) -> Any:
    found = u.value(tree, depth)
    if not isinstance(found, u.library("pandas").Index):
        raise ValueError("an index expected")
    return found


def _array(u: Unpacker, tree: Any, depth: int, kind: str = "") -> Any:
    found = u.value(tree, depth)
    if type(found) is not u.library("numpy").ndarray or (kind and found.dtype.kind not in kind):
        raise ValueError("an array expected")
    return found


def _un_masked(u: Unpacker, payload: Any, depth: int) -> Any:
    pandas = u.library("pandas")
    data, mask = u.fields(payload, object, object)
    values, missing = _array(u, data, depth, "biuf"), _array(u, mask, depth, "b")
    which = {"b": "BooleanArray", "f": "FloatingArray"}.get(values.dtype.kind, "IntegerArray")
    return getattr(pandas.arrays, which)(values, missing)


def _un_categorical(u: Unpacker, payload: Any, depth: int) -> Any:
    codes, categories, ordered = u.fields(payload, object, object, bool)
    found = _labels(u, categories, depth)
    return u.library("pandas").Categorical.from_codes(_array(u, codes, depth, "i"), categories=found, ordered=ordered)


def _un_moments(u: Unpacker, payload: Any, depth: int) -> Any:
    pandas = u.library("pandas")
    data, zone = u.fields(payload, object, object)
    values = _array(u, data, depth, "mM")
    made = pandas.array(values)
    return made if zone is None else made.tz_localize("UTC").tz_convert(_un_zone(zone))


def _un_periods(u: Unpacker, payload: Any, depth: int) -> Any:
    ordinals, frequency = u.fields(payload, object, str)
    pandas = u.library("pandas")
    return pandas.arrays.PeriodArray(_array(u, ordinals, depth, "i"), dtype=pandas.PeriodDtype(frequency))


def _un_intervals(u: Unpacker, payload: Any, depth: int) -> Any:
    left, right, closed = u.fields(payload, object, object, str)
    ends = _labels(u, left, depth), _labels(u, right, depth)
    return u.library("pandas").arrays.IntervalArray.from_arrays(*ends, closed=closed)


def _un_texts(u: Unpacker, payload: Any, depth: int) -> Any:
    pandas = u.library("pandas")
    storage, missing, texts = u.fields(payload, str, str, object)
    found = u.list(texts, depth)
    if storage not in ("python", "pyarrow") or not {type(one) for one in found} <= {str, type(None)}:
        raise ValueError("texts expected")
    options = {} if missing == "<NA>" else {"na_value": float("nan")}
    return pandas.array(boxed(found), dtype=pandas.StringDtype(storage, **options))


# Arrow


def _arrow(p: Packer, array: Any) -> list[Any]:
    whole = array._pa_array.combine_chunks()
    if str(whole.type) not in ARROW:
        raise Unfit
    arrow = sys.modules["pyarrow"]
    whole = arrow.concat_arrays([whole])  # of an offset of 0
    if whole.offset:
        raise Unfit
    buffers = [None if one is None else p.buffer(memoryview(one)) for one in whole.buffers()]
    return [str(whole.type), len(whole), whole.null_count, buffers]


def _un_arrow(u: Unpacker, payload: Any, depth: int) -> Any:
    pandas, arrow = u.library("pandas"), u.library("pyarrow")
    name, length, nulls, buffers = u.fields(payload, str, int, int, list)
    if name not in ARROW:
        raise ValueError("a type of Arrow expected")
    kind, _, unit = name.removesuffix("]").partition("[")
    made = getattr(arrow, kind)(unit) if unit in UNITS and kind in ("timestamp", "duration") else None
    cls = made or getattr(arrow, NAMES.get(name, name) if name != "bool" else "bool_")()
    raw = [None if one is None else arrow.py_buffer(bytes(u.buffer(one))) for one in buffers]
    found = arrow.Array.from_buffers(cls, length, raw, null_count=nulls)
    found.validate(full=True)
    return pandas.arrays.ArrowExtensionArray(arrow.chunked_array([found]))


# Indexes


def _index(p: Packer, value: Any, depth: int) -> Any:
    frequency = getattr(value, "freqstr", None) if type(value).__name__ in ("DatetimeIndex", "TimedeltaIndex") else None
    return {"Index": [_column(p, value.array, depth), p.tree(value.name, depth), frequency]}


def _un_index(u: Unpacker, payload: Any, depth: int) -> Any:
    column, name, frequency = u.fields(payload, object, object, object)
    found = _values(u, column, depth)
    made = u.library("pandas").Index(found, dtype=found.dtype, name=u.value(name, depth), copy=False)
    if frequency is not None:
        (made.freq,) = u.fields([frequency], str)
    return made


def _range(p: Packer, value: Any, depth: int) -> Any:
    return {"RangeIndex": [value.start, value.stop, value.step, p.tree(value.name, depth)]}


def _un_range(u: Unpacker, payload: Any, depth: int) -> Any:
    start, stop, step, name = u.fields(payload, int, int, int, object)
    return u.library("pandas").RangeIndex(start, stop, step, name=u.value(name, depth))


def _multi(p: Packer, value: Any, depth: int) -> Any:
    levels = [p.tree(level, depth) for level in value.levels]
    codes = [p.tree(library("numpy").asarray(one), depth) for one in value.codes]
    return {"MultiIndex": [levels, codes, p.tree(list(value.names), depth)]}


def _un_multi(u: Unpacker, payload: Any, depth: int) -> Any:
    levels, codes, names = u.fields(payload, list, list, object)
    parts = [u.value(one, depth) for one in levels], [_array(u, one, depth, "i") for one in codes]
    return u.library("pandas").MultiIndex(*parts, names=u.list(names, depth), verify_integrity=True)


# Moments


def _timestamp(p: Packer, value: Any, depth: int) -> Any:
    return {"Timestamp": [int(value.asm8.view("i8")), value.unit, _zone(value.tz), value.fold]}


def _un_timestamp(u: Unpacker, payload: Any, depth: int) -> Any:
    pandas, numpy = u.library("pandas"), u.library("numpy")
    number, unit, zone, fold = u.fields(payload, int, str, object, int)
    moment = pandas.Timestamp(numpy.datetime64(number, unit if unit in UNITS else "ns"))
    return moment.replace(fold=fold) if zone is None else moment.tz_localize("UTC").tz_convert(_un_zone(zone))


def _timedelta(p: Packer, value: Any, depth: int) -> Any:
    return {"Timedelta": [int(value.asm8.view("i8")), value.unit]}


def _un_timedelta(u: Unpacker, payload: Any, depth: int) -> Any:
    number, unit = u.fields(payload, int, str)
    return u.library("pandas").Timedelta(u.library("numpy").timedelta64(number, unit if unit in UNITS else "ns"))


def _zone(zone: Any) -> Any:
    """A time zone as its name, and who knows it; raises Unfit."""
    if zone is None:
        return None
    module = type(zone).__module__.partition(".")[0]
    if module == "zoneinfo" and type(zone.key) is str:
        return ["zoneinfo", zone.key]
    if module == "pytz" and type(zone.zone) is str:
        return ["pytz", zone.zone]
    if module == "datetime" and zone.utcoffset(None) is not None:
        return ["offset", int(zone.utcoffset(None).total_seconds())]
    raise Unfit


def _un_zone(zone: Any) -> Any:
    import datetime

    whose, name = zone
    if whose == "offset":
        offset = datetime.timedelta(seconds=name)
        return datetime.timezone(offset) if offset else datetime.UTC
    if whose == "pytz":
        return library("pytz").timezone(name)
    if whose == "zoneinfo":
        return library("zoneinfo").ZoneInfo(name)
    raise ValueError("a time zone expected")


def _missing(name: str) -> Pack:
    return lambda p, value, depth: {"missing": name}


def _un_missing(u: Unpacker, payload: Any, depth: int) -> Any:
    if payload not in ("NaT", "NA"):
        raise Missing(str(payload)[:20])
    return getattr(u.library("pandas"), payload)


PACK: dict[str, Pack] = {
    "pandas.core.series.Series": _series,
    "pandas.core.frame.DataFrame": _frame,
    "pandas.core.indexes.range.RangeIndex": _range,
    "pandas.core.indexes.multi.MultiIndex": _multi,
    **{
        f"pandas.core.indexes.{which}": _index
        for which in (
            *("base.Index", "category.CategoricalIndex", "datetimes.DatetimeIndex", "timedeltas.TimedeltaIndex"),
            *("period.PeriodIndex", "interval.IntervalIndex"),
        )
    },
    "pandas._libs.tslibs.timestamps.Timestamp": _timestamp,
    "pandas._libs.tslibs.timedeltas.Timedelta": _timedelta,
    "pandas._libs.tslibs.nattype.NaTType": _missing("NaT"),
    "pandas._libs.missing.NAType": _missing("NA"),
}
UNPACK: dict[str, Unpack] = {
    "Series": _un_series,
    "DataFrame": _un_frame,
    "Block": _un_block,
    "Index": _un_index,
    "RangeIndex": _un_range,
    "MultiIndex": _un_multi,
    "masked": _un_masked,
    "categorical": _un_categorical,
    "moments": _un_moments,
    "periods": _un_periods,
    "intervals": _un_intervals,
    "texts": _un_texts,
    "arrow": _un_arrow,
    "Timestamp": _un_timestamp,
    "Timedelta": _un_timedelta,
    "missing": _un_missing,
}
