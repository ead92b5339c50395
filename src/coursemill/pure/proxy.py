"""What a test holds of a thing that stays on the other side of the wall: it asks, and judges nothing itself.

A proxy forwards calls, attributes, items, iteration, length, `with` and `await`. It never computes plain data: those
are the test's to judge. It is true, as every object is whose class says nothing of it (`re.match` gives such ones);
where the class has a say in it (`__bool__`, `__len__`), and of what an operator gave, it has no truth. What the other
side says of itself decides one thing only, a comparison of two things that are both its own (`Point(1) == Point(1)`),
where the test asks nothing but that. With anything else a proxy is as equal as the other operand finds it, on the data
that it gets through the wall; plain data find it unequal.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Generator
from typing import Any, Protocol, cast

from coursemill.pure import plain
from coursemill.pure.plain import Refused


class Side(Protocol):
    """The other side, in this process or in another one; a target is what stands for a thing there."""

    def ask(self, operation: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Have one of OPERATIONS done on the other side; see what comes of it."""

    def claimed(self, target: Any) -> type:
        """The class of a thing, or of its bases, that is the same on both sides."""

    def derives(self, target: Any, base: Any) -> bool:
        """Whether a thing's class really derives from the class `base`."""

    def inherits(self, target: Any, base: Any) -> bool:
        """Whether a thing that is a class really derives from the class `base`."""

    def awaiting(self, target: Any) -> Generator[Any, Any, Any]:
        """Await a thing."""


