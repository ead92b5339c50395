"""Arrays, frames, tensors and rows as JSON's values and raw buffers, and back; see `wire`.

A frame crosses column by column in the layout of Arrow and of numpy: raw buffers with a type from a short list. That
is not Arrow's file format: in it a writer may have compressed what its reader must unpack, and name types of its own.
Libraries are found in `sys.modules`; nothing is imported here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

DTYPE = re.compile(r"[<>|=][biufcSUVmM][0-9]{1,9}(\[[0-9]{0,9}[A-Za-zμ]{1,7}\])?")
MAX_FIELDS = 1000
MAX_SIZE = 512 * 1024**2
"""Elements of an array, also of elements of no size."""


class Unfit(Exception):  # noqa: N818 - as it is: not fit to cross by value
    """A value of a library's that is no plain data after all."""


class Packer(Protocol):
    """`wire.Packer`."""

    @property
    def other(self) -> Callable[[Any], Any]: ...

    def tree(self, value: Any, depth: int = 0) -> Any: ...

    def all(self, values: Iterable[Any], depth: int) -> Any: ...

    def list(self, values: Any, depth: int) -> Any: ...

    def count(self, number: int) -> None: ...

    def buffer(self, data: Any) -> int: ...


class Unpacker(Protocol):
    """`wire.Unpacker`."""

    items: int

    @property
    def library(self) -> Callable[[str], Any]: ...

    @property
    def resolve(self) -> Callable[[str, str], type | None]: ...

    def value(self, tree: Any, depth: int = 0) -> Any: ...

    def list(self, tree: Any, depth: int) -> list[Any]: ...

    def buffer(self, number: Any) -> Any: ...

    def fields(self, payload: Any, *classes: type) -> Any: ...


Pack = Callable[[Packer, Any, int], Any]
Unpack = Callable[[Unpacker, Any, int], Any]


class Malformed(ValueError):  # noqa: N818 - as the message says
    """Bytes that no packer wrote, or data that this reader cannot have."""


class Missing(ValueError):  # noqa: N818 - what is
    """A library that the reader has not imported."""


def library(name: str) -> Any:
    """An imported library; raises Missing."""
    found = sys.modules.get(name)
    if found is None:
        raise Missing(f"{name} is not imported here")
    return found


def scalar(cls: type) -> Pack | None:
    """How values of numpy's scalar classes, and dtypes, are packed."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or cls.__module__.partition(".")[0] not in ("numpy", "ml_dtypes"):
        return None
    if issubclass(cls, numpy.dtype):
        return lambda p, v, d: {"dtype": _described(v)}
    if issubclass(cls, numpy.generic) and not issubclass(cls, numpy.void | numpy.object_):
        return lambda p, v, d: {"scalar": [_described(v.dtype), v.tobytes().hex()]}
    return None


# numpy


def _ndarray(p: Packer, value: Any, depth: int) -> Any:
    numpy = library("numpy")
    if value.dtype == object:
        return {"objects": [list(value.shape), p.list(value.ravel().tolist(), depth)]}
    if value.dtype.hasobject:
        raise Unfit
    order = "F" if value.flags.fnc and value.ndim > 1 else "C"
    whole = numpy.asarray(value, order=order)
    flat = whole.T if order == "F" else whole
    return {"array": [_described(value.dtype), list(value.shape), order, p.buffer(_raw(numpy, flat))]}


def _raw(numpy: Any, array: Any) -> Any:
    """The bytes of a contiguous array, not copied."""
    if not array.nbytes:
        return b""
    return memoryview(array.reshape(-1).view(numpy.uint8))


def _un_array(u: Unpacker, payload: Any, depth: int) -> Any:
    numpy = u.library("numpy")
    described, shape, order, number = u.fields(payload, object, list, str, int)
    dtype, data = _dtype(numpy, described), u.buffer(number)
    size = _size(shape)
    if dtype.hasobject or size * dtype.itemsize != len(data):
        raise ValueError("an array of another size")
    flat = numpy.frombuffer(data, dtype=dtype, count=size) if data else numpy.empty(size, dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _un_objects(u: Unpacker, payload: Any, depth: int) -> Any:
    shape, values = u.fields(payload, list, object)
    found = u.list(values, depth)
    u.library("numpy")
    if _size(shape) != len(found):
        raise ValueError("an array of another size")
    return boxed(found).reshape(shape)


def boxed(values: list[Any]) -> Any:
    """An object array of `values`: numpy would take lists among them for further dimensions."""
    made = library("numpy").empty(len(values), dtype=object)
    for i, value in enumerate(values):
        made[i] = value
    return made


def _size(shape: list[Any]) -> int:
    size = 1
    for one in shape:
        if type(one) is not int or one < 0:
            raise ValueError("a shape expected")
        size *= one
    if size > MAX_SIZE or len(shape) > 64:
        raise ValueError("a smaller shape expected")
    return size


def _described(dtype: Any) -> Any:
    """A dtype as JSON's values: its code, else its fields; raises Unfit."""
    numpy = library("numpy")
    if dtype.fields is None and dtype.subdtype is None:
        if DTYPE.fullmatch(dtype.str) and numpy.dtype(dtype.str) == dtype:
            return dtype.str
        if type(dtype.type).__name__ and dtype.type.__module__ == "ml_dtypes":
            return {"ml_dtypes": dtype.name}
        raise Unfit
    if dtype.subdtype is not None:
        inner, shape = dtype.subdtype
        return {"of": [_described(inner), list(shape)]}
    fields = [[name, dtype.fields[name][1], _described(dtype.fields[name][0])] for name in dtype.names]
    return {"fields": [fields, dtype.itemsize]}


def _dtype(numpy: Any, described: Any, depth: int = 0) -> Any:
    if type(described) is str and DTYPE.fullmatch(described):
        return numpy.dtype(described)
    if type(described) is not dict or len(described) != 1 or depth > 10:
        raise ValueError("a dtype expected")
    ((kind, parts),) = described.items()
    if kind == "ml_dtypes":
        found = vars(library("ml_dtypes")).get(parts)
        if not (isinstance(found, type) and issubclass(found, numpy.generic)):
            raise ValueError("a dtype expected")
        return numpy.dtype(found)
    first, second = parts
    if kind == "of":
        _size(second)
        return numpy.dtype((_dtype(numpy, first, depth + 1), tuple(second)))
    if kind != "fields" or type(first) is not list or len(first) > MAX_FIELDS or type(second) is not int:
        raise ValueError("a dtype expected")
    names, offsets, formats = zip(*first, strict=True) if first else ((), (), ())
    inner = [_dtype(numpy, one, depth + 1) for one in formats]
    return numpy.dtype({"names": list(names), "formats": inner, "offsets": list(offsets), "itemsize": second})


def _un_scalar(u: Unpacker, payload: Any, depth: int) -> Any:
    numpy = u.library("numpy")
    described, digits = u.fields(payload, object, str)
    dtype, data = _dtype(numpy, described), bytes.fromhex(digits)
    if dtype.hasobject or dtype.itemsize != len(data):
        raise ValueError("a scalar of another size")
    return numpy.frombuffer(data, dtype=dtype)[0] if data else numpy.empty(1, dtype)[0]


PACK: dict[str, Pack] = {
    "numpy.ndarray": _ndarray,
}
UNPACK: dict[str, Any] = {
    "array": _un_array,
    "objects": _un_objects,
    "scalar": _un_scalar,
    "dtype": lambda u, v, d: _dtype(u.library("numpy"), v),
}
