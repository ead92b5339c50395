"""The student's end of the wall: it does what the examiner asks, with what the cells have defined.

It runs in the student's kernel, among the student's code: nothing that it says is believed. What the test lends to an
answer is a function that calls back, or a stand-in for an object of the test's.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import inspect
import io
import signal
import socket
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from coursemill.effects.sandbox.inmate import awaiting, recipes
from coursemill.effects.sandbox.inmate.peer import Mirror, Peer
from coursemill.effects.sandbox.inmate.talk import Gone, Message, Talk
from coursemill.pure import plain, proxy, wire
from coursemill.pure.wire import Malformed

SAID = 10_000
"""Characters of an exception's text, and of its traceback, that are told."""
CAUSES = 10
"""Exceptions behind an exception that are told."""
PRINTED = 1 << 20
"""Characters that are brought to a test which has redirected its output."""


async def serve(wall: socket.socket, names: dict[str, Any], mirror: Mirror | None = None) -> None:
    """Answer the examiner's requests until it says that this is the end; raises Gone when it has ended without.

    Called for each test, with the same socket: what a test got it may use in the next one.
    """
    if wall not in _ENDS:
        _ENDS[wall] = Candidate(wall, names, mirror)
    talk = _ENDS[wall].talk
    before = signal.signal(signal.SIGINT, lambda *_: talk.interrupt())
    try:
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # one that is meant for the student's code, of which none runs
                return talk.serve()
    finally:
        signal.signal(signal.SIGINT, before)


_ENDS: WeakKeyDictionary[socket.socket, Candidate] = WeakKeyDictionary()


