"""The examiner's end of the wall: what a test sees of the candidate, and what it lends to it.

Nothing that comes is believed beyond what an answer could be anyway: a class that a thing claims lets it pass
`isinstance`, as a class that derives from it would; data are what they are, and the test judges them.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import types
from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass
from typing import Any, cast

from coursemill.effects.sandbox.inmate import lending
from coursemill.effects.sandbox.inmate.peer import Mirror, Peer
from coursemill.effects.sandbox.inmate.talk import Talk
from coursemill.pure import plain, proxy, wire
from coursemill.pure.proxy import Proxy
from coursemill.pure.wire import Malformed

MAX_NAME = 200
MAX_BASES = 50
MAX_KINDS = 20_000
CAUSES = 10
LIBRARIES = ("numpy", "pandas", "tensorflow", "pyspark", "pyarrow", "ml_dtypes")
"""Libraries whose values cross as data, where the examiner has imported them."""


@dataclass(frozen=True, eq=False, slots=True)
class Kind:
    """A class of the candidate's, as it was described; `real` is the one of that name that is the same here."""

    name: str
    bases: tuple[Kind, ...]
    protocols: tuple[str, ...]
    real: type | None
    all: frozenset[int]
    """Numbers of the class and of its bases."""
    own_equality: bool

    @property
    def claimed(self) -> type:
        """The nearest class that is the same on both sides."""
        if self.real is not None:
            return self.real
        found = [base.claimed for base in self.bases]
        return next((cls for cls in found if cls is not object), object)


@dataclass(frozen=True, eq=False, slots=True)
class Thing:
    """A thing of the candidate's: its number there, its kind, and, for a class, what it describes."""

    number: int
    kind: Kind
    cls: Kind | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """A module of a library: this process's, and what a test sees of the candidate's."""

    module: types.ModuleType
    seen: Any


