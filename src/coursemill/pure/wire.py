"""Plain data as bytes, and back: what crosses a wall between processes.

JSON's own values stand for themselves (exactly: `1` and `1.0` differ, so do `nan`, `inf` and `-0.0`), a JSON list is a
list, and an object with one name is everything else: the name says what. What is long (text, bytes, arrays) follows
behind as raw bytes. What comes in may be of anybody's making: reading it runs no code of its writer's, imports nothing,
takes no more than is allowed, and raises Malformed for whatever it does not know.
"""

from __future__ import annotations

import _collections_abc
import builtins
import datetime
import decimal
import enum
import fractions
import json
import mmap
import pathlib
import re
import struct
import sys
import types
import uuid
import zoneinfo
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursemill.pure import columns, frames, plain, tensors
from coursemill.pure.plain import MAX_BYTES, MAX_DEPTH, MAX_ITEMS, TooLarge

HEAD = struct.Struct(">I")
MAX_HEADER = 64 * 1024**2
"""Bytes of JSON in a frame."""
SIGNS = 4 * MAX_ITEMS
"""Commas and brackets in it: each may become an object."""
MAX_BUFFERS = 200_000
LONG = 4096
"""Characters from which on a text is a buffer."""
PACKED = 64
"""Numbers from which on a list of them is a buffer."""
DIGITS = 4000
"""Python reads 4300 of a number's."""
BITS = 13_000

Buffer = bytes | bytearray | memoryview | mmap.mmap
Pack = Callable[["Packer", Any, int], Any]
Unpack = Callable[["Unpacker", Any, int], Any]


class Malformed(ValueError):  # noqa: N818 - as the message says
    """Bytes that no packer wrote, or data that this reader cannot have."""


def _no_other(value: Any) -> Any:
    raise TypeError(f"an object of class `{plain.name(type(value))}` is no plain data")


def _no_tag(tag: str, payload: Any) -> Any:
    raise Malformed(f"what is {tag[:20]!r}?")


def library_class(module: str, name: str) -> type | None:
    """A class of a library that is imported here, by its name."""
    if nameless := NAMELESS.get((module, name)):
        return nameless
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = vars(found).get(part) if plain.holds(found) else None
    return found if plain.subclass(type(found), type) and plain.of_library(found) else None


NAMELESS = {
    (cls.__module__, cls.__qualname__): cls
    for cls in (*vars(types).values(), *vars(_collections_abc).values())
    if type(cls) is type and not hasattr(builtins, cls.__name__) and cls.__module__ == "builtins"
}
"""Python's own classes that stand in no module under their names: functions, generators, coroutines …"""


