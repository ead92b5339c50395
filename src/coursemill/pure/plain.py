"""Data that crosses the wall between answer and test by value: copied, and never with behaviour of its own.

A value's class is looked at by identity (`type(value)`, never `==`, `isinstance` or a hash), because what is
looked at may lie. Libraries are found in `sys.modules`; nothing is imported here.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import sys
import sysconfig
import types
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable
from typing import Any

from coursemill.pure import libraries

MAX_ITEMS = 5_000_000
MAX_DEPTH = 100
MAX_BYTES = 512 * 1024**2

Other = Callable[[Any], Any]
"""What becomes of a value that is no plain data."""
Known = Callable[[type], bool]
"""Whether a class is what its name says, and not the answer's."""


class Refused(TypeError):  # noqa: N818 - what the wall does, not what went wrong
    """A test asked something of an answer's object that only plain data can say."""


class TooLarge(Refused):
    """More data than may cross."""


def copied(value: Any, other: Other, *, strip: bool = True, known: Known | None = None) -> Any:
    """Return a copy of plain data; whatever in it is not plain is what `other` makes of it.

    With `strip`, an instance of a library's subclass of a builtin (bs4's `NavigableString` is a `str`) becomes
    the builtin; an answer's own subclass never does. `known` says which classes are the same on both sides
    (`of_library`): their enums and named tuples keep their class. Raises TooLarge.
    """
    return _Copier(other, strip, known or of_library).copy(value, 0)


def of_library(cls: type) -> bool:
    """Whether `cls` is C's, or what its name says in an installed or standard module: nobody's invention."""
    if not _FLAGS(cls) & HEAP_TYPE:
        return True
    module = sys.modules.get(text(cls, "__module__"))
    found: Any = module
    for part in text(cls, "__qualname__").split("."):
        found = vars(found).get(part) if holds(found) else None
    return module is not None and found is cls and _installed(module)


def installed(module: types.ModuleType) -> bool:
    """Whether a module is an installed or standard one, and what its name says."""
    name = vars(module).get("__name__")
    return type(name) is str and sys.modules.get(name) is module and _installed(module)


def holds(value: Any) -> bool:
    """Whether a value really is a class or a module, in which there may be others."""
    cls = type(value)
    return subclass(cls, type) or subclass(cls, types.ModuleType)


def subclass(cls: type, base: type) -> bool:
    """Whether `cls` really derives from `base`; no metaclass is asked."""
    return any(one is base for one in mro(cls))


def mro(cls: type) -> tuple[type, ...]:
    """A class and its bases, as `type` itself keeps them."""
    found: tuple[type, ...] = _MRO(cls)
    return found


def name(cls: type) -> str:
    """A class's name, whatever its metaclass would say."""
    return text(cls, "__name__") or "object"


def fields(cls: type) -> tuple[str, ...] | None:
    """The fields of a frozen data class that is no library's: its objects are no more than these; else None."""
    own = vars(cls)
    params, found = own.get("__dataclass_params__"), own.get("__dataclass_fields__")
    if getattr(params, "frozen", False) is not True or type(found) is not dict or of_library(cls):
        return None
    return tuple(name for name, one in found.items() if getattr(one, "_field_type", None) is _FIELD)


def record(cls: type, names: Iterable[str], values: Iterable[Any]) -> Any:
    """An object of a frozen data class, without running code of its own."""
    made: Any = object.__new__(cls)
    for one, value in zip(names, values, strict=True):
        object.__setattr__(made, one, value)
    return made


def text(cls: type, which: str) -> str:
    """A class's `__name__`, `__qualname__` or `__module__` as `type` itself keeps it."""
    found = type.__dict__[which].__get__(cls)
    return found if type(found) is str else ""


@functools.lru_cache(maxsize=1000)
def look_alike(typename: str, fields: tuple[str, ...]) -> Any:
    """A class of named tuples."""
    return namedtuple(typename, fields)