class Sight(Peer):
    """What tests see. `classes` are the instructor's own, by qualified name: the candidate has them, too."""

    def __init__(self, wall: socket.socket, mirror: Mirror | None = None) -> None:
        super().__init__(lambda answer: Talk(wall, answer), mirror)
        self.classes: dict[str, type] = {}
        self.kinds: dict[int, Kind] = {}
        self.mirrors: dict[int, type[BaseException]] = {}
        self.crossed: list[BaseException] = []
        """Exceptions that came from the candidate in the test at hand."""
        self.files = False
        """Whether files of both sides cross with each request."""
        self.stdout: Any = sys.stdout
        self._real_bases = False
        self._looking = False

    # For proxies

    def ask(self, operation: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Have one of OPERATIONS done by the candidate."""
        if operation == "hash" and not target.kind.own_equality and target.cls is None:
            return target.number
        extras: dict[str, Any] = {"files": self.files}
        output = sys.stdout
        if output is not self.stdout:
            extras["print"] = 1
        before, self._real_bases = self._real_bases, operation == "getattr" and args == ("__bases__",)
        try:
            result, said = self.request(operation, target.number if target else 0, args, kwargs, extras)
        finally:
            self._real_bases = before
        if "print" in said and type(said["print"]) is str:
            output.write(said["print"])
        return result

    def claimed(self, target: Thing) -> type:
        """The class of a thing, or of its bases, that is the same on both sides."""
        return target.kind.claimed

    def derives(self, target: Thing, base: Thing) -> bool:
        """Whether a thing's class derives from the class `base`."""
        return base.cls is not None and base.cls.all <= target.kind.all

    def inherits(self, target: Thing, base: Thing) -> bool:
        """Whether a class derives from the class `base`."""
        return base.cls is not None and target.cls is not None and base.cls.all <= target.cls.all

    def awaiting(self, target: Thing) -> Generator[Any, Any, Any]:
        """Await a thing: the candidate runs it to its end."""
        yield from ()
        return self.ask("await", target)

    # For the examiner

    def look(self, names: Iterable[str], imported: Collection[str] = ()) -> dict[str, Any]:
        """The values that these names have in the candidate now.

        Those of `imported` are a library's own modules, or as if they were not there.
        """
        wanted = list(names)
        have = [name for name in LIBRARIES if name in sys.modules]
        self._looking = True
        try:
            found = self.ask("names", None, wanted, have)
        finally:
            self._looking = False
        if type(found) is not dict or not set(found) <= set(wanted):
            raise self.talk.broken(Malformed("names that nobody asked for"))
        return {
            name: (value.module if name in imported else value.seen) if type(value) is Library else value
            for name, value in found.items()
            if name not in imported or type(value) is Library
        }

    def module(self, name: str) -> Any:
        """A module of the candidate's."""
        return self.ask("import", None, name)

    def end(self) -> None:
        """Let the candidate's kernel go on."""
        self.talk.send("end", 0, 0, None, [])

    # What comes

    def receive_other(self, unpacker: wire.Unpacker, tag: str, payload: Any) -> Any:
        if tag == "y":
            return self.kept.thing(payload)
        if tag == "o":
            number, kind, new = unpacker.fields(payload, int, int, list)
            self._learn(unpacker, new)
            return self._proxy(number, self._kind(kind), None)
        if tag == "module":
            return self._module(unpacker, *unpacker.fields(payload, str, dict))
        if tag == "k":
            number, meta, kind, new = unpacker.fields(payload, int, int, int, list)
            self._learn(unpacker, new)
            return self._class(number, self._kind(meta), kind)
        raise Malformed(f"what is {tag[:20]!r}?")

    def _module(self, unpacker: wire.Unpacker, name: str, thing: Any) -> Any:
        """A library's module: a thing of the candidate's, but where a test uses a library by an answer's import."""
        seen = unpacker.value(thing)
        if self._looking and (found := sys.modules.get(name)) is not None and plain.installed(found):
            return Library(found, seen)
        return seen

    def resolve(self, module: str, name: str) -> type | None:
        if module == "__main__":
            return self.classes.get(name)
        if module.partition(".")[0] == "coursemill":
            return None
        return wire.library_class(module, name)

    def _learn(self, unpacker: wire.Unpacker, new: list[Any]) -> None:
        for one in new:
            number, name, module, qualname, bases, names, equality = unpacker.fields(
                one, int, str, str, str, list, list, bool
            )
            if len(self.kinds) >= MAX_KINDS or len(bases) > MAX_BASES:
                raise Malformed("too many classes")
            known = tuple(map(self._kind, bases))
            real = self.resolve(module, qualname)
            if real is not None and any(real is cls for cls in FINAL):
                real = None
            protocols = tuple(p for p in PROTOCOLS if p in names)
            everything = frozenset({number}).union(*(base.all for base in known))
            shown = name if name.isidentifier() and len(name) <= MAX_NAME else "object"
            self.kinds.setdefault(number, Kind(shown, known, protocols, real, everything, equality))

    def _kind(self, number: Any) -> Kind:
        found = self.kinds.get(number) if type(number) is int else None
        if found is None:
            raise Malformed("no such class")
        return found

    def _proxy(self, number: int, kind: Kind, cls: Kind | None) -> Any:
        thing = Thing(number, kind, cls)
        made = cast(Proxy, self.held.get(number, lambda: self._made(thing)))
        held = proxy.target(made)
        if held.kind is not kind or held.cls is not cls:
            raise Malformed("one thing of two classes")
        if kind.real is types.CoroutineType:
            return self._coroutine(made)
        return made

    def _made(self, thing: Thing) -> Proxy:
        return proxy.proxy_class(thing.kind.name, thing.kind.protocols)(thing, self)

    async def _coroutine(self, waiting: Any) -> Any:
        """A coroutine of the test's own, for event loops that take nothing else."""
        return await waiting

    def _class(self, number: int, meta: Kind, kind: int) -> Any:
        """A class: itself where it is the same here and does nothing but hold data, else something to ask."""
        cls = self._kind(kind)
        if cls.real is not None and (self._real_bases or lending.harmless(cls.real) or self._is_given(cls.real)):
            self.held.gone.append((number, 1))
            return cls.real
        if plain.subclass(cls.claimed, BaseException):
            return self._mirror(kind, number)
        return self._proxy(number, meta, cls)

    def _is_given(self, cls: type) -> bool:
        return any(cls is one for one in self.classes.values())

    def _mirror(self, number: int, thing: int = 0) -> type[BaseException]:
        """A class that can be caught, for an exception class of the candidate's."""
        if number not in self.mirrors:
            kind = self._kind(number)
            bases: list[type] = []
            for base in kind.bases:
                if base.real is not None:
                    bases.append(base.real)
                elif plain.subclass(base.claimed, BaseException):
                    bases.append(self._mirror(next(n for n, k in self.kinds.items() if k is base)))
            body = {"__str__": _mirrored_text, "__getattr__": _mirrored_attribute, "__module__": "__main__"}
            self.mirrors[number] = cast(type[BaseException], type(kind.name, tuple(bases), body))
        if thing:
            self.mirrors[number]._thing = thing  # type: ignore[attr-defined]  # the class itself, when it is lent
        return self.mirrors[number]

    def error_received(self, unpacker: wire.Unpacker, tree: Any) -> BaseException:
        try:
            error = self._error(unpacker, tree, CAUSES)
        except (TypeError, ValueError, KeyError) as wrong:
            raise Malformed(str(wrong)) from None
        self.crossed.append(error)
        return error

    def _error(self, unpacker: wire.Unpacker, tree: Any, causes: int) -> BaseException:
        if type(tree) is not dict or causes < 0:
            raise Malformed("an exception expected")
        if tree["yours"]:
            found = self.kept.thing(tree["yours"])
            if isinstance(found, BaseException):
                return found
        self._learn(unpacker, tree["new"])
        kind = self._kind(tree["kind"])
        if not plain.subclass(kind.claimed, BaseException):
            raise Malformed("an exception expected")
        args = unpacker.value(tree["args"])
        held, fields = unpacker.value(tree["held"]), unpacker.value(tree["fields"])
        thing = self._proxy(tree["thing"], kind, None)
        cls = kind.real or self._mirror(tree["kind"])
        error = _raised(cls, args if type(args) is tuple else (), fields if type(fields) is dict else {})
        if type(held) is dict:
            error.__dict__.update({k: v for k, v in held.items() if type(k) is str and not k.startswith("__")})
        error.__dict__["_candidates"] = (thing, str(tree["said"]), str(tree["trace"]))
        if tree["cause"] is not None:
            error.__cause__ = self._error(unpacker, tree["cause"], causes - 1)
        return error

    # What is lent

    def send_other(self, packer: wire.Packer, value: Any) -> Any:
        if proxy.is_proxy(value) and proxy.side(value) is self:
            return {"y": proxy.target(value).number}
        if isinstance(value, type) and "_thing" in vars(value) and any(value is m for m in self.mirrors.values()):
            return {"y": vars(value)["_thing"]}
        if isinstance(value, BaseException):
            if known := value.__dict__.get("_candidates"):
                return self.send_other(packer, known[0])
            return {"e": self._told(packer, value)}
        return lending.lent(value, packer, self.kept, self.classes)

    def error_sent(self, packer: wire.Packer, error: BaseException) -> Any:
        """What a function of the test's has raised."""
        return self._told(packer, error)

    def _told(self, packer: wire.Packer, error: BaseException) -> Any:
        cls = type(error)
        try:
            args = packer.tree(list(error.args))
        except Exception:
            args = [str(error)]
        return [self.kept.keep(error), cls.__module__, cls.__qualname__, args]

    def do(self, operation: str, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if target is None:
            raise Malformed("what for?")
        return lending.used(target, operation, args, kwargs)


def _raised(cls: type[BaseException], args: tuple[Any, ...], fields: dict[str, Any]) -> BaseException:
    """An exception: of Python's own by its class, of a library without running the library's code."""
    error: BaseException | None = None
    if cls.__module__ == "builtins":
        with contextlib.suppress(Exception):
            error = cls(*args)
    if error is None:
        error = BaseException.__new__(cls) if cls.__new__ is BaseException.__new__ else cls.__new__(cls, *args)
        error.args = args
    for base in cls.__mro__:
        for name, field in vars(base).items():
            if type(field) is types.MemberDescriptorType and name in fields:
                with contextlib.suppress(AttributeError, TypeError):
                    field.__set__(error, fields[name])
    return error


def _mirrored_text(self: BaseException) -> str:
    known = self.__dict__.get("_candidates")
    return str(known[1]) if known else BaseException.__str__(self)


def _mirrored_attribute(self: BaseException, name: str) -> Any:
    known = self.__dict__.get("_candidates")
    if known is None or name.startswith("__"):
        raise AttributeError(name)
    return getattr(known[0], name)


FINAL = (bool, type(None), range, slice, type(...), type(NotImplemented))
"""Classes from which none derives: who claims one is no plain data, and so none of these."""
PROTOCOLS = (*proxy.PROTOCOLS, *proxy.NUMBERS)