class Candidate(Peer):
    """The student's end."""

    def __init__(self, wall: socket.socket, names: dict[str, Any], mirror: Mirror | None = None) -> None:
        super().__init__(lambda answer: Talk(wall, answer), mirror)
        self.names = names
        self.libraries: frozenset[str] = frozenset()
        self.files = self.only_data = False
        self.loop = awaiting.Loop()
        self.kinds: dict[int, type] = {}
        self.described: list[Any] = []
        self.lent: WeakKeyDictionary[Callable[..., Any], int] = WeakKeyDictionary()
        self.others: dict[str, Callable[..., Any]] = {
            "names": self._names,
            "import": importlib.import_module,
            **{name: getattr(self.loop, name) for name in ("start", "turn", "result", "cancel")},
        }

    # What the examiner asks

    def answered(
        self,
        operation: str,
        target: int,
        args: list[Any],
        kwargs: dict[str, Any],
        said: dict[str, Any],
        extras: dict[str, Any],
    ) -> Any:
        """Do it; tell what was printed meanwhile where the test has redirected its output."""
        self.files = extras["files"] = "files" in said
        self.only_data = "data" in said
        if "have" in said:
            self.libraries = frozenset(self.unpacker(_EMPTY).value(said["have"]))
        printed = io.StringIO() if "print" in said else None
        given = self.unpacker(_EMPTY).value(said["input"]) if "input" in said else builtins.input
        usual, builtins.input = builtins.input, given
        try:
            with contextlib.redirect_stdout(printed) if printed else contextlib.nullcontext():
                return self._do(operation, target, args, kwargs)
        finally:
            if builtins.input is given:
                builtins.input = usual
            if printed:
                extras["print"] = printed.getvalue()[:PRINTED]

    def _do(self, operation: str, target: int, args: list[Any], kwargs: dict[str, Any]) -> Any:
        things = [self.kept.thing(target)] if target else []
        return (self.others.get(operation) or proxy.OPERATIONS[operation])(*things, *args, **kwargs)

    def asked(self, operation: str, number: int, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Ask the examiner for something of a thing that it has lent."""
        return self.request(operation, number, args, kwargs, {"files": self.files})[0]

    def _names(self, wanted: list[str]) -> dict[str, Any]:
        """The values that these names have now, as far as they have one."""
        return {name: _Whole(self.names[name]) for name in wanted if name in self.names}

    def have(self, library: str) -> bool:
        return library in self.libraries

    # What it is told

    def send_other(self, packer: wire.Packer, value: Any) -> Any:
        cls = type(value)
        if cls is _Whole:
            return self._whole(packer, value.value)
        if self.only_data and (made := next((how for base, how in plain.STRIPPED if plain.subclass(cls, base)), None)):
            return packer.tree(made(wire.SHALLOW, value, 0))
        if plain.subclass(cls, Lent):
            return {"y": object.__getattribute__(value, "_number")}
        if cls is types.FunctionType and value in self.lent:
            return {"y": self.lent[value]}
        if cls is types.ModuleType and plain.installed(value):
            return {"module": [value.__name__, self._thing(value)]}
        return self._thing(value)

    def _thing(self, value: Any) -> Any:
        """A value that stays here."""
        cls = type(value)
        if plain.subclass(cls, type):
            return {"k": [self.kept.keep(value), self._kind(cls), self._kind(value)]}
        return {"o": [self.kept.keep(value), self._kind(cls)]}

    def _whole(self, packer: wire.Packer, value: Any) -> Any:
        """A value, as a thing if it is too much to cross: it may never be looked at."""
        size = len(packer.buffers), packer.items, packer.bytes
        try:
            return packer.tree(value)
        except plain.TooLarge:
            del packer.buffers[size[0] :]
            _, packer.items, packer.bytes = size
            return self.send_other(packer, value)

    def unpacker(self, message: Message) -> wire.Unpacker:
        """An unpacker for what a message holds; it imports what the test's values need."""
        unpacker = super().unpacker(message)
        unpacker.library = importlib.import_module
        return unpacker

    def _kind(self, cls: type) -> int:
        """The number of a class; those that the examiner does not know yet are described, bases first."""
        number = id(cls)
        if number not in self.kinds:
            self.kinds[number] = cls
            bases = [self._kind(base) for base in type.__dict__["__bases__"].__get__(cls)]
            names = [plain.name(cls), plain.text(cls, "__module__"), plain.text(cls, "__qualname__")]
            self.described.append([number, *names, bases, list(proxy.protocols(cls)), _own_equality(cls)])
        return number

    def told(self) -> dict[str, Any]:
        """What the examiner must know of classes before it reads the message."""
        return {"kinds": self.described} if self.described else {}

    def sent(self) -> None:
        self.described = []

    def error_sent(self, packer: wire.Packer, error: BaseException) -> Any:
        """An exception, with what it holds; what cannot cross is left out."""
        try:
            return self._error(packer, error, CAUSES)
        except Gone:
            raise
        except BaseException as broken:  # it raises whatever one looks at: an answer to the test there is all the same
            return self._error(packer, RuntimeError(f"an exception that raises {type(broken).__name__} itself"), 0)

    def _error(self, packer: wire.Packer, error: BaseException, causes: int) -> Any:
        lent = vars(error).get("_coursemill")
        cause = error.__cause__
        return {
            "yours": lent if type(lent) is int else 0,
            "kind": self._kind(type(error)),
            "args": self._tried(packer, error.args),
            "held": self._tried(packer, {k: v for k, v in vars(error).items() if k != "_coursemill"}),
            "fields": self._tried(packer, dict(_fields(error))),
            "thing": self.kept.keep(error),
            "said": _said(error),
            "trace": _trace(error),
            "cause": self._error(packer, cause, causes - 1) if cause is not None and causes else None,
        }

    def _tried(self, packer: wire.Packer, value: Any) -> Any:
        try:
            return packer.tree(value)
        except Exception:  # too large, or not what its class would hold
            return None

    def error_received(self, unpacker: wire.Unpacker, tree: Any) -> BaseException:
        """What a function of the test's has raised."""
        number, classes, args, held = unpacker.fields(tree, int, list, object, dict)
        given = unpacker.list(args, 0)
        cls: Any = next((found for names in classes if _is_error(found := self.resolve(*names))), Exception)
        try:
            made: BaseException = cls(*given)
        except Exception:  # its class takes other arguments than it passes on
            python = next(base for base in plain.mro(cls) if base.__module__ == "builtins")
            made = python.__new__(cls, *given)
            made.args = tuple(given)
        made.__dict__.update({name: unpacker.value(value) for name, value in held.items()}, _coursemill=number)
        return made

    def receive_other(self, unpacker: wire.Unpacker, tag: str, payload: Any) -> Any:
        if tag == "y":
            return self.kept.thing(payload)
        if tag == "f":
            return self._function(*payload)
        if tag == "l":
            return self.resolve(*payload) if payload[0] == "__main__" else library(*payload)
        if tag == "made":
            module, name, args, kwargs = payload
            make = library(module, name) if module else getattr(recipes, name)
            return make(*unpacker.list(args, 0), **{k: unpacker.value(v) for k, v in kwargs.items()})
        if tag == "r":
            return self._stand_in(*payload)
        if tag == "e":
            return self.error_received(unpacker, payload)
        raise Malformed(f"what is {tag!r}?")

    def resolve(self, module: str, name: str) -> type | None:
        """A class by its names: the cells', a library's."""
        if module == "__main__":
            found: Any = self.names.get(name.partition(".")[0])
            for part in name.split(".")[1:]:
                found = getattr(found, part, None)
        else:
            try:
                found = library(module, name)
            except (ImportError, AttributeError):
                return None
        return found if isinstance(found, type) else None

    # Stand-ins for what the test has lent

    def _function(self, number: int, name: str, doc: str | None, parameters: list[Any], is_async: bool) -> Any:
        return self.held.get(number, lambda: self._made_function(number, name, doc, parameters, is_async))

    def _made_function(self, number: int, name: str, doc: str | None, parameters: list[Any], is_async: bool) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self.asked("call", number, args, kwargs)

        async def call_async(*args: Any, **kwargs: Any) -> Any:
            return self.asked("call", number, args, kwargs)

        made: Any = call_async if is_async else call
        made.__name__ = made.__qualname__ = name
        made.__doc__, made.__module__ = doc, "__main__"
        self.lent[made] = number
        with contextlib.suppress(ValueError, TypeError):
            made.__signature__ = _signature(parameters)
        return made

    def _stand_in(self, number: int, name: str, protocols: list[str], like: list[str] | None) -> Any:
        return self.held.get(number, lambda: self._made_stand_in(number, name, protocols, like))

    def _made_stand_in(self, number: int, name: str, protocols: list[str], like: list[str] | None) -> Any:
        methods = {one: _asking(one) for one in protocols}
        body: dict[str, Any] = {"__slots__": (), "__module__": "__main__", **methods}
        cls = type(name, (Lent,), body)
        return cls(number, self, self.resolve(*like) if like else cls)


class Lent:
    """Stands for an object of the test's: its public attributes and methods, and the protocols that it has."""

    __slots__ = ("__weakref__", "_as", "_number", "_peer")

    def __init__(self, number: int, peer: Candidate, alike: type | None) -> None:
        for name, value in (("_number", number), ("_peer", peer), ("_as", alike)):
            object.__setattr__(self, name, value)

    @property  # type: ignore[misc]  # a class's, for `isinstance`
    def __class__(self) -> type:
        return self._as or type(self)

    def __getattr__(self, name: str) -> Any:
        return self._peer.asked("getattr", self._number, [name], {})

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.asked("setattr", self._number, [name, value], {})


class _Whole:
    """A value that is looked up: it crosses, whatever its size."""

    def __init__(self, value: Any) -> None:
        self.value = value


def library(module: str, name: str) -> Any:
    """A library's function, class or module, by its names."""
    found: Any = importlib.import_module(module)
    for part in name.split(".") if name else ():
        found = getattr(found, part)
    return found


def _is_error(cls: Any) -> bool:
    return isinstance(cls, type) and plain.subclass(cls, BaseException)


def _asking(name: str) -> Callable[..., Any]:
    def method(self: Lent, *args: Any, **kwargs: Any) -> Any:
        return self._peer.asked(name, self._number, args, kwargs)

    return method


def _own_equality(cls: type) -> bool:
    """Whether a class says itself what its objects are equal to."""
    return any("__eq__" in vars(base) or "__hash__" in vars(base) for base in plain.mro(cls)[:-1])


def _fields(error: BaseException) -> Iterator[tuple[str, Any]]:
    """What C's exceptions hold beside `args`."""
    for base in plain.mro(type(error)):
        for name, field in vars(base).items():
            if type(field) is types.MemberDescriptorType:
                with contextlib.suppress(AttributeError):
                    yield name, field.__get__(error)


def _said(error: BaseException) -> str:
    try:
        return str.__str__(str(error))[:SAID]
    except BaseException as broken:
        return f"<{type(broken).__name__} while it was shown>"


def _trace(error: BaseException) -> str:
    """Where in the student's cells it arose."""
    import traceback

    try:
        frames = traceback.extract_tb(error.__traceback__)
        kept = [f"{f.name}: {f.line}" for f in frames if f.line and not f.filename.endswith(OWN)]
        return "\n".join(kept[-20:])[:SAID]
    except Exception:
        return ""


_EMPTY = Message("ask", 0, 0, None)
OWN = ("inmate/peer.py", "inmate/candidate.py", "inmate/talk.py", "pure/proxy.py")


def _signature(parameters: list[Any]) -> inspect.Signature:
    kinds = [*inspect._ParameterKind]
    made = [
        inspect.Parameter(name, kinds[kind], default=... if has_default else inspect.Parameter.empty)
        for name, kind, has_default in parameters
    ]
    return inspect.Signature(made)