class _Copier:
    def __init__(self, other: Other, strip: bool, known: Known) -> None:
        self.other: Other = other
        self.strip, self.known = strip, known
        self.items, self.bytes = MAX_ITEMS, MAX_BYTES

    def copy(self, value: Any, depth: int) -> Any:
        cls = type(value)
        if id(cls) in IMMUTABLE:
            return value
        if depth > MAX_DEPTH:
            raise TooLarge(f"data that is nested more than {MAX_DEPTH} deep, or holds itself, cannot be compared")
        container = CONTAINERS.get(id(cls))
        if container:
            return container(self, value, depth + 1)
        rebuild = REBUILT.get(id(cls))
        if rebuild:
            return self._rebuilt(rebuild, value)
        return self._foreign(value, cls, depth)

    def all(self, values: Iterable[Any], depth: int) -> list[Any]:
        found = []
        for value in values:
            self.items -= 1
            if self.items < 0:
                raise TooLarge(f"more than {MAX_ITEMS:,} values cannot be compared")
            found.append(self.copy(value, depth))
        return found

    def weigh(self, size: int) -> None:
        self.bytes -= size
        if self.bytes < 0:
            raise TooLarge(f"arrays of more than {MAX_BYTES // 1024**2} MB cannot be compared")

    def _rebuilt(self, rebuild: Callable[[Any], Any], value: Any) -> Any:
        try:
            return rebuild(value)
        except Exception:  # its attributes are not what its class would set: no plain data
            return self.other(value)

    def _foreign(self, value: Any, cls: type, depth: int) -> Any:
        """A value whose class is no builtin: of a library that is known here, a subclass of a builtin, or opaque."""
        if subclass(cls, tuple) and any("_fields" in vars(base) for base in mro(cls)):
            return self._named(value, cls, depth + 1)
        if subclass(cls, enum.Enum) and self.known(cls):
            return value
        if self.strip and (names := fields(cls)) is not None and self.known(cls):
            try:
                return record(cls, names, self.all((object.__getattribute__(value, n) for n in names), depth + 1))
            except (AttributeError, TypeError):  # one that is not there, or a class of another kind
                return self.other(value)
        if not of_library(cls):
            return self.other(value)
        known = libraries.copier(f"{cls.__module__}.{cls.__qualname__}")
        if known:
            return known(self, value, depth + 1)
        if _is_numpys(cls):
            return value
        if self.strip:
            for base, made in STRIPPED:
                if subclass(cls, base):
                    return made(self, value, depth + 1)
        return self.other(value)

    def _named(self, value: Any, cls: type, depth: int) -> Any:
        """A named tuple: of its class where that is known, else of one that looks like it."""
        values = self.all(tuple.__iter__(value), depth)
        if not self.strip or self.known(cls):
            return tuple.__new__(cls, values)
        fields: Any = cls.__dict__.get("_fields")
        plain = type(fields) is tuple and all(type(f) is str for f in fields) and mro(cls)[1:] == (tuple, object)
        if not plain or len(values) != len(fields):
            return self.other(value)
        return tuple.__new__(look_alike(name(cls), fields), values)


