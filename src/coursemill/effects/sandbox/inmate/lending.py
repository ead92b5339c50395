"""What an examiner lends to a candidate that cannot cross by value, and what the candidate may do with it.

A function may be called. An iterator gives its next. An object of a class that the lesson or the test defines shows
its public attributes and methods, and the protocols that it has. Nothing else: no name with an underscore in front, no
class, module, frame or code, and no object of a library, unless it is one of those below, which hold nothing but what
they show.
"""

from __future__ import annotations

import functools
import inspect
import io
import operator
import sys
import types
from collections.abc import Callable
from typing import Any
from unittest import mock

from coursemill.effects.sandbox.inmate.peer import Kept
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
NEVER = (type, types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)
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
    "__str__": str,
    **{f"__{name}__": getattr(operator, f"__{name}__") for name in (*proxy.BINARY, *proxy.UNARY)},
    **{f"__{name}__": getattr(operator, name) for name in ("eq", "lt", "le", "gt", "ge")},
}
"""What a stand-in may have asked, where the object's class defines it."""


def harmless(cls: type) -> bool:
    """Whether objects of a library's class are data, or exceptions: an answer may give the class itself.

    A test that calls what an answer gives would else make, here, whatever library's object the answer has chosen.
    """
    if cls is object or plain.subclass(cls, BaseException):
        return True
    known = {*plain.IMMUTABLE, *plain.CONTAINERS, *plain.REBUILT}
    return id(cls) in known or wire.is_data(cls) or cls.__module__ in ("collections.abc", "numbers", "typing")


def lent(value: Any, packer: wire.Packer, kept: Kept, classes: dict[str, type]) -> Any:
    """JSON's values for a value of the test's that is no plain data; raises Refused."""
    cls = type(value)
    if named := _named(value):
        return {"l": named}
    if isinstance(value, type):
        if any(value is one for one in classes.values()):
            return {"own": ["__main__", value.__qualname__]}
        return _function(value, packer, kept)
    if isinstance(value, CALLABLE):
        return _function(value, packer, kept)
    if protocols := _protocols(value):
        like = ["__main__", cls.__qualname__] if any(cls is one for one in classes.values()) else None
        return {"r": [kept.keep(value), cls.__name__, protocols, like]}
    raise Refused(f"an object of class `{cls.__name__}` cannot be given to an answer that runs in another process")


def used(thing: Any, operation: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Do what the candidate asks of a thing that it was lent; raises Refused."""
    if operation == "call":
        if not isinstance(thing, (*CALLABLE, type)):
            raise Refused("that cannot be called")
        found = thing(*args, **kwargs)
        return _run(found) if inspect.iscoroutine(found) else found
    if operation == "getattr":
        return _attribute(thing, *args)
    if operation == "setattr":
        return _set(thing, *args)
    if operation in _protocols(thing):
        return METHODS[operation](thing, *args, **kwargs)
    raise Refused(f"{operation} is not for the answer to do")


def _attribute(thing: Any, name: Any) -> Any:
    if not _shown(thing, name):
        raise AttributeError(f"{type(thing).__name__!r} object has no attribute {str(name)[:80]!r} for an answer")
    found = getattr(thing, name)
    if isinstance(found, NEVER):
        raise AttributeError(f"{name!r} is not for an answer")
    return found


def _shown(thing: Any, name: Any) -> bool:
    if type(name) is not str or name.startswith("_"):
        return False
    if isinstance(thing, STREAMS):
        return name in OF_STREAMS
    if isinstance(thing, mock.NonCallableMock):
        return name not in dir(mock.MagicMock) and name not in MOCKS
    return _is_own(type(thing))


MOCKS = frozenset(dir(mock.MagicMock())) | {"method_calls", "mock_calls", "call_args_list"}


def _set(thing: Any, name: Any, value: Any) -> None:
    """Set a public attribute that is there and is no method."""
    if not _shown(thing, name) or not _is_own(type(thing)):
        raise AttributeError(f"an answer cannot set {str(name)[:80]!r}")
    found = inspect.getattr_static(type(thing), name, None)
    if callable(found) or isinstance(found, (*NEVER, staticmethod, classmethod)):
        raise AttributeError(f"an answer cannot set {name!r}")
    setattr(thing, name, value)


def _protocols(value: Any) -> list[str]:
    """What stand-ins for a value can do beside attributes; empty: it is not lent at all."""
    cls = type(value)
    if isinstance(value, (*NEVER, proxy.Proxy)):
        return []
    if isinstance(value, STREAMS):
        return ["__iter__", "__next__", "__enter__", "__exit__"]
    if isinstance(value, mock.NonCallableMock):
        return [name for name in ("__call__", "__enter__", "__exit__", "__iter__", "__len__") if hasattr(cls, name)]
    if _is_own(cls):
        own = [base for base in cls.__mro__ if base is not object]
        return ["", *(name for name in METHODS if any(vars(base).get(name) is not None for base in own))]
    if hasattr(cls, "__next__"):
        return ["__iter__", "__next__"]
    return []


def _is_own(cls: type) -> bool:
    """Whether a class is one of the lesson's or the test's, not a library's."""
    return not plain.of_library(cls) and not plain.subclass(cls, proxy.Proxy)


def _named(value: Any) -> list[str]:
    """Where a library's function, class or module is found, in any process; empty: nowhere."""
    if isinstance(value, types.ModuleType):
        return [value.__name__, ""] if plain.installed(value) else []
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(value, (*CALLABLE, type)) or type(module) is not str or type(name) is not str:
        return []
    found: Any = sys.modules.get(module)
    if found is None or not plain.installed(found):
        return []
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, type | types.ModuleType) else None
    return [module, name] if found is value else []


def _function(value: Any, packer: wire.Packer, kept: Kept) -> Any:
    name = getattr(value, "__name__", type(value).__name__)
    doc = value.__doc__ if isinstance(value, types.FunctionType | types.MethodType) else None
    try:
        parameters = [
            [p.name, p.kind.value, p.default is not p.empty] for p in inspect.signature(value).parameters.values()
        ]
    except (ValueError, TypeError):
        parameters = [["args", 2, False], ["kwargs", 4, False]]
    return {"f": [kept.keep(value), name, doc, parameters, inspect.iscoroutinefunction(value)]}


def _run(coroutine: Any) -> Any:
    from coursemill.effects.sandbox.inmate import awaiting

    return awaiting.run(coroutine)
