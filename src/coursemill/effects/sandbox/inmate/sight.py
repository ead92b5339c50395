"""The examiner's end of the wall: what a test sees of the candidate, and what it lends to it.

Nothing that comes is believed beyond what an answer could be anyway: a class that a thing claims lets it pass
`isinstance`, as a class that derives from it would; data are what they are, and the test judges them.
"""

from __future__ import annotations

import builtins
import contextlib
import socket
import sys
import types
from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import dataclass
from typing import Any, cast

from coursemill.effects.sandbox.inmate import awaiting, lending, raising, supplies
from coursemill.effects.sandbox.inmate.kinds import Kind, Kinds, Own
from coursemill.effects.sandbox.inmate.liberties import OBJECT, Liberties
from coursemill.effects.sandbox.inmate.peer import Mirror, Peer
from coursemill.effects.sandbox.inmate.talk import Message, Talk
from coursemill.pure import plain, proxy, wire
from coursemill.pure.proxy import Proxy
from coursemill.pure.wire import Malformed


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
    """What tests see; `note` is told what has come, `own` are the classes that both sides have."""

    def __init__(self, wall: socket.socket, mirror: Mirror | None = None, note: Callable[[Any], None] | None = None):
        super().__init__(lambda answer: Talk(wall, answer), mirror)
        self.own_classes = Own()
        self.kinds = Kinds(self.own_classes)
        self.crossed: list[BaseException] = []
        """Exceptions that came from the candidate in the test at hand."""
        self.files = False
        """Whether files of both sides cross with each request."""
        self.liberties = Liberties()
        self._waiting = awaiting.Waiting(self.ask)
        self._note, self._resting = note, getattr(mirror, "resting", contextlib.nullcontext)
        self._told: list[int] = []
        self._usual = sys.stdout, builtins.input
        self._have: list[str] = []
        self._real_bases = self._looking = False

    def begin(self, *, files: bool, allowed: Collection[str] | None = None) -> None:
        """Begin with a test; `allowed`: what answers may do in it (None: anything), see Liberties."""
        self.files, self.crossed = files, []
        self.liberties.begin(allowed)
        for number in self._told:
            self.kept.release(number, 1)
        self._told = []

    def end(self) -> None:
        """Let the candidate's kernel go on."""
        self.talk.send("end", 0, 0, None, [])

    def look(self, names: Iterable[str], imported: Collection[str] = ()) -> dict[str, Any]:
        """The values that these names have in the candidate now.

        Those of `imported` are a library's own modules, or as if they were not there.
        """
        wanted = list(names)
        self._looking = True
        try:
            found = self.ask("names", None, wanted)
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

    # For proxies

    def ask(self, operation: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Have one of OPERATIONS done by the candidate."""
        if operation == "hash" and not target.kind.own_equality and target.cls is None:
            return target.number
        attribute = args[0] if operation == "getattr" else ""
        if attribute == "__spec__" and target.kind.real is types.ModuleType:
            return None  # by which an import knows that it is done with
        if operation in ("exit", "aexit"):
            args = raising.told_at_exit(*args)
        output = sys.stdout
        before, self._real_bases = self._real_bases, attribute == "__bases__"
        try:
            result, said = self.request(operation, target.number if target else 0, args, kwargs, self._around())
        except BaseException as error:
            if (told := self.liberties.ended(operation, error)) is error:
                raise
            self.crossed.append(told)
            raise told from error
        finally:
            self._real_bases = before
        if attribute:
            self.liberties.gave(attribute, target.kind.name)
        if type(printed := said.get("print")) is str:
            output.write(printed)
        return result

    def _around(self) -> dict[str, Any]:
        """What the candidate shall know beside the request: what the test has put in the place of Python's own."""
        extras: dict[str, Any] = {"files": self.files}
        if self.liberties.only_data:
            extras["data"] = True
        have = supplies.had()
        if have != self._have:
            extras["have"] = self._have = have
        if sys.stdout is not self._usual[0]:
            extras["print"] = True
        if builtins.input is not self._usual[1]:
            extras["input"] = builtins.input
        return extras

    def claimed(self, target: Thing) -> type:
        """The class of a thing, or of its bases, that both sides have."""
        return self.liberties.claims(target.kind.claimed)

    def derives(self, target: Thing, base: Thing) -> bool:
        """Whether a thing's class derives from the class `base`."""
        return base.cls is not None and base.cls.number in target.kind.all

    def inherits(self, target: Thing, base: Thing) -> bool:
        """Whether a class derives from the class `base`."""
        return base.cls is not None and target.cls is not None and base.cls.number in target.cls.all

    def awaiting(self, target: Thing) -> Generator[Any, Any, Any]:
        """Await a thing, which the candidate runs."""
        return (yield from self._waiting.wait(target).__await__())

    # What comes

    def unpacker(self, message: Message) -> wire.Unpacker:
        """An unpacker for what a message holds, of which note is taken."""
        if self._note is not None:
            self._note(message)
        unpacker = super().unpacker(message)
        unpacker.library = self._library
        return unpacker

    def _library(self, name: str) -> Any:
        """A library that the answer's data need."""
        with self._resting():
            return supplies.library(name)

    def take(self, unpacker: wire.Unpacker, said: dict[str, Any]) -> None:
        self.kinds.learn(unpacker, said.get("kinds", []))

    def receive_other(self, unpacker: wire.Unpacker, tag: str, payload: Any) -> Any:
        if tag == "y":
            return self.kept.thing(payload)
        if tag == "o":
            number, of = unpacker.fields(payload, int, int)
            kind = self.kinds.kind(of)
            if kind.real is None or self.own(kind.real):
                self.liberties.taken.add(OBJECT)
            return self._proxy(Thing(number, kind))
        if tag == "module":
            return self._module(unpacker, *unpacker.fields(payload, str, dict))
        if tag == "k":
            number, meta, kind = unpacker.fields(payload, int, int, int)
            return self._class(Thing(number, self.kinds.kind(meta), self.kinds.kind(kind)))
        raise Malformed(f"what is {tag[:20]!r}?")

    def resolve(self, module: str, name: str) -> type | None:
        return self.kinds.resolve(module, name)

    def error_received(self, unpacker: wire.Unpacker, tree: Any) -> BaseException:
        try:
            error, is_theirs = raising.received(self, unpacker, tree)
        except (TypeError, ValueError, KeyError, AttributeError) as wrong:
            raise Malformed(str(wrong)) from None
        if is_theirs:
            self.crossed.append(error)
        return error

    def thing(self, number: Any, kind: Kind) -> Any:
        """The proxy of a thing; raises Malformed."""
        if type(number) is not int:
            raise Malformed("no such thing")
        return self._proxy(Thing(number, kind))

    def _proxy(self, thing: Thing) -> Any:
        made = cast(Proxy, self.held.get(thing.number, lambda: self._made(thing)))
        held = proxy.target(made)
        if held.kind is not thing.kind or held.cls is not thing.cls:
            raise Malformed("one thing of two classes")
        return self._coroutine(made) if thing.kind.real is types.CoroutineType else made

    def _made(self, thing: Thing) -> Proxy:
        return proxy.proxy_class(thing.kind.name, thing.kind.protocols)(thing, self)

    async def _coroutine(self, waiting: Any) -> Any:
        """A coroutine of the test's own, for event loops that take nothing else."""
        return await waiting

    def _class(self, thing: Thing) -> Any:
        """A class: itself where both sides have it and it does nothing but hold data, else something to ask."""
        cls = cast(Kind, thing.cls)
        real = cls.real
        both = not self._looking and real is not None and self.own_classes.names(real)  # one that is asked for is meant
        if real is not None and (self._real_bases or lending.harmless(real) or both):
            self.held.gone.append((thing.number, 1))
            return real
        seen = self._proxy(thing)
        return self.kinds.error(cls, seen) if plain.subclass(cls.claimed, BaseException) else seen

    def _module(self, unpacker: wire.Unpacker, name: str, thing: Any) -> Any:
        """A library's module: a thing of the candidate's, but where a test uses a library by an answer's import."""
        seen = unpacker.value(thing)
        if self._looking and (found := sys.modules.get(name)) is not None and plain.installed(found):
            return Library(found, seen)
        return seen

    # What is lent

    def keep(self, thing: Any) -> int:
        """The number of a thing that stays here."""
        return self.kept.keep(thing)

    def own(self, cls: type) -> list[str]:
        """The names of an instructor's class that both sides have; empty: it is none."""
        return self.own_classes.names(cls)

    def send_other(self, packer: wire.Packer, value: Any) -> Any:
        if proxy.is_proxy(value) and proxy.side(value) is self:
            return {"y": proxy.target(value).number}
        if isinstance(value, type) and (thing := self.kinds.thing_of(value)) is not None:
            return {"y": proxy.target(thing).number}
        if isinstance(value, BaseException):
            if seen := raising.seen(value):
                return self.send_other(packer, seen.proxy)
            return {"e": self.error_sent(packer, value)}
        if type(value) is types.TracebackType:
            return None
        return lending.lent(value, packer, self)

    def error_sent(self, packer: wire.Packer, error: BaseException) -> Any:
        """What a function of the test's has raised."""
        number = self.keep(error)
        self._told.append(number)
        return raising.sent(packer, error, number)

    def answered(
        self,
        operation: str,
        target: int,
        args: list[Any],
        kwargs: dict[str, Any],
        said: dict[str, Any],
        extras: dict[str, Any],
    ) -> Any:
        """Do what the candidate asks of something that it was lent."""
        extras["files"] = self.files
        return lending.used(self.kept.thing(target), operation, args, kwargs)
