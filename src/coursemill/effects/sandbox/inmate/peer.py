"""One end of the wall: what it keeps for the other end, asks it, and answers.

A thing that does not cross by value stays where it is, under a number; the other end holds a stand-in, and says when
that is gone. Which things may be kept, and what may be asked of them, is the two ends' own (`candidate`, `examiner`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from weakref import ref

from coursemill.effects.sandbox.inmate.talk import Gone, Message, Talk
from coursemill.pure import wire
from coursemill.pure.plain import Refused, TooLarge
from coursemill.pure.wire import Malformed

MAX_THINGS = 1_000_000
"""Things kept for the other end."""


class Mirror(Protocol):
    """Carries changed files from one side to the other."""

    def changes(self) -> bytes: ...

    def apply(self, data: bytes) -> None: ...


class Kept:
    """Things that the other end may refer to, by number; each counts how often it was sent."""

    def __init__(self) -> None:
        self._things: dict[int, list[Any]] = {}
        self._numbers: dict[int, int] = {}
        self._last = 0

    def keep(self, thing: Any) -> int:
        """Return the number of a thing."""
        number = self._numbers.get(id(thing))
        if number is None:
            if len(self._things) >= MAX_THINGS:
                raise MemoryError("the other side holds too many things")
            self._last += 1
            number = self._numbers[id(thing)] = self._last
            self._things[number] = [thing, 0]
        self._things[number][1] += 1
        return number

    def thing(self, number: Any) -> Any:
        """Return a thing; raises Malformed."""
        if type(number) is not int or number not in self._things:
            raise Malformed("no such thing")
        return self._things[number][0]

    def release(self, number: Any, times: Any) -> None:
        """Forget a thing that was sent so often, unless it was sent again."""
        entry = self._things.get(number) if type(number) is int else None
        if entry is None or type(times) is not int:
            return
        entry[1] -= times
        if entry[1] <= 0:
            del self._things[number], self._numbers[id(entry[0])]


class Held:
    """Stand-ins for the other end's things, by their numbers; tells which are gone."""

    def __init__(self) -> None:
        self._alive: dict[int, tuple[ref[Any], int]] = {}
        self.gone: deque[tuple[int, int]] = deque()

    def get(self, number: int, make: Callable[[], Any]) -> Any:
        """The stand-in for a thing that has just been sent."""
        found, times = self._alive.get(number, (None, 0))
        stand_in = found() if found else None
        if stand_in is None:
            stand_in, times = make(), 0
            found = ref(stand_in, lambda dead: self._lost(number, dead))
        assert found is not None
        self._alive[number] = (found, times + 1)
        return stand_in

    def _lost(self, number: int, dead: Any) -> None:
        found, times = self._alive.get(number, (None, 0))
        if found is dead:
            del self._alive[number]
            self.gone.append((number, times))