@dataclass(slots=True)
class Packer:
    """Makes JSON's values and buffers of data; what is no plain data is what `other` makes of it."""

    other: Callable[[Any], Any] = _no_other
    have: Callable[[str], bool] = lambda _: True
    """Whether the reader has imported a library."""
    buffers: list[Buffer] = field(default_factory=list)
    items: int = MAX_ITEMS
    bytes: int = MAX_BYTES

    def tree(self, value: Any, depth: int = 0) -> Any:
        """Return JSON's values for `value`; raises TooLarge."""
        cls = type(value)
        if depth > MAX_DEPTH:
            raise TooLarge(f"data that is nested more than {MAX_DEPTH} deep, or holds itself, cannot be compared")
        pack = PACK.get(id(cls))
        return pack(self, value, depth + 1) if pack else self._foreign(value, cls, depth)

    def list(self, values: Any, depth: int) -> Any:
        """JSON's values for a list or tuple, quickly for one of many numbers or texts."""
        self.count(len(values))
        kinds = set(map(id, map(type, values)))
        if len(kinds) == 1 and len(values) >= PACKED and (quick := QUICK.get(kinds.pop())):
            found = quick(self, values)
            if found is not None:
                return found
        return self.all(values, depth)

    def all(self, values: Iterable[Any], depth: int) -> Any:
        """JSON's values for some values."""
        return [self.tree(value, depth) for value in values]

    def count(self, number: int) -> None:
        """Note that there are so many values more."""
        self.items -= number
        if self.items < 0:
            raise TooLarge(f"more than {MAX_ITEMS:,} values cannot be compared")

    def buffer(self, data: Buffer) -> int:
        """Put raw bytes behind; return their number."""
        self.bytes -= data.nbytes if isinstance(data, memoryview) else len(data)
        if self.bytes < 0:
            raise TooLarge(f"more than {MAX_BYTES // 1024**2} MB of data cannot be compared")
        self.buffers.append(data)
        return len(self.buffers) - 1

    def _foreign(self, value: Any, cls: type, depth: int) -> Any:
        """A value whose class is no builtin; see plain.copied."""
        if plain.subclass(cls, tuple) and any("_fields" in vars(base) for base in plain.mro(cls)):
            return self._named(value, cls, depth + 1)
        if plain.subclass(cls, enum.Enum):
            return self._member(value, cls)
        if (names := plain.fields(cls)) is not None:
            return self._record(value, cls, names, depth + 1)
        if not plain.of_library(cls):
            return self.other(value)
        try:
            known = LIBRARIES.get(f"{cls.__module__}.{cls.__qualname__}") or columns.scalar(cls)
            if known and self.have(cls.__module__.partition(".")[0]):
                return known(self, value, depth + 1)
        except columns.Unfit:
            return self.other(value)
        for base, made in plain.STRIPPED:
            if plain.subclass(cls, base):
                return self.tree(made(_SHALLOW, value, 0), depth)
        return self.other(value)

    def _named(self, value: Any, cls: type, depth: int) -> Any:
        """A named tuple, of its class where the reader has it, else of one that looks like it, else opaque."""
        fields: Any = cls.__dict__.get("_fields")
        if type(fields) is not tuple or len(fields) != tuple.__len__(value):
            return self.other(value)
        alike = plain.mro(cls)[1:] == (tuple, object) and all(type(f) is str for f in fields)
        values = self.list(tuple(tuple.__iter__(value)), depth)
        return {"named": [*_names(cls), plain.name(cls), self.all(fields, depth), values, *self._else(value, alike)]}

    def _member(self, value: Any, cls: type) -> Any:
        plain_value = value._value_ if type(value._value_) is int and plain.subclass(cls, enum.Flag) else None
        return {"member": [*_names(cls), value._name_, plain_value, *self._else(value, False)]}

    def _record(self, value: Any, cls: type, names: tuple[str, ...], depth: int) -> Any:
        """An object of a frozen data class, for readers that know it."""
        try:
            values = [object.__getattribute__(value, name) for name in names]
        except AttributeError:
            return self.other(value)
        return {"record": [*_names(cls), list(names), self.list(values, depth), *self._else(value, False)]}

    def _else(self, value: Any, alike: bool) -> Any:
        """What the reader takes where it does not know the class."""
        if alike:
            return []
        try:
            return [self.other(value)]
        except TypeError:
            return []


class _Shallow:
    """A copier that copies nothing, by which a subclass of a builtin becomes the builtin."""

    def copy(self, value: Any, depth: int) -> Any:
        return value

    def all(self, values: Iterable[Any], depth: int) -> list[Any]:
        return list(values)

    other = staticmethod(_no_other)

    def weigh(self, size: int) -> None: ...


_SHALLOW: Any = _Shallow()


