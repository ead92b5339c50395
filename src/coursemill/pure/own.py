"""Python's own data as JSON's values and raw buffers, and back; see `wire`."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import re
import uuid
import zoneinfo
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from coursemill.pure import plain
from coursemill.pure.columns import Malformed, Pack, Packer, Unpack, Unpacker

LONG = 4096
"""Characters from which on a text is a buffer."""
PACKED = 64
"""Numbers from which on a list of them is a buffer."""
BITS = 13_000
"""Of a number that JSON holds: Python reads 4300 digits."""


def fail(what: str) -> Any:
    """Raise Malformed."""
    raise Malformed(f"{what} expected")


def _same(p: Packer, value: Any, depth: int) -> Any:
    return value


def _int(p: Packer, value: int, depth: int) -> Any:
    return value if value.bit_length() < BITS else {"int": p.buffer(hex(value).encode())}


def _str(p: Packer, value: str, depth: int) -> Any:
    return value if len(value) < LONG else {"str": p.buffer(value.encode("utf-8", "surrogatepass"))}


def _bytes(p: Packer, value: bytes, depth: int) -> Any:
    return {"bytes": p.buffer(value)}


def _dict(p: Packer, value: Any, depth: int) -> Any:
    keys = list(dict.keys(value))
    if set(map(id, map(type, keys))) <= {id(str)} and max(map(len, keys), default=0) < LONG:
        p.count(len(keys))
        return {"d": dict(zip(keys, p.all(dict.values(value), depth), strict=True))}
    return {"dict": [p.list(keys, depth), p.list(list(dict.values(value)), depth)]}


def _items(tag: str, items: Callable[[Any], Iterable[Any]]) -> Pack:
    return lambda p, value, depth: {tag: p.list(list(items(value)), depth)}


def _texts(tag: str, text: Callable[[Any], Any]) -> Pack:
    return lambda p, value, depth: {tag: text(value)}


def _moment(p: Packer, value: Any, depth: int) -> Any:
    """A datetime or a time: without a time zone, with its own offset, or with one that has a name."""
    zone = value.tzinfo
    if zone is None:
        named: Any = None
    elif type(zone) is datetime.timezone:
        named = p.tree(zone, depth)
    elif type(zone) is zoneinfo.ZoneInfo and type(zone.key) is str:
        named = zone.key
    else:
        return p.other(value)
    return {type(value).__name__: [value.replace(tzinfo=None).isoformat(), value.fold, named]}


def _zone(p: Packer, value: datetime.timezone, depth: int) -> Any:
    offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]  # as pickle gets them
    return {"timezone": [p.tree(offset, depth), *name]}


def _built(tag: str, parts: Callable[[Any], list[Any]], *classes: type) -> Pack:
    """Values that hold others, which are what their class would set; else they are no plain data."""

    def pack(p: Packer, value: Any, depth: int) -> Any:
        try:
            found = parts(value)
        except Exception:
            return p.other(value)
        if [type(one) for one in found] != list(classes):
            return p.other(value)
        return {tag: p.all(found, depth)}

    return pack


def _default(p: Packer, value: Any, depth: int) -> Any:
    factory = next((f.__name__ for f in FACTORIES if f is value.default_factory), None)
    return {"defaultdict": [factory, _dict(p, value, depth)]}


def _quick(tag: str, code: str) -> Callable[[Packer, Any], Any]:
    def quick(p: Packer, values: Any) -> Any:
        try:
            return {tag: p.buffer(array(code, values).tobytes())}
        except OverflowError:
            return None

    return quick


def _quick_texts(p: Packer, values: Any) -> Any:
    return list(values) if max(map(len, values)) < LONG else None


FACTORIES = (int, float, str, list, dict, set, tuple, bool)
QUICK: dict[int, Callable[[Packer, Any], Any]] = {
    id(float): _quick("floats", "d"),
    id(int): _quick("ints", "q"),
    id(str): _quick_texts,
    id(bool): lambda p, values: list(values),
}
PATHS = (pathlib.PosixPath, pathlib.PurePosixPath, pathlib.PureWindowsPath)
PACK: dict[int, Pack] = {
    **dict.fromkeys(map(id, (type(None), bool, float)), _same),
    id(int): _int,
    id(str): _str,
    id(bytes): _bytes,
    id(bytearray): lambda p, v, d: {"bytearray": p.buffer(bytes(v))},
    id(complex): _texts("complex", lambda v: [v.real, v.imag]),
    id(range): lambda p, v, d: {"range": p.all((v.start, v.stop, v.step), d)},
    id(slice): lambda p, v, d: {"slice": p.all((v.start, v.stop, v.step), d)},
    id(type(...)): _texts("singleton", lambda v: "..."),
    id(type(NotImplemented)): _texts("singleton", lambda v: "NotImplemented"),
    id(list): lambda p, v, d: p.list(v, d),
    id(tuple): lambda p, v, d: {"t": p.list(v, d)},
    id(set): _items("set", set.__iter__),
    id(frozenset): _items("frozenset", frozenset.__iter__),
    id(dict): _dict,
    id(Counter): lambda p, v, d: {"Counter": _dict(p, v, d)},
    id(OrderedDict): lambda p, v, d: {"OrderedDict": _dict(p, dict(OrderedDict.items(v)), d)},
    id(defaultdict): _default,
    id(deque): lambda p, v, d: {"deque": [p.list(list(deque.__iter__(v)), d), v.maxlen]},
    id(datetime.date): _texts("date", datetime.date.isoformat),
    id(datetime.datetime): _moment,
    id(datetime.time): _moment,
    id(datetime.timedelta): _texts("timedelta", lambda v: [v.days, v.seconds, v.microseconds]),
    id(datetime.timezone): _zone,
    id(decimal.Decimal): lambda p, v, d: {"Decimal": p.tree(str(v), d)},
    id(fractions.Fraction): _built("Fraction", lambda v: [v.numerator, v.denominator], int, int),
    id(uuid.UUID): _built("UUID", lambda v: [v.int], int),
    **{id(cls): _built(cls.__name__, lambda v: [str(v)], str) for cls in PATHS},
}


# How they are unpacked


def _un_int(u: Unpacker, payload: Any, depth: int) -> int:
    return int(bytes(u.buffer(payload)), 16)


def _un_str(u: Unpacker, payload: Any, depth: int) -> str:
    return str(u.buffer(payload), "utf-8", "surrogatepass")


def _un_dict(u: Unpacker, payload: Any, depth: int) -> dict[str, Any]:
    """A dict whose keys are text: what JSON made is its own."""
    if type(payload) is not dict:
        raise Malformed("an object expected")
    values = u.list(list(payload.values()), depth)
    return dict(zip(payload, values, strict=True))


def _un_any_dict(u: Unpacker, payload: Any, depth: int) -> dict[Any, Any]:
    keys, values = u.fields(payload, object, object)
    return dict(zip(u.list(keys, depth), u.list(values, depth), strict=True))


def _a_dict(u: Unpacker, payload: Any, depth: int) -> dict[Any, Any]:
    found = u.value(payload, depth)
    return found if type(found) is dict else fail("a dict")


def _un_default(u: Unpacker, payload: Any, depth: int) -> Any:
    name, values = u.fields(payload, object, dict)
    factory = next((f for f in FACTORIES if f.__name__ == name), None)
    if factory is None and name is not None:
        raise Malformed("the name of a factory expected")
    return defaultdict(factory, _a_dict(u, values, depth))


def _un_deque(u: Unpacker, payload: Any, depth: int) -> Any:
    values, longest = u.fields(payload, object, object)
    if longest is not None and type(longest) is not int:
        raise Malformed("int expected")
    return deque(u.list(values, depth), longest)


def _un_moment(cls: Any) -> Unpack:
    def unpack(u: Unpacker, payload: Any, depth: int) -> Any:
        text, fold, zone = u.fields(payload, str, int, object)
        made = cls.fromisoformat(text)
        if type(zone) is str:
            made = made.replace(tzinfo=zoneinfo.ZoneInfo(zone) if ZONE.fullmatch(zone) else fail("a time zone"))
        elif zone is not None:
            offset = u.value(zone, depth)
            made = made.replace(tzinfo=offset if type(offset) is datetime.timezone else fail("a time zone"))
        return made.replace(fold=fold)

    return unpack


ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


def _un_zone(u: Unpacker, payload: Any, depth: int) -> Any:
    offset, *name = payload
    if len(name) > 1 or not {type(n) for n in name} <= {str}:
        raise Malformed("a time zone expected")
    found = u.value(offset, depth)
    return datetime.timezone(found if type(found) is datetime.timedelta else fail("timedelta"), *name)


def _un_made(make: Callable[..., Any], *classes: type) -> Unpack:
    return lambda u, payload, depth: make(*u.fields(u.list(payload, depth), *classes))


def _un_slice(u: Unpacker, payload: Any, depth: int) -> Any:
    return slice(*u.fields(u.list(payload, depth), object, object, object))


def _un_named(u: Unpacker, payload: Any, depth: int) -> Any:
    module, qualname, typename, fields, values, *opaque = payload
    otherwise = [u.value(one, depth) for one in opaque[:1]]
    cls = _resolved(u, module, qualname, tuple)
    names = tuple(u.list(fields, depth))
    if cls is not None and cls.__dict__.get("_fields") == names:
        return tuple.__new__(cls, u.list(values, depth))
    if otherwise:
        return otherwise[0]
    made = u.list(values, depth)
    if len(made) != len(names):
        raise Malformed("a named tuple expected")
    return tuple.__new__(plain.look_alike(typename, names), made)


def _un_member(u: Unpacker, payload: Any, depth: int) -> Any:
    module, qualname, member, value, *opaque = payload
    otherwise = [u.value(one, depth) for one in opaque[:1]]
    cls: Any = _resolved(u, module, qualname, enum.Enum)
    if cls is not None:
        found = cls.__members__.get(member) if type(member) is str else None
        if found is not None or type(value) is int:
            return cls(value) if found is None else found
    return otherwise[0] if otherwise else fail("a member of a class that is known here")


def _un_record(u: Unpacker, payload: Any, depth: int) -> Any:
    module, qualname, names, values, *opaque = payload
    otherwise = [u.value(one, depth) for one in opaque[:1]]
    cls = _resolved(u, module, qualname, object)
    if cls is not None and (fields := plain.fields(cls)) is not None and list(fields) == names:
        return plain.record(cls, fields, u.list(values, depth))
    return otherwise[0] if otherwise else fail("an object of a class that is known here")


def _resolved(u: Unpacker, module: Any, name: Any, base: type) -> Any:
    if type(module) is not str or type(name) is not str:
        raise Malformed("the name of a class expected")
    cls = u.resolve(module, name)
    return cls if cls is not None and plain.subclass(cls, base) else None


def _un_quick(code: str) -> Unpack:
    def unpack(u: Unpacker, payload: Any, depth: int) -> list[Any]:
        numbers = array(code)
        numbers.frombytes(u.buffer(payload))
        u.items -= len(numbers)
        return numbers.tolist() if u.items >= 0 else fail("fewer values")

    return unpack


def _un_singleton(u: Unpacker, payload: Any, depth: int) -> Any:
    return {"...": ..., "NotImplemented": NotImplemented}[payload]


UNPACK: dict[str, Unpack] = {
    "int": _un_int,
    "str": _un_str,
    "bytes": lambda u, v, d: bytes(u.buffer(v)),
    "bytearray": lambda u, v, d: bytearray(u.buffer(v)),
    "complex": _un_made(complex, float, float),
    "range": _un_made(range, int, int, int),
    "slice": _un_slice,
    "singleton": _un_singleton,
    "t": lambda u, v, d: tuple(u.list(v, d)),
    "d": _un_dict,
    "ints": _un_quick("q"),
    "floats": _un_quick("d"),
    "dict": _un_any_dict,
    "set": lambda u, v, d: set(u.list(v, d)),
    "frozenset": lambda u, v, d: frozenset(u.list(v, d)),
    "Counter": lambda u, v, d: Counter(_a_dict(u, v, d)),
    "OrderedDict": lambda u, v, d: OrderedDict(_a_dict(u, v, d)),
    "defaultdict": _un_default,
    "deque": _un_deque,
    "date": lambda u, v, d: datetime.date.fromisoformat(v),
    "datetime": _un_moment(datetime.datetime),
    "time": _un_moment(datetime.time),
    "timedelta": _un_made(datetime.timedelta, int, int, int),
    "timezone": _un_zone,
    "Decimal": lambda u, v, d: decimal.Decimal(u.fields([u.value(v, d)], str)[0]),
    "Fraction": _un_made(fractions.Fraction, int, int),
    "UUID": lambda u, v, d: uuid.UUID(int=u.fields(u.list(v, d), int)[0]),
    **{cls.__name__: _un_made(cls, str) for cls in PATHS},
    "named": _un_named,
    "member": _un_member,
    "record": _un_record,
}
