"""The wall between a test and the answer that it looks at.

A test that compares what an answer returns would trust the answer: an object whose `__eq__` always says yes
passes every such test. Through the wall a test sees plain data as copies, and everything else as a proxy. A
proxy forwards calls, attributes, items, iteration, length, `with` and `await`, and what comes back goes through
the wall again. But it is equal to nothing but itself, has no truth, no order, and never computes plain data: those
are the test's to judge, not the answer's. What the test gives to the answer crosses the other way: data as copies,
proxies as what they stand for, functions so that they see their arguments through the wall, all else as it is.

One process here; an examiner that looks into another one follows the same rules.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast
from weakref import WeakKeyDictionary, WeakValueDictionary

from coursemill.pure import plain
from coursemill.pure.plain import Refused


class Wall:
    """What one test run sees and lends; a thing that stands behind the wall has one proxy.

    `classes` are the instructor's own: like a library's they are the same on both sides.
    """

    def __init__(self, classes: Iterable[type] = ()) -> None:
        self._classes = {id(cls): cls for cls in classes}
        self._proxies: WeakValueDictionary[int, Proxy] = WeakValueDictionary()
        self._mirrors: dict[int, tuple[type, type[BaseException]]] = {}
        self._lent: WeakKeyDictionary[Callable[..., Any], Callable[..., Any]] = WeakKeyDictionary()

    def see(self, value: Any) -> Any:
        """Return what a test may see of a value of the answer's. Raises plain.TooLarge."""
        return plain.copied(value, self.proxy, known=self.knows)

    def lend(self, value: Any) -> Any:
        """Return what the answer gets for a value of the test's."""
        return plain.copied(value, self._live, strip=False)

    def knows(self, cls: type) -> bool:
        """Whether a class is a library's or the instructor's."""
        return id(cls) in self._classes or plain.of_library(cls)

    def forward(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function` of the answer's side with what it already owns; see its result, or its exception."""
        with self.crossing():
            result = function(*args, **kwargs)
        return self.see(result)

    @contextmanager
    def crossing(self) -> Iterator[None]:
        """Let exceptions cross: builtin and library ones as they are, the answer's own as look-alikes."""
        try:
            yield
        except BaseException as error:
            seen = self._error(error)
            if seen is error:
                raise
            raise seen.with_traceback(error.__traceback__) from seen.__cause__

    def proxy(self, value: Any) -> Any:
        """Return what a test may see of a value that is no plain data, or too much of it."""
        cls = type(value)
        if cls is types.FunctionType and value in self._lent:
            return self._lent[value]
        if plain.subclass(cls, Proxy):
            return value
        if cls is types.CoroutineType:
            return self._awaiting(value)
        if cls is types.ModuleType and plain.installed(value):
            return value
        if plain.subclass(cls, type):
            if self.knows(value):
                return value
            if plain.subclass(value, BaseException):
                return self._mirror(value)
        proxy = self._proxies.get(id(value))
        if proxy is None:
            proxy = _proxy_class(cls)(value, self)
            self._proxies[id(value)] = proxy
        return proxy

    def _live(self, value: Any) -> Any:
        cls = type(value)
        if plain.subclass(cls, Proxy):
            return _target(value)
        if cls is types.FunctionType or cls is types.MethodType:
            return self._watched(value)
        if plain.subclass(cls, type):
            return next((real for real, mirror in self._mirrors.values() if mirror is value), value)
        return value

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of the test's that the answer may call: it sees its arguments through the wall."""

        @functools.wraps(function)
        def seen(*args: Any, **kwargs: Any) -> Any:
            return self.lend(function(*self.see(args), **self.see(kwargs)))

        self._lent[seen] = function
        return seen

    async def _awaiting(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """A coroutine of the test's own, for event loops that take nothing else."""
        with self.crossing():
            result = await coroutine
        return self.see(result)

    def _error(self, error: BaseException) -> BaseException:
        cls = type(error)
        if plain.subclass(cls, Refused) or not plain.subclass(cls, Exception) or self._is_mirror(cls):
            return error
        known = self.knows(cls)
        values = {} if known else {"_said": _said(error)}
        seen = error if known else self._mirror(cls).__new__(self._mirror(cls))
        seen.args = self.see(error.args)
        seen.__dict__.update(self.see(error.__dict__), **values)
        if known:
            self._see_fields(error)
        if error.__cause__ is not None:
            seen.__cause__ = self._error(error.__cause__)
        return seen

    def _see_fields(self, error: BaseException) -> None:
        """What C's exceptions hold beside `args`, such as `StopIteration.value` that `yield from` gives."""
        for base in plain.mro(type(error)):
            for field in vars(base).values():
                if type(field) is types.MemberDescriptorType:
                    with suppress(AttributeError, TypeError):  # one that is not set, or cannot be
                        field.__set__(error, self.see(field.__get__(error)))

    def _is_mirror(self, cls: type) -> bool:
        return any(mirror is cls for _, mirror in self._mirrors.values())

    def _mirror(self, cls: type) -> type[BaseException]:
        """A class of the test's that can be caught, for an exception class that the answer defines."""
        if id(cls) not in self._mirrors:
            bases = []
            for base in cls.__bases__:
                if self.knows(base):
                    bases.append(base)
                elif plain.subclass(base, BaseException):
                    bases.append(self._mirror(base))
            body = {"__str__": _mirrored_text, "__module__": cls.__module__, "__doc__": cls.__doc__}
            made = cast(type[BaseException], type(cls.__name__, tuple(bases), body))
            self._mirrors[id(cls)] = (cls, made)
        return self._mirrors[id(cls)][1]


class Proxy:
    """What a test holds of a thing that stays behind the wall; `_proxy_class` adds the forwarded protocols."""

    __slots__ = ("__weakref__", "_target", "_wall")
    __array_ufunc__ = None  # numpy leaves operators to us, instead of treating a proxy as a 0-d array

    def __init__(self, target: Any, wall: Wall) -> None:
        object.__setattr__(self, "_target", target)
        object.__setattr__(self, "_wall", wall)

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return next(base for base in plain.mro(type(_target(self))) if _wall(self).knows(base))  # for `isinstance`
        return _wall(self).forward(getattr, _target(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        wall = _wall(self)
        wall.forward(setattr, _target(self), name, wall.lend(value))

    def __delattr__(self, name: str) -> None:
        _wall(self).forward(delattr, _target(self), name)

    def __eq__(self, other: object) -> bool:
        return plain.subclass(type(other), Proxy) and _target(cast(Proxy, other)) is _target(self)

    def __hash__(self) -> int:
        return hash(id(_target(self)))

    def __repr__(self) -> str:
        return _text(self, repr)

    def __str__(self) -> str:
        return _text(self, str)

    def __format__(self, spec: str) -> str:
        return format(_text(self, str), spec)

    def __dir__(self) -> list[str]:
        return list(_wall(self).forward(dir, _target(self)))

    def __instancecheck__(self, instance: object) -> bool:
        real = _target(cast(Proxy, instance)) if plain.subclass(type(instance), Proxy) else instance
        return _is_class(self) and plain.subclass(type(real), _target(self))

    def __subclasscheck__(self, cls: type) -> bool:
        real = _target(cast(Proxy, cls)) if plain.subclass(type(cls), Proxy) else cls
        return _is_class(self) and plain.subclass(type(real), type) and plain.subclass(real, _target(self))


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: Proxy, *_: Any) -> Any:
        raise Refused(
            f"{name} needs plain data (a number, text, a list, an array, a frame, …), "
            f"and here the answer gives an object of class `{type(self).__name__}`"
        )

    return refuse


for _method, _symbol in {"ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    setattr(Proxy, f"__{_method}__", _refusal(f"`{_symbol}`"))
Proxy.__bool__ = _refusal("truth (`if`, `assert`, `not`)")  # type: ignore[attr-defined]  # made here, as the others are


# Arithmetic of the answer's own objects gives such objects again (`Money(1) + Money(2)`). Where it gives plain data
# it is refused: else an answer whose `-` always gives 0 would pass `assert abs(price_of(page) - 49.99) < 0.01`.


def _computed(function: Callable[..., Any], symbol: str, *, reflected: bool = False) -> Callable[..., Any]:
    refuse = _refusal(f"`{symbol}`")

    def compute(self: Proxy, *others: Any) -> Any:
        operands = [_target(self), *map(_wall(self).lend, others)]
        result = _wall(self).forward(function, *(reversed(operands) if reflected else operands))
        return result if plain.subclass(type(result), Proxy) else refuse(self)

    return compute


BINARY = {
    **{"add": "+", "sub": "-", "mul": "*", "matmul": "@", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"},
    **{"lshift": "<<", "rshift": ">>", "and": "&", "xor": "^", "or": "|"},
}
for _method, _symbol in {**BINARY, "neg": "-", "pos": "+", "invert": "~", "abs": "abs"}.items():
    setattr(Proxy, f"__{_method}__", _computed(getattr(operator, f"__{_method}__"), _symbol))
for _method, _symbol in BINARY.items():
    setattr(Proxy, f"__r{_method}__", _computed(getattr(operator, f"__{_method}__"), _symbol, reflected=True))


# Protocols: a proxy has those that its target's class has, so `callable`, `iter` and `len` tell the truth


def _forwarded(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *args: Any, **kwargs: Any) -> Any:
        wall, target = _wall(self), _target(self)
        lent = [wall.lend(a) for a in args], {k: wall.lend(v) for k, v in kwargs.items()}
        return wall.forward(_special(target, name), target, *lent[0], **lent[1])

    return method


def _call(self: Proxy, *args: Any, **kwargs: Any) -> Any:
    wall, target = _wall(self), _target(self)
    lent = [wall.lend(a) for a in args], {k: wall.lend(v) for k, v in kwargs.items()}
    return wall.forward(target, *lent[0], **lent[1])


def _getitem(self: Proxy, key: Any) -> Any:
    wall = _wall(self)
    return wall.forward(lambda: _target(self)[wall.lend(key)])


def _len(self: Proxy) -> int:
    found: int = _exactly(_wall(self).forward(len, _target(self)), int, "len()")
    return found


def _iter(self: Proxy) -> Any:
    return _wall(self).forward(iter, _target(self))


def _next(self: Proxy) -> Any:
    return _wall(self).forward(next, _target(self))


def _await(self: Proxy) -> Generator[Any, Any, Any]:
    wall, target = _wall(self), _target(self)
    with wall.crossing():
        result = yield from _special(target, "__await__")(target)
    return wall.see(result)


def _exit(self: Proxy, kind: Any, error: Any, trace: Any) -> bool:
    wall, target = _wall(self), _target(self)
    return _swallows(wall.forward(_special(target, "__exit__"), target, kind, error, trace), error)


async def _aexit(self: Proxy, kind: Any, error: Any, trace: Any) -> bool:
    wall, target = _wall(self), _target(self)
    with wall.crossing():
        result = await _special(target, "__aexit__")(target, kind, error, trace)
    return _swallows(wall.see(result), error)


def _array(self: Proxy, *args: Any, **kwargs: Any) -> Any:
    """What numpy asks for; an array and nothing else."""
    found = _wall(self).forward(_special(_target(self), "__array__"), _target(self), *args, **kwargs)
    if plain.subclass(type(found), Proxy):
        raise Refused(f"an object of class `{type(self).__name__}` gives no plain array")
    return found


PROTOCOLS: dict[str, Callable[..., Any]] = {
    "__call__": _call,
    "__getitem__": _getitem,
    "__setitem__": _forwarded("__setitem__"),
    "__delitem__": _forwarded("__delitem__"),
    "__len__": _len,
    "__iter__": _iter,
    "__reversed__": _forwarded("__reversed__"),
    "__next__": _next,
    "__enter__": _forwarded("__enter__"),
    "__exit__": _exit,
    "__await__": _await,
    "__aiter__": _forwarded("__aiter__"),
    "__anext__": _forwarded("__anext__"),
    "__aenter__": _forwarded("__aenter__"),
    "__aexit__": _aexit,
    "__array__": _array,
}


def _proxy_class(cls: type) -> type[Proxy]:
    """The proxy class for targets of class `cls`; it bears the class's name, so `type(x).__name__` is right."""
    names = tuple(name for name in PROTOCOLS if _has(cls, name))
    return _made(plain.name(cls), (*names, "__getitem__") if plain.subclass(cls, type) else names)


@functools.lru_cache(maxsize=1000)
def _made(name: str, protocols: tuple[str, ...]) -> type[Proxy]:
    return type(name, (Proxy,), {"__slots__": (), **{p: PROTOCOLS[p] for p in protocols}})


def _has(cls: type, name: str) -> bool:
    return any(vars(base).get(name) is not None for base in plain.mro(cls))


def _special(target: Any, name: str) -> Callable[..., Any]:
    """A special method as Python finds it: of the class, never of the instance."""
    found: Callable[..., Any] = getattr(type(target), name)
    return found


def _is_class(proxy: Proxy) -> bool:
    return plain.subclass(type(_target(proxy)), type)


def _swallows(result: object, error: object) -> bool:
    """Whether a `with` block may go on after `error`: never after a failed assertion, whatever the answer says."""
    return result is True and not isinstance(error, AssertionError | Refused)


def _exactly(value: Any, cls: type, what: str) -> Any:
    if type(value) is not cls:
        raise Refused(f"{what} gives no {cls.__name__}")
    return value


def _text(proxy: Proxy, how: Callable[[Any], str]) -> str:
    found: str = _exactly(_wall(proxy).forward(how, _target(proxy)), str, f"{how.__name__}()")
    return found


def _said(error: BaseException) -> str:
    try:
        return str.__str__(str(error))
    except Exception as broken:
        return f"<{type(broken).__name__} while it was shown>"


def _mirrored_text(self: BaseException) -> str:
    return str(self.__dict__.get("_said", None) or BaseException.__str__(self))


def _target(proxy: Proxy) -> Any:
    return object.__getattribute__(proxy, "_target")


def _wall(proxy: Proxy) -> Wall:
    found: Wall = object.__getattribute__(proxy, "_wall")
    return found