@dataclass(slots=True)
class Unpacker:
    """Makes data of JSON's values and buffers.

    `other` knows further names, `resolve` classes by module and name, `library` gives what is imported.
    """

    buffers: Sequence[Buffer | None] = ()
    other: Callable[[str, Any], Any] = _no_tag
    resolve: Callable[[str, str], type | None] = library_class
    library: Callable[[str], Any] = columns.library
    items: int = MAX_ITEMS
    taken: set[int] = field(default_factory=set)

    def value(self, tree: Any, depth: int = 0) -> Any:
        """Return the data; raises Malformed, and what `other` raises."""
        cls = type(tree)
        if cls is dict:
            if len(tree) != 1 or depth > 3 * MAX_DEPTH:
                raise Malformed("an object has one name, and is not nested for ever")
            ((tag, payload),) = tree.items()
            unpack = UNPACK.get(tag)
            return unpack(self, payload, depth + 1) if unpack else self.other(tag, payload)
        return self.list(tree, depth + 1) if cls is list else tree

    def list(self, tree: Any, depth: int) -> list[Any]:
        """The values of a JSON list, or of a buffer of numbers."""
        if type(tree) is not list:
            found = self.value(tree, depth)
            return found if type(found) is list else _fail("a list")
        self.items -= len(tree)
        if self.items < 0 or depth > 3 * MAX_DEPTH:
            raise Malformed("too many values")
        if not NESTED.isdisjoint(map(type, tree)):
            return [self.value(one, depth) for one in tree]
        return tree

    def buffer(self, number: Any) -> Any:
        """Raw bytes, each once: they are the value's own."""
        if type(number) is not int or not 0 <= number < len(self.buffers) or number in self.taken:
            raise Malformed("no such buffer")
        self.taken.add(number)
        return self.buffers[number]

    def fields(self, payload: Any, *classes: type) -> Any:
        """A payload that is a list of values of exactly these classes (`object`: any)."""
        if type(payload) is not list or len(payload) != len(classes):
            raise Malformed("not what belongs here")
        for one, cls in zip(payload, classes, strict=True):
            if cls is not object and type(one) is not cls:
                raise Malformed(f"{cls.__name__} expected")
        return payload


NESTED = frozenset({list, dict})


def pack(value: Any, other: Callable[[Any], Any] = _no_other) -> list[Buffer]:
    """Return a frame as pieces of bytes; raises TooLarge, and TypeError for what is no plain data."""
    packer = Packer(other)
    return frame(packer.tree(value), packer.buffers)


def dumps(value: Any) -> bytes:
    """Return plain data as bytes; raises as `pack` does."""
    return b"".join(pack(value))


def loads(data: bytes, resolve: Callable[[str, str], type | None] = library_class) -> Any:
    """Read back what `dumps` wrote; raises Malformed."""
    if len(data) < HEAD.size:
        raise Malformed("no header")
    (size,) = HEAD.unpack_from(data)
    tree, lengths = header(data[HEAD.size : HEAD.size + size])
    buffers, place = [], HEAD.size + size
    for length in lengths:
        buffers.append(bytearray(data[place : place + length]))
        place += length
    if place != len(data):
        raise Malformed("not as long as it says")
    return unpacked(Unpacker(buffers, resolve=resolve), tree)


def unpacked(unpacker: Unpacker, tree: Any) -> Any:
    """Return the data of `tree`; whatever is wrong with it is Malformed."""
    try:
        return unpacker.value(tree)
    except (Malformed, plain.Refused):
        raise
    except Exception as error:  # what constructors say of arguments that they do not take
        raise Malformed(f"{type(error).__name__}: {str(error)[:200]}") from None


def frame(tree: Any, buffers: list[Buffer]) -> list[Buffer]:
    """Return a frame: the length of its header, the header, the buffers."""
    lengths = [b.nbytes if isinstance(b, memoryview) else len(b) for b in buffers]
    try:
        head = json.dumps([tree, lengths], check_circular=False, separators=(",", ":")).encode("ascii")
    except ValueError as error:  # a number in a quick list that is too long
        raise TooLarge(str(error)) from None
    if len(head) > MAX_HEADER or len(lengths) > MAX_BUFFERS:
        raise TooLarge(f"more than {MAX_HEADER // 1024**2} MB of small values cannot be compared")
    return [HEAD.pack(len(head)), head, *buffers]