def _is_numpys(cls: type) -> bool:
    """Whether `cls` is of numpy's scalars, which cannot be changed, or of its dtypes."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or subclass(cls, numpy.void):
        return False
    return subclass(cls, numpy.generic) or subclass(cls, numpy.dtype)


def _installed(module: types.ModuleType) -> bool:
    if module.__name__ == "__main__":
        return False
    file = vars(module).get("__file__")
    if not isinstance(file, str):
        return module.__name__ in sys.builtin_module_names or vars(module).get("__spec__") is not None
    return file.startswith(PLACES)


PLACES = tuple(f"{sysconfig.get_path(kind)}/" for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
_FIELD = dataclasses._FIELD  # type: ignore[attr-defined]  # what tells them from ClassVar and InitVar
_MRO = type.__dict__["__mro__"].__get__
_FLAGS = type.__dict__["__flags__"].__get__
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: every class that Python code makes has it


# Builtins


def _list(c: _Copier, value: Any, depth: int) -> Any:
    return c.all(list.__iter__(value), depth)


def _tuple(c: _Copier, value: Any, depth: int) -> Any:
    return tuple(c.all(tuple.__iter__(value), depth))


def _set(c: _Copier, value: Any, depth: int) -> Any:
    return set(c.all(set.__iter__(value), depth))


def _frozenset(c: _Copier, value: Any, depth: int) -> Any:
    return frozenset(c.all(frozenset.__iter__(value), depth))


def _dict(c: _Copier, value: Any, depth: int) -> dict[Any, Any]:
    keys = c.all(dict.keys(value), depth)
    return dict(zip(keys, c.all(dict.values(value), depth), strict=True))


def _bytearray(c: _Copier, value: Any, depth: int) -> Any:
    return bytearray(value)


def _counter(c: _Copier, value: Any, depth: int) -> Any:
    return Counter(_dict(c, value, depth))


def _ordered(c: _Copier, value: Any, depth: int) -> Any:
    return OrderedDict((k, v) for k, v in _dict(c, value, depth).items())


def _defaultdict(c: _Copier, value: Any, depth: int) -> Any:
    factory = value.default_factory
    plain = factory if any(factory is f for f in (None, int, float, str, list, dict, set, tuple, bool)) else None
    return defaultdict(plain, _dict(c, value, depth))


def _deque(c: _Copier, value: Any, depth: int) -> Any:
    return deque(c.all(deque.__iter__(value), depth), value.maxlen)


def _fraction(value: fractions.Fraction) -> fractions.Fraction:
    return fractions.Fraction(_exact(value.numerator, int), _exact(value.denominator, int))


def _path(value: pathlib.PurePath) -> pathlib.PurePath:
    return type(value)(_exact(str(value), str))


def _uuid(value: uuid.UUID) -> uuid.UUID:
    return uuid.UUID(int=_exact(value.int, int))


def _moment(value: Any) -> Any:
    if any(type(value.tzinfo) is t for t in (type(None), datetime.timezone, zoneinfo.ZoneInfo)):
        return value
    raise TypeError("its time zone is no plain data")


def _exact(value: Any, cls: type) -> Any:
    if type(value) is not cls:
        raise TypeError(f"{cls.__name__} expected")
    return value


IMMUTABLE = frozenset(
    map(
        id,
        (
            *(type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented)),
            *(datetime.date, datetime.timedelta, datetime.timezone, decimal.Decimal),
        ),
    )
)
CONTAINERS: dict[int, Callable[[_Copier, Any, int], Any]] = {
    id(list): _list,
    id(tuple): _tuple,
    id(set): _set,
    id(frozenset): _frozenset,
    id(dict): _dict,
    id(bytearray): _bytearray,
    id(Counter): _counter,
    id(OrderedDict): _ordered,
    id(defaultdict): _defaultdict,
    id(deque): _deque,
}
REBUILT: dict[int, Callable[[Any], Any]] = {
    id(fractions.Fraction): _fraction,
    id(pathlib.PosixPath): _path,
    id(pathlib.PurePosixPath): _path,
    id(pathlib.PureWindowsPath): _path,
    id(uuid.UUID): _uuid,
    id(datetime.datetime): _moment,
    id(datetime.time): _moment,
}
STRIPPED: tuple[tuple[type, Callable[[_Copier, Any, int], Any]], ...] = (
    (str, lambda c, v, d: str.__str__(v)),
    (int, lambda c, v, d: int.__int__(v)),
    (float, lambda c, v, d: float.__float__(v)),
    (complex, lambda c, v, d: complex.__complex__(v)),
    (bytes, lambda c, v, d: bytes.__bytes__(v)),
    (dict, _dict),
    (list, _list),
    (set, _set),
    (frozenset, _frozenset),
)
"""In this order; a tuple's subclass keeps its names (`os.stat_result`) and stays opaque."""