class Peer:
    """What both ends do."""

    def __init__(self, talk: Callable[[Callable[[Message], None]], Talk], mirror: Mirror | None) -> None:
        self.talk = talk(self._answer)
        self.mirror = mirror
        self.kept, self.held = Kept(), Held()

    # For the ends to say

    def send_other(self, packer: wire.Packer, value: Any) -> Any:
        """JSON's values for what is no plain data."""
        raise NotImplementedError

    def receive_other(self, unpacker: wire.Unpacker, tag: str, payload: Any) -> Any:
        """What such values stand for."""
        raise NotImplementedError

    def error_sent(self, packer: wire.Packer, error: BaseException) -> Any:
        """JSON's values for an exception."""
        raise NotImplementedError

    def error_received(self, unpacker: wire.Unpacker, tree: Any) -> BaseException:
        """The exception that they stand for."""
        raise NotImplementedError

    def resolve(self, module: str, name: str) -> type | None:
        """A class by its names, if it is the same on both sides."""
        raise NotImplementedError

    def take(self, unpacker: wire.Unpacker, said: dict[str, Any]) -> None:
        """Take in what this end wants to know of what came with a message, before anything else."""

    def have(self, library: str) -> bool:
        """Whether the other end has imported a library."""
        return True

    # The talk

    def request(
        self, operation: str, target: int, args: Sequence[Any], kwargs: Mapping[str, Any], extras: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Ask; return what comes of it, and what else was said. Raises what the other end raised, and Gone."""
        packer = self.packer()
        body = [operation, target, packer.all(args, 0), dict(zip(kwargs, packer.all(kwargs.values(), 0), strict=True))]
        reply = self.talk.ask([*body, self._extras(packer, extras)], packer.buffers, self.sent)
        unpacker = self.unpacker(reply)
        try:
            good, tree, said = unpacker.fields(reply.body, bool, object, dict)
            self._take(unpacker, said)
        except Malformed as error:
            raise self.talk.broken(error) from None
        try:
            result = wire.unpacked(unpacker, tree) if good else self.error_received(unpacker, tree)
        except Malformed as error:
            raise Refused(f"what the answer gives cannot be read: {error}") from None
        if good:
            return result, said
        raise result

    def _answer(self, message: Message) -> None:
        unpacker = self.unpacker(message)
        try:
            operation, target, args, kwargs, said = unpacker.fields(message.body, str, int, list, dict, dict)
            self._take(unpacker, said)
        except Malformed as error:
            raise self.talk.broken(error) from None
        extras: dict[str, Any] = {}
        packer = self.packer()
        try:
            given = unpacker.list(args, 0), {k: unpacker.value(v) for k, v in kwargs.items()}
            result = self.answered(operation, target, *given, said, extras)
            good, tree = True, packer.tree(result)
        except Gone:
            raise
        except BaseException as error:
            packer = self.packer()
            good, tree = False, self.error_sent(packer, error)
        try:
            self._reply(message, packer, [good, tree], extras)
        except TooLarge as error:
            packer = self.packer()
            self._reply(message, packer, [False, self.error_sent(packer, error)], {})

    def _reply(self, message: Message, packer: wire.Packer, body: list[Any], extras: dict[str, Any]) -> None:
        self.talk.send("reply", message.id, 0, [*body, self._extras(packer, extras)], packer.buffers)
        self.sent()

    def answered(
        self,
        operation: str,
        target: int,
        args: list[Any],
        kwargs: dict[str, Any],
        said: dict[str, Any],
        extras: dict[str, Any],
    ) -> Any:
        """Do what was asked; `extras` go with the reply, also where it raises."""
        raise NotImplementedError

    def packer(self) -> wire.Packer:
        """A new packer for this end's values."""
        packer = wire.Packer(have=self.have)
        packer.other = lambda value: self.send_other(packer, value)
        return packer

    def unpacker(self, message: Message) -> wire.Unpacker:
        """An unpacker for what a message holds."""
        unpacker = wire.Unpacker(message.buffers, resolve=self.resolve)
        unpacker.other = lambda tag, payload: self.receive_other(unpacker, tag, payload)
        return unpacker

    def _extras(self, packer: wire.Packer, extras: dict[str, Any]) -> dict[str, Any]:
        """What goes with a message: changed files, values, and which stand-ins are gone."""
        found = {name: packer.tree(value) for name, value in extras.items() if name != "files"}
        if extras.get("files"):
            changes = self.mirror.changes() if self.mirror else b""
            found["files"] = packer.buffer(changes) if changes else -1
        if self.held.gone:
            found["gone"] = [self.held.gone.popleft() for _ in range(len(self.held.gone))]
        return {**found, **self.told()}

    def told(self) -> dict[str, Any]:
        """What else this end tells with a message."""
        return {}

    def sent(self) -> None:
        """Note that a message with what was told has been sent."""

    def _take(self, unpacker: wire.Unpacker, said: dict[str, Any]) -> None:
        """Take in what came with a message; raises Malformed."""
        try:
            self.take(unpacker, said)
            for number, times in said.get("gone", ()):
                self.kept.release(number, times)
            files = said.get("files", -1)
            if files != -1 and self.mirror is not None:
                self.mirror.apply(bytes(unpacker.buffer(files)))
        except (TypeError, ValueError, OSError) as error:
            raise Malformed(str(error)) from None
