"""Plain data of libraries: how arrays, frames, tensors and rows are copied.

A class is looked up by its full name, once it is known to be the library's; libraries are found in `sys.modules`,
and nothing is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Copier(Protocol):
    """What goes through data: `plain.copied`'s."""

    def copy(self, value: Any, depth: int) -> Any: ...

    def all(self, values: Iterable[Any], depth: int) -> list[Any]: ...

    def other(self, value: Any) -> Any: ...

    def weigh(self, size: int) -> None: ...


Copy = Callable[[Copier, Any, int], Any]


def copier(name: str) -> Copy | None:
    """How values of the library class of this full name are copied; None: they are no plain data."""
    return LIBRARIES.get(name)


def _ndarray(c: Copier, value: Any, depth: int) -> Any:
    numpy: Any = sys.modules["numpy"]
    c.weigh(value.nbytes)
    if not value.dtype.hasobject:
        return numpy.array(value, copy=True, order="K", subok=False)
    if value.dtype != object:
        return c.other(value)
    made = numpy.empty(value.size, dtype=object)
    made[:] = _boxed(numpy, c.all(value.ravel().tolist(), depth))
    return made.reshape(value.shape)


def _boxed(numpy: Any, values: list[Any]) -> Any:
    """An object array of `values`: numpy would take lists among them for further dimensions."""
    made = numpy.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        made[i] = value
    return made


def _same(c: Copier, value: Any, depth: int) -> Any:
    return value


def _series(c: Copier, value: Any, depth: int) -> Any:
    c.weigh(int(value.memory_usage(index=True, deep=False)))
    made = value.copy(deep=True)
    if made.dtype == object:
        made = type(value)(_boxed(sys.modules["numpy"], c.all(list(value), depth)), dtype=object)
    made.index = c.copy(value.index, depth)
    made.name = c.copy(value.name, depth)
    return made


def _frame(c: Copier, value: Any, depth: int) -> Any:
    c.weigh(int(value.memory_usage(index=True, deep=False).sum()))
    made = value.copy(deep=True)
    for i, dtype in enumerate(value.dtypes):
        if getattr(dtype, "hasobject", False):  # extension types have no such attribute
            made.isetitem(i, _boxed(sys.modules["numpy"], c.all(list(value.iloc[:, i]), depth)))
    made.index = c.copy(value.index, depth)
    made.columns = c.copy(value.columns, depth)
    return made


def _index(c: Copier, value: Any, depth: int) -> Any:
    names = c.all(list(value.names), depth)
    if value.dtype != object:
        made = value.copy(deep=True)
    elif value.nlevels > 1:
        made = type(value).from_tuples(c.all(list(value), depth)) if len(value) else value.copy(deep=True)
    else:
        made = type(value)(_boxed(sys.modules["numpy"], c.all(list(value), depth)), dtype=object)
    made.names = names
    return made


def _tensor(c: Copier, value: Any, depth: int) -> Any:
    tensorflow: Any = sys.modules["tensorflow"]
    if value.dtype in (tensorflow.resource, tensorflow.variant):
        return c.other(value)
    c.weigh(int(value.shape.num_elements() or 0) * max(value.dtype.size, 1))
    return tensorflow.identity(value)


def _shape(c: Copier, value: Any, depth: int) -> Any:
    return type(value)(None if value.rank is None else c.copy(value.as_list(), depth))


def _spec(c: Copier, value: Any, depth: int) -> Any:
    return type(value)(_shape(c, value.shape, depth), value.dtype, c.copy(value.name, depth))


def _row(c: Copier, value: Any, depth: int) -> Any:
    """A Spark Row: its names, when it has any, stand in an attribute."""
    values = c.all(tuple.__iter__(value), depth)
    names = vars(value).get("__fields__")
    made = type(value)(*values)
    if names is not None:
        made.__fields__ = c.all(list(names), depth)
    return made


def _schema(c: Copier, value: Any, depth: int) -> Any:
    return type(value).fromJson(value.jsonValue())


LIBRARIES: dict[str, Copy] = {
    "numpy.ndarray": _ndarray,
    "pandas.core.series.Series": _series,
    "pandas.core.frame.DataFrame": _frame,
    **{
        f"pandas.core.indexes.{which}": _index
        for which in (
            *("base.Index", "range.RangeIndex", "multi.MultiIndex", "category.CategoricalIndex"),
            *("datetimes.DatetimeIndex", "timedeltas.TimedeltaIndex", "period.PeriodIndex", "interval.IntervalIndex"),
        )
    },
    "pandas._libs.tslibs.timestamps.Timestamp": _same,
    "pandas._libs.tslibs.timedeltas.Timedelta": _same,
    "pandas._libs.tslibs.nattype.NaTType": _same,
    "pandas._libs.missing.NAType": _same,
    "tensorflow.python.framework.ops.EagerTensor": _tensor,
    "tensorflow.python.framework.dtypes.DType": _same,
    "tensorflow.python.framework.tensor_shape.TensorShape": _shape,
    "tensorflow.python.framework.tensor.TensorSpec": _spec,
    "pyspark.sql.types.Row": _row,
    "pyspark.sql.types.StructType": _schema,
}
