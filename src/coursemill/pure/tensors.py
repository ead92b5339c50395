"""TensorFlow's tensors and Spark's rows as JSON's values and raw buffers, and back; see `columns`."""

from __future__ import annotations

import re
from typing import Any

from coursemill.pure.columns import Pack, Packer, Unfit, Unpack, Unpacker, library

SIMPLE = re.compile(r"[a-z_ ]{1,40}(\(\d{1,2},\s?-?\d{1,2}\))?")
"""Spark's types without parts, as it writes them in JSON: `long`, `decimal(10,2)`."""


def _tensor(p: Packer, value: Any, depth: int) -> Any:
    tensorflow = library("tensorflow")
    if value.dtype in (tensorflow.resource, tensorflow.variant) or value.dtype.is_quantized:
        raise Unfit
    array = value.numpy()
    if value.dtype == tensorflow.string:
        flat = [array] if isinstance(array, bytes) else array.ravel().tolist()
        return {"strings": [value.shape.as_list(), p.list(flat, depth)]}
    return {"tensor": [value.dtype.name, p.tree(library("numpy").asarray(array), depth)]}


def _un_tensor(u: Unpacker, payload: Any, depth: int) -> Any:
    tensorflow = u.library("tensorflow")
    name, array = u.fields(payload, str, object)
    return tensorflow.constant(u.value(array, depth), dtype=tensorflow.as_dtype(name))


def _un_strings(u: Unpacker, payload: Any, depth: int) -> Any:
    tensorflow = u.library("tensorflow")
    shape, values = u.fields(payload, list, object)
    found = u.list(values, depth)
    if not {type(one) for one in found} <= {bytes}:
        raise ValueError("bytes expected")
    return tensorflow.reshape(tensorflow.constant(found, dtype=tensorflow.string), shape)


def _dtype(p: Packer, value: Any, depth: int) -> Any:
    return {"DType": value.name}


def _un_dtype(u: Unpacker, payload: Any, depth: int) -> Any:
    return u.library("tensorflow").as_dtype(*u.fields([payload], str))


def _shape(p: Packer, value: Any, depth: int) -> Any:
    return {"TensorShape": None if value.rank is None else value.as_list()}


def _un_shape(u: Unpacker, payload: Any, depth: int) -> Any:
    return u.library("tensorflow").TensorShape(None if payload is None else u.list(payload, depth))


def _spec(p: Packer, value: Any, depth: int) -> Any:
    return {"TensorSpec": [_shape(p, value.shape, depth), value.dtype.name, p.tree(value.name, depth)]}


def _un_spec(u: Unpacker, payload: Any, depth: int) -> Any:
    shape, dtype, name = u.fields(payload, object, str, object)
    tensorflow = u.library("tensorflow")
    return tensorflow.TensorSpec(u.value(shape, depth), tensorflow.as_dtype(dtype), u.value(name, depth))


def _row(p: Packer, value: Any, depth: int) -> Any:
    """A Spark Row: its names, when it has any, stand in an attribute."""
    names = vars(value).get("__fields__")
    values = p.list(tuple(tuple.__iter__(value)), depth)
    return {"Row": [None if names is None else p.list(list(names), depth), values]}


def _un_row(u: Unpacker, payload: Any, depth: int) -> Any:
    names, values = u.fields(payload, object, object)
    made = u.library("pyspark.sql.types").Row(*u.list(values, depth))
    if names is not None:
        made.__fields__ = u.list(names, depth)
    return made


def _schema(p: Packer, value: Any, depth: int) -> Any:
    described = value.jsonValue()
    _check(described)
    return {"StructType": p.tree(described, depth)}


def _un_schema(u: Unpacker, payload: Any, depth: int) -> Any:
    described = u.value(payload, depth)
    _check(described)
    return u.library("pyspark.sql.types").StructType.fromJson(described)


def _check(described: Any, depth: int = 0) -> None:
    """Raise Unfit for a type that is not one of Spark's own: reading a user's type would load pickles and modules."""
    if type(described) is str and SIMPLE.fullmatch(described):
        return
    if type(described) is not dict or depth > 50:
        raise Unfit
    kind = described.get("type")
    inner = {"array": ("elementType",), "map": ("keyType", "valueType")}.get(kind) if type(kind) is str else None
    if kind == "struct":
        for one in described["fields"]:
            if type(one.get("metadata", {})) is not dict:
                raise Unfit
            _check(one["type"], depth + 1)
    elif inner:
        for name in inner:
            _check(described[name], depth + 1)
    else:
        raise Unfit


PACK: dict[str, Pack] = {
    "tensorflow.python.framework.ops.EagerTensor": _tensor,
    "tensorflow.python.framework.dtypes.DType": _dtype,
    "tensorflow.python.framework.tensor_shape.TensorShape": _shape,
    "tensorflow.python.framework.tensor.TensorSpec": _spec,
    "pyspark.sql.types.Row": _row,
    "pyspark.sql.types.StructType": _schema,
}
UNPACK: dict[str, Unpack] = {
    "tensor": _un_tensor,
    "strings": _un_strings,
    "DType": _un_dtype,
    "TensorShape": _un_shape,
    "TensorSpec": _un_spec,
    "Row": _un_row,
    "StructType": _un_schema,
}
