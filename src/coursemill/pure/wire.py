"""Plain data as bytes, and back: what crosses a wall between processes.

JSON's own values stand for themselves (exactly: `1` and `1.0` differ, so do `nan`, `inf` and `-0.0`), a JSON list is a
list, and an object with one name is everything else: the name says what. What is long (text, bytes, arrays) follows
behind as raw bytes. What comes in may be of anybody's making: reading it runs no code of its writer's, imports nothing,
takes no more than is allowed, and raises Malformed for whatever it does not know.
"""

from __future__ import annotations

import _collections_abc
import builtins
import enum
import json
import mmap
import struct
import sys
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursemill.pure import columns, frames, own, plain, tensors
from coursemill.pure.columns import Malformed as Malformed
from coursemill.pure.plain import MAX_BYTES, MAX_DEPTH, MAX_ITEMS, TooLarge

HEAD = struct.Struct(">I")
MAX_HEADER = 64 * 1024**2
"""Bytes of JSON in a frame."""
SIGNS = 4 * MAX_ITEMS
"""Commas and brackets in it: each may become an object."""
MAX_BUFFERS = 200_000

Buffer = bytes | bytearray | memoryview | mmap.mmap


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
        pack = own.PACK.get(id(cls))
        return pack(self, value, depth + 1) if pack else self._foreign(value, cls, depth)

    def list(self, values: Any, depth: int) -> Any:
        """JSON's values for a list or tuple, quickly for one of many numbers or texts."""
        self.count(len(values))
        kinds = set(map(id, map(type, values)))
        if len(kinds) == 1 and len(values) >= own.PACKED and (quick := own.QUICK.get(kinds.pop())):
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
                return self.tree(made(SHALLOW, value, 0), depth)
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


SHALLOW: Any = _Shallow()


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
            return found if type(found) is list else own.fail("a list")
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


LIBRARIES: dict[str, columns.Pack] = {**columns.PACK, **frames.PACK, **tensors.PACK}
UNPACK: dict[str, columns.Unpack] = {**own.UNPACK, **columns.UNPACK, **frames.UNPACK, **tensors.UNPACK}