def header(data: bytes | bytearray | mmap.mmap) -> tuple[Any, list[int]]:
    """Return the tree and the lengths of the buffers that follow; raises Malformed."""
    data = bytes(data)
    if len(data) > MAX_HEADER or data.count(b",") + data.count(b"[") + data.count(b"{") > SIGNS:
        raise Malformed("too many values")
    try:
        tree, lengths = json.loads(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed(f"no header: {str(error)[:200]}") from None
    if type(lengths) is not list or len(lengths) > MAX_BUFFERS or not {type(n) for n in lengths} <= {int}:
        raise Malformed("no lengths")
    if any(n < 0 for n in lengths) or sum(lengths) > MAX_BYTES:
        raise Malformed(f"more than {MAX_BYTES // 1024**2} MB")
    return tree, lengths


def is_data(cls: type) -> bool:
    """Whether a library's class is one of data that cross by value."""
    name = f"{plain.text(cls, '__module__')}.{plain.text(cls, '__qualname__')}"
    return name in LIBRARIES or columns.scalar(cls) is not None


def _names(cls: type) -> list[str]:
    return [plain.text(cls, "__module__"), plain.text(cls, "__qualname__")]


def _fail(what: str) -> Any:
    raise Malformed(f"{what} expected")


# How builtins are packed


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
LIBRARIES: dict[str, Any] = {**columns.PACK, **frames.PACK, **tensors.PACK}


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
    return found if type(found) is dict else _fail("a dict")


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
            made = made.replace(tzinfo=zoneinfo.ZoneInfo(zone) if ZONE.fullmatch(zone) else _fail("a time zone"))
        elif zone is not None:
            offset = u.value(zone, depth)
            made = made.replace(tzinfo=offset if type(offset) is datetime.timezone else _fail("a time zone"))
        return made.replace(fold=fold)

    return unpack


ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


def _un_zone(u: Unpacker, payload: Any, depth: int) -> Any:
    offset, *name = payload
    if len(name) > 1 or not {type(n) for n in name} <= {str}:
        raise Malformed("a time zone expected")
    found = u.value(offset, depth)
    return datetime.timezone(found if type(found) is datetime.timedelta else _fail("timedelta"), *name)


def _un_made(make: Callable[..., Any], *classes: type) -> Unpack:
    return lambda u, payload, depth: make(*u.fields(u.list(payload, depth), *classes))


def _un_slice(u: Unpacker, payload: Any, depth: int) -> Any:
    return slice(*u.fields(u.list(payload, depth), object, object, object))


def _un_named(u: Unpacker, payload: Any, depth: int) -> Any:
    module, qualname, typename, fields, values, *opaque = payload
    cls = _resolved(u, module, qualname, tuple)
    names = tuple(u.list(fields, depth))
    if cls is not None and cls.__dict__.get("_fields") == names:
        return tuple.__new__(cls, u.list(values, depth))
    if opaque:
        return u.value(opaque[0], depth)
    made = u.list(values, depth)
    if len(made) != len(names):
        raise Malformed("a named tuple expected")
    return tuple.__new__(plain.look_alike(typename, names), made)


def _un_member(u: Unpacker, payload: Any, depth: int) -> Any:
    module, qualname, member, value, *opaque = payload
    cls: Any = _resolved(u, module, qualname, enum.Enum)
    if cls is not None:
        found = cls.__members__.get(member) if type(member) is str else None
        if found is not None or type(value) is int:
            return cls(value) if found is None else found
    return u.value(opaque[0], depth) if opaque else _fail("a member of a class that is known here")


def _un_record(u: Unpacker, payload: Any, depth: int) -> Any:
    module, qualname, names, values, *opaque = payload
    cls = _resolved(u, module, qualname, object)
    if cls is not None and (fields := plain.fields(cls)) is not None and list(fields) == names:
        return plain.record(cls, fields, u.list(values, depth))
    return u.value(opaque[0], depth) if opaque else _fail("an object of a class that is known here")


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
        return numbers.tolist() if u.items >= 0 else _fail("fewer values")

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
    **columns.UNPACK,
    **frames.UNPACK,
    **tensors.UNPACK,
}