class Proxy:
    """Stands for a thing of the other side's; `proxy_class` adds the protocols that the thing has."""

    __slots__ = ("__weakref__", "_computed", "_side", "_target")
    __array_ufunc__ = None  # numpy leaves operators to us, instead of treating a proxy as a 0-d array

    def __new__(cls, *args: Any) -> Any:
        """Make a proxy, or what `class New(Proxy):` calls its base's class for: a class of the other side's."""
        if len(args) == 3:
            return _derived(*args)
        return object.__new__(cls)

    def __init__(self, target: Any, side: Any, *_: Any) -> None:
        if not _:
            object.__setattr__(self, "_target", target)
            object.__setattr__(self, "_side", side)
            object.__setattr__(self, "_computed", False)

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return side(self).claimed(target(self))  # for `isinstance`
        if name == "__mro_entries__":  # which would make other bases of it in a class statement
            raise AttributeError(name)
        if name in ("__deepcopy__", "__reduce_ex__"):  # which `copy` asks of the object itself
            return object.__getattribute__(self, name)
        return side(self).ask("getattr", target(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        side(self).ask("setattr", target(self), name, value)

    def __delattr__(self, name: str) -> None:
        side(self).ask("delattr", target(self), name)

    def __hash__(self) -> int:
        return hash((Proxy, _exactly(side(self).ask("hash", target(self)), int, "hash()")))  # never plain data's

    def __repr__(self) -> str:
        return _text(self, "repr")

    def __str__(self) -> str:
        return _text(self, "str")

    def __format__(self, spec: str) -> str:
        return format(_text(self, "str"), spec)

    def __dir__(self) -> list[str]:
        return list(side(self).ask("dir", target(self)))

    def __copy__(self) -> Any:
        return side(self).ask("copy", target(self))

    def __deepcopy__(self, memo: Any) -> Any:
        return side(self).ask("deepcopy", target(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise Refused(f"an object of class `{type(self).__name__}` stays where it is: it cannot be pickled")

    def __instancecheck__(self, instance: object) -> bool:
        if is_proxy(instance) and side(instance) is side(self):
            return side(self).derives(target(instance), target(self))
        return False

    def __subclasscheck__(self, cls: type) -> bool:
        if is_proxy(cls) and side(cls) is side(self):
            return side(self).inherits(target(cls), target(self))
        return False


def _derived(name: str, bases: tuple[Any, ...], body: dict[str, Any]) -> Any:
    """A class of the other side's whose methods are the test's."""
    kept = {key: value for key, value in body.items() if key != "__classcell__"}
    base = next(one for one in bases if is_proxy(one))
    return side(base).ask("derive", target(base), name, bases, kept)


def is_proxy(value: object) -> bool:
    """Whether a value really is a proxy, whatever class it claims."""
    return plain.subclass(type(value), Proxy)


def target(proxy: Any) -> Any:
    """What stands for the proxy's thing on the other side."""
    return object.__getattribute__(proxy, "_target")


def side(proxy: Any) -> Side:
    """The side that the proxy's thing is on."""
    return cast(Side, object.__getattribute__(proxy, "_side"))


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: Proxy, *_: Any) -> Any:
        raise Refused(
            f"{name} needs plain data (a number, text, a list, an array, a frame, …), "
            f"and here the answer gives an object of class `{type(self).__name__}`"
        )

    return refuse


_no_truth = _refusal("truth (`if`, `assert`, `not`)")


def _truth(self: Proxy) -> Any:
    return _no_truth(self) if object.__getattribute__(self, "_computed") else True


Proxy.__bool__ = _truth  # type: ignore[attr-defined]  # made here, as others are


# Comparisons. Of two things of the other side's it says, by a bool. Else the test's own operand says: a data class of
# the lesson's compares fields, which come through the wall, and plain data know of no proxies.


def _compared(name: str, symbol: str, reflected: str) -> Callable[..., Any]:
    refuse = _refusal(f"`{symbol}`")

    def compare(self: Proxy, other: Any) -> Any:
        if is_proxy(other) and side(other) is side(self):
            return _exactly(side(self).ask(name, target(self), other), bool, f"`{symbol}`")
        said = getattr(type(other), f"__{reflected}__")(other, self)
        if said is NotImplemented:
            return refuse(self)
        return not said if name == "ne" else said

    return compare


def _equal(self: Proxy, other: object) -> Any:
    if is_proxy(other) and side(other) is side(self):
        return _exactly(side(self).ask("eq", target(self), other), bool, "`==`")
    return NotImplemented


Proxy.__eq__ = _equal  # type: ignore[method-assign, assignment]  # made here, as others are
for _method, _symbol, _mirrored in (
    ("ne", "!=", "eq"),
    ("lt", "<", "gt"),
    ("le", "<=", "ge"),
    ("gt", ">", "lt"),
    ("ge", ">=", "le"),
):
    setattr(Proxy, f"__{_method}__", _compared(_method, _symbol, _mirrored))


# Arithmetic of the answer's own objects gives such objects again (`Money(1) + Money(2)`). Where it gives plain data
# it is refused: else an answer whose `-` always gives 0 would pass `assert abs(price_of(page) - 49.99) < 0.01`.


def _computed(name: str, symbol: str) -> Callable[..., Any]:
    refuse = _refusal(f"`{symbol}`")

    def compute(self: Proxy, *others: Any) -> Any:
        result = side(self).ask(name, target(self), *others)
        if not is_proxy(result):
            return refuse(self)
        object.__setattr__(result, "_computed", True)
        return result

    return compute


BINARY = {
    **{"add": "+", "sub": "-", "mul": "*", "matmul": "@", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"},
    **{"lshift": "<<", "rshift": ">>", "and": "&", "xor": "^", "or": "|"},
}
UNARY = {"neg": "-", "pos": "+", "invert": "~", "abs": "abs"}
for _method, _symbol in {**BINARY, **UNARY}.items():
    setattr(Proxy, f"__{_method}__", _computed(_method, _symbol))
for _method, _symbol in BINARY.items():
    setattr(Proxy, f"__r{_method}__", _computed(f"r{_method}", _symbol))


# Protocols: a proxy has those that its target's class has, so `callable`, `iter` and `len` tell the truth


def _forwarded(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *args: Any, **kwargs: Any) -> Any:
        return side(self).ask(name, target(self), *args, **kwargs)

    return method


def _len(self: Proxy) -> int:
    found: int = _exactly(side(self).ask("len", target(self)), int, "len()")
    return found


def _await(self: Proxy) -> Generator[Any, Any, Any]:
    return (yield from side(self).awaiting(target(self)))  # it must live as long as it is awaited


def _exit(self: Proxy, kind: Any, error: Any, trace: Any) -> bool:
    return _swallows(side(self).ask("exit", target(self), kind, error, trace), error)


async def _aexit(self: Proxy, kind: Any, error: Any, trace: Any) -> bool:
    return _swallows(await side(self).ask("aexit", target(self), kind, error, trace), error)


def _array(self: Proxy, *args: Any, **kwargs: Any) -> Any:
    """What numpy asks for; an array and nothing else."""
    found = side(self).ask("array", target(self), *args, **kwargs)
    if is_proxy(found):
        raise Refused(f"an object of class `{type(self).__name__}` gives no plain array")
    return found


def _number(name: str, cls: type) -> Callable[..., Any]:
    """A number that a library's object (a `tf.Variable`) says it is."""
    return lambda self: _exactly(side(self).ask(name, target(self)), cls, f"{cls.__name__}()")


PROTOCOLS: dict[str, Callable[..., Any]] = {
    "__bool__": _no_truth,
    "__call__": _forwarded("call"),
    "__getitem__": _forwarded("getitem"),
    "__setitem__": _forwarded("setitem"),
    "__delitem__": _forwarded("delitem"),
    "__len__": _len,
    "__iter__": _forwarded("iter"),
    "__reversed__": _forwarded("reversed"),
    "__next__": _forwarded("next"),
    "__enter__": _forwarded("enter"),
    "__exit__": _exit,
    "__await__": _await,
    "__aiter__": _forwarded("aiter"),
    "__anext__": _forwarded("anext"),
    "__aenter__": _forwarded("aenter"),
    "__aexit__": _aexit,
    "__array__": _array,
}
NUMBERS: dict[str, Callable[..., Any]] = {
    "__int__": _number("int", int),
    "__float__": _number("float", float),
    "__complex__": _number("complex", complex),
    "__index__": _number("index", int),
}
"""Protocols of libraries' objects alone: an answer's own say them by an attribute, or not at all."""


def protocols(cls: type) -> tuple[str, ...]:
    """The protocols that a proxy for a thing of class `cls` has."""
    names = [name for name in PROTOCOLS if _has(cls, name)]
    if "__len__" in names and "__bool__" not in names:
        names.append("__bool__")
    if plain.of_library(cls):
        names += [name for name in NUMBERS if _has(cls, name)]
    if plain.subclass(cls, type) and "__getitem__" not in names:
        names.append("__getitem__")
    return tuple(names)


@functools.lru_cache(maxsize=1000)
def proxy_class(name: str, protocols: tuple[str, ...]) -> type[Proxy]:
    """The class of proxies for things with these protocols; it bears their class's name, as `type(x).__name__`."""
    methods = {one: PROTOCOLS.get(one) or NUMBERS[one] for one in protocols}
    return type(name, (Proxy,), {"__slots__": (), **methods})


def _has(cls: type, name: str) -> bool:
    return any(vars(base).get(name) is not None for base in plain.mro(cls))


def _swallows(result: object, error: object) -> bool:
    """Whether a `with` block may go on after `error`: never after a failed assertion, whatever the answer says."""
    return result is True and not isinstance(error, AssertionError | Refused)


def _exactly(value: Any, cls: type, what: str) -> Any:
    if type(value) is not cls:
        raise Refused(f"{what} gives no {cls.__name__}")
    return value


def _text(proxy: Proxy, how: str) -> str:
    found: str = _exactly(side(proxy).ask(how, target(proxy)), str, f"{how}()")
    return found


# What is done on the other side, with its own things


def _special(name: str) -> Callable[..., Any]:
    """A special method as Python finds it: of the class, never of the instance."""
    return lambda thing, *args, **kwargs: getattr(type(thing), name)(thing, *args, **kwargs)


def _reflected(name: str) -> Callable[..., Any]:
    function = getattr(operator, f"__{name}__")
    return lambda thing, other: function(other, thing)


def _copy(how: str) -> Callable[..., Any]:
    def made(thing: Any) -> Any:
        import copy

        return getattr(copy, how)(thing)

    return made


def _derive(thing: type, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
    return types.new_class(name, bases, exec_body=lambda names: names.update(body))


OPERATIONS: dict[str, Callable[..., Any]] = {
    "derive": _derive,
    "call": lambda thing, /, *args, **kwargs: thing(*args, **kwargs),
    **{"getattr": getattr, "setattr": setattr, "delattr": delattr, "dir": dir},
    **{name: getattr(operator, name) for name in ("getitem", "setitem", "delitem", "index")},
    **{name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{"len": len, "iter": iter, "next": next, "reversed": reversed, "repr": repr, "str": str, "hash": hash},
    **{"int": int, "float": float, "complex": complex, "copy": _copy("copy"), "deepcopy": _copy("deepcopy")},
    **{name: getattr(operator, f"__{name}__") for name in (*BINARY, *UNARY)},
    **{f"r{name}": _reflected(name) for name in BINARY},
    **{n: _special(f"__{n}__") for n in ("enter", "exit", "aiter", "anext", "aenter", "aexit", "array")},
}
