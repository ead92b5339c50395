"""The wall between a test and the answer that it looks at, when both are in one process.

A test that compares what an answer returns would trust the answer: an object whose `__eq__` always says yes
passes every such test. Through the wall a test sees plain data as copies, and everything else as a `Proxy`; what comes
back from it goes through the wall again. What the test gives to the answer crosses the other way: data as copies,
proxies as what they stand for, functions so that they see their arguments through the wall, all else as it is.

An examiner that looks into another process follows the same rules.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast
from weakref import WeakKeyDictionary, WeakValueDictionary

from coursemill.pure import plain, proxy
from coursemill.pure.plain import Refused
from coursemill.pure.proxy import OPERATIONS, Proxy


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

    def ask(self, operation: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Do something with a thing of the answer's; see its result, or its exception."""
        lent = [self.lend(a) for a in args], {k: self.lend(v) for k, v in kwargs.items()}
        with self.crossing():
            result = OPERATIONS[operation](target, *lent[0], **lent[1])
        return self.see(result)

    def claimed(self, target: Any) -> type:
        """The class of a thing, or of its bases, that is a library's or the instructor's."""
        return next(base for base in plain.mro(type(target)) if self.knows(base))

    def derives(self, target: Any, base: Any) -> bool:
        """Whether a thing's class really derives from the class `base`."""
        return plain.subclass(type(base), type) and plain.subclass(type(target), base)

    def inherits(self, target: Any, base: Any) -> bool:
        """Whether a class really derives from the class `base`."""
        return all(plain.subclass(type(one), type) for one in (target, base)) and plain.subclass(target, base)

    def awaiting(self, target: Any) -> Generator[Any, Any, Any]:
        """Await a thing in the test's own event loop."""
        with self.crossing():
            result = yield from type(target).__await__(target)
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
        if proxy.is_proxy(value):
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
        found = self._proxies.get(id(value))
        if found is None:
            found = proxy.proxy_class(plain.name(cls), proxy.protocols(cls))(value, self)
            self._proxies[id(value)] = found
        return found

    def _live(self, value: Any) -> Any:
        cls = type(value)
        if proxy.is_proxy(value):
            return proxy.target(value)
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


def _said(error: BaseException) -> str:
    try:
        return str.__str__(str(error))
    except Exception as broken:
        return f"<{type(broken).__name__} while it was shown>"


def _mirrored_text(self: BaseException) -> str:
    return str(self.__dict__.get("_said", None) or BaseException.__str__(self))
