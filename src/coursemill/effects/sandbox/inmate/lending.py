"""What an examiner lends to a candidate that cannot cross by value, and what the candidate may do with it.

A function may be called. An iterator gives its next. An object of a class that the lesson or the test defines shows
its public attributes and methods, and the protocols that its class defines. Nothing else: no name with an underscore in
front, no class, module, frame or code, and no object of a library but those below, which hold only what they show.
"""

from __future__ import annotations

import functools
import inspect
import io
import operator
import sys
import types
from collections.abc import Callable
from typing import Any, Protocol
from unittest import mock

from coursemill.effects.sandbox.inmate import awaiting, recipes
from coursemill.pure import plain, proxy, wire
from coursemill.pure.plain import Refused

CALLABLE = (
    *(types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType, functools.partial),
    *(types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType, operator.itemgetter),
    *(operator.attrgetter, operator.methodcaller, functools._lru_cache_wrapper),
)
STREAMS = (io.StringIO, io.BytesIO, io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom)
OF_STREAMS = frozenset(
    {
        *("read", "readline", "readlines", "write", "writelines", "seek", "tell", "close", "closed", "name", "mode"),
        *("flush", "truncate", "getvalue", "seekable", "readable", "writable", "encoding", "newlines"),
    }
)
VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
MOCKS = frozenset(dir(mock.MagicMock())) | {"method_calls", "mock_calls", "call_args_list"}
"""What is a mock's own: it says what was called, and is not for who called."""
NEVER = (type, types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)
COMPARED = {f"__{name}__": getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")}
METHODS: dict[str, Callable[..., Any]] = {
    "__len__": len,
    "__iter__": iter,
    "__next__": next,
    "__reversed__": reversed,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__contains__": operator.contains,
    "__call__": proxy.OPERATIONS["call"],
    "__enter__": proxy.OPERATIONS["enter"],
    "__exit__": lambda thing, *_: proxy.OPERATIONS["exit"](thing, None, None, None),
    **{"__str__": str, "__repr__": repr, "__bool__": bool, "__hash__": hash},
    **{"__int__": int, "__float__": float, "__index__": operator.index},
    **{f"__{name}__": getattr(operator, f"__{name}__") for name in (*proxy.BINARY, *proxy.UNARY)},
    **{f"__r{name}__": proxy.OPERATIONS[f"r{name}"] for name in proxy.BINARY},
    **COMPARED,
}
"""What may be asked of an object whose class defines it."""


class Lender(Protocol):
    """The examiner's end, as far as it lends."""

    def keep(self, thing: Any) -> int:
        """The number of a thing that stays here."""

    def own(self, cls: type) -> list[str]:
        """The names of an instructor's class that both sides have; empty: it is none."""


def harmless(cls: type) -> bool:
    """Whether objects of a library's class are data, or exceptions: an answer may give the class itself.

    A test that calls what an answer gives would else make, here, whatever library's object the answer has chosen.
    """
    if cls is object or plain.subclass(cls, BaseException):
        return True
    known = {*plain.IMMUTABLE, *plain.CONTAINERS, *plain.REBUILT}
    return id(cls) in known or wire.is_data(cls) or cls.__module__ in ("collections.abc", "numbers", "typing")


def lent(value: Any, packer: wire.Packer, lender: Lender) -> Any:
    """JSON's values for a value of the test's that is no plain data; raises Refused."""
    if named := _named(value):
        return {"l": named}
    cls = type(value)
    if isinstance(value, type):
        return {"l": names} if (names := lender.own(value)) else _function(value, lender)
    if isinstance(value, CALLABLE):
        return _function(value, lender)
    if recipe := recipes.of(value):
        module, name, args, kwargs = recipe
        values = packer.all(kwargs.values(), 1)
        return {"made": [module, name, packer.all(args, 1), dict(zip(kwargs, values, strict=True))]}
    protocols = _protocols(value)
    if protocols is not None:
        return {"r": [lender.keep(value), cls.__name__, protocols, lender.own(cls)]}
    raise Refused(f"an object of class `{cls.__name__}` cannot be given to an answer that runs in another process")


def used(thing: Any, operation: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Do what the candidate asks of a thing that it was lent; raises Refused."""
    if operation == "call" and isinstance(thing, (*CALLABLE, type)):
        found = thing(*args, **kwargs)
        return awaiting.run(found) if inspect.iscoroutine(found) else found
    if operation == "getattr":
        return _attribute(thing, *args)
    if operation == "setattr":
        return _set(thing, *args)
    if operation in (_protocols(thing) or ()):
        if operation in COMPARED and not (len(args) == 1 and _is_own(type(args[0]))):
            return NotImplemented
        return METHODS[operation](thing, *args, **kwargs)
    raise Refused(f"{operation} is not for an answer to do")


def _attribute(thing: Any, name: Any) -> Any:
    if not _shown(thing, name):
        raise AttributeError(f"{type(thing).__name__!r} object has no attribute {str(name)[:80]!r} for an answer")
    found = getattr(thing, name)
    if isinstance(found, NEVER):
        raise AttributeError(f"{name!r} is not for an answer")
    return found


def _set(thing: Any, name: Any, value: Any) -> None:
    """Set a public attribute that is no method."""
    if not _shown(thing, name) or not _is_own(type(thing)):
        raise AttributeError(f"an answer cannot set {str(name)[:80]!r}")
    if isinstance(inspect.getattr_static(type(thing), name, None), (*CALLABLE, *NEVER, staticmethod, classmethod)):
        raise AttributeError(f"an answer cannot set {name!r}")
    setattr(thing, name, value)


def _shown(thing: Any, name: Any) -> bool:
    if type(name) is not str or name.startswith("_"):
        return False
    if isinstance(thing, STREAMS):
        return name in OF_STREAMS
    if isinstance(thing, mock.NonCallableMock):
        return name not in MOCKS
    return _is_own(type(thing))


def _protocols(value: Any) -> list[str] | None:
    """What a stand-in for a value can do beside attributes; None: the value is not lent at all."""
    cls = type(value)
    if isinstance(value, (*NEVER, proxy.Proxy)):
        return None
    if isinstance(value, STREAMS):
        return ["__iter__", "__next__", "__enter__", "__exit__"]
    if isinstance(value, mock.NonCallableMock):
        return [name for name in ("__call__", "__enter__", "__exit__", "__iter__", "__len__") if hasattr(cls, name)]
    if isinstance(value, VIEWS):
        return ["__iter__", "__len__", "__contains__", "__reversed__"]
    if _is_own(cls):
        own = [base for base in cls.__mro__ if base is not object]
        hidden = any(name.startswith("_") for name in getattr(cls, "__dataclass_fields__", ()))
        dull = {"__str__", "__repr__", *COMPARED} if hidden else set()  # a data class's would show them
        return [n for n in METHODS if n not in dull and any(vars(base).get(n) is not None for base in own)]
    if hasattr(cls, "__next__"):
        return ["__iter__", "__next__"]
    return None


def _is_own(cls: type) -> bool:
    """Whether a class is one of the lesson's or the test's, not a library's."""
    name = plain.text(cls, "__module__")
    module = sys.modules.get(name)
    ours = name.partition(".")[0] == "coursemill" or plain.subclass(cls, proxy.Proxy)
    return not (ours or plain.of_library(cls) or (module is not None and plain.installed(module)))


def _named(value: Any) -> list[str]:
    """Where a library's function, class or module is found, in any process; empty: nowhere."""
    if isinstance(value, types.ModuleType):
        return [value.__name__, ""] if plain.installed(value) else []
    owner = getattr(value, "__objclass__", value)  # of `str.upper`: `str`
    module = getattr(owner, "__module__", None) or getattr(type(value), "__module__", None)  # of `np.add`: `numpy`
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if type(module) is not str or type(name) is not str:
        return []
    return [module, name] if _found(module, name) is value else []


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    if found is None or not plain.installed(found):
        return None
    for part in name.split("."):
        found = vars(found).get(part) if plain.holds(found) else None
    return found


def _function(value: Any, lender: Lender) -> Any:
    name = getattr(value, "__name__", type(value).__name__)
    doc = value.__doc__ if isinstance(value, types.FunctionType | types.MethodType) else None
    try:
        parameters = [
            [p.name, p.kind.value, p.default is not p.empty] for p in inspect.signature(value).parameters.values()
        ]
    except (ValueError, TypeError):
        parameters = [["args", 2, False], ["kwargs", 4, False]]
    return {"f": [lender.keep(value), str(name), doc, parameters, inspect.iscoroutinefunction(value)]}
