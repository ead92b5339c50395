"""Requests and replies over a socket, either way, one within the other: two processes that call each other.

Each side has one conversation: while it waits for a reply it answers what it is asked. Several threads may ask; what
one is asked back, it answers itself. What comes is not trusted: it is bounded, and what makes no sense ends the talk.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursemill.pure import wire
from coursemill.pure.wire import Buffer, Malformed

PIECES = 512
"""Buffers that are handed to the system at once; it takes 1024."""
PIECE = 1 << 24
"""Bytes of a buffer that are made room for before they are there."""
DEEPEST = 150
"""Requests within requests."""
ROOM = 1 << 20
"""Bytes that a socket should hold."""


class Gone(BaseException):
    """The other side has ended, or makes no sense: no test can go on, whatever it would catch."""


@dataclass(slots=True)
class Message:
    """What comes over the wall."""

    kind: str
    id: int
    within: int
    """The request of this side's that it belongs to, for a request; 0: none."""
    body: Any
    buffers: Sequence[Buffer | None] = ()


Answer = Callable[[Message], None]


@dataclass(slots=True)
class Talk:
    """One end; `answer` answers a request, by `send`."""

    socket: socket.socket
    answer: Answer
    gone: str = ""
    """Why it has ended."""
    _last: int = 0
    _waiting: set[int] = field(default_factory=set)
    _arrived: dict[int, Message] = field(default_factory=dict)
    _asked: dict[int, list[Message]] = field(default_factory=dict)
    _reading: bool = False
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _own: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.socket.setblocking(True)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, option, ROOM)

    def ask(self, body: Any, buffers: list[Buffer]) -> Message:
        """Send a request and return its reply, answering what comes in between; raises Gone."""
        with self._turn:
            self._last += 1
            number = self._last
            self._waiting.add(number)
        if len(self._stack()) >= DEEPEST:
            raise RecursionError("calls go back and forth between test and answer without end")
        self.send("ask", number, self._within(), body, buffers)
        self._stack().append(number)
        try:
            return self._wait(number)
        finally:
            self._stack().pop()
            with self._turn:
                self._waiting.discard(number)

    def serve(self) -> None:
        """Answer requests until the other side says `end`; raises Gone."""
        self._wait(0)

    def send(self, kind: str, number: int, within: int, body: Any, buffers: list[Buffer]) -> None:
        """Send a message; raises Gone, and TooLarge before anything is sent."""
        pieces = [p for p in wire.frame([kind, number, within, body], buffers) if len(p)]
        with self._sending:
            if self.gone:
                raise Gone(self.gone)
            try:
                send(self.socket, pieces)
            except OSError as error:
                raise self._end(error) from None

    def broken(self, error: BaseException) -> Gone:
        """End the talk with a side that makes no sense; return what to raise."""
        with self._turn:
            self._turn.notify_all()
            return self._end(error)

    def answering(self, message: Message) -> None:
        """Answer a request: what this thread asks meanwhile belongs to it."""
        stack: list[int] = self._requests()
        stack.append(message.id)
        try:
            self.answer(message)
        finally:
            stack.pop()

    def _wait(self, number: int) -> Message:
        """Read until the reply has come (0: the end), by this thread or by another one that reads already."""
        while True:
            message: Message | None = None
            with self._turn:
                while True:
                    if found := self._arrived.pop(number, None):
                        return found
                    if asked := self._asked.get(number):
                        message = asked.pop(0)
                        break
                    if self.gone:
                        raise Gone(self.gone)
                    if not self._reading:
                        self._reading = True
                        break
                    self._turn.wait()
            if message is None:
                self._read()
            else:
                self.answering(message)

    def _read(self) -> None:
        """Read a message and put it where it is waited for."""
        try:
            message = self._received()
            with self._turn:
                if message.kind == "ask":
                    self._asked.setdefault(message.within if message.within in self._waiting else 0, []).append(message)
                elif message.kind == "end":
                    self._arrived[0] = message
                elif message.id in self._waiting and message.id not in self._arrived:
                    self._arrived[message.id] = message
                else:
                    raise Malformed("a reply to what was not asked")
        except (OSError, EOFError, Malformed, MemoryError) as error:
            raise self._end(error) from None
        finally:
            with self._turn:
                self._reading = False
                self._turn.notify_all()

    def _received(self) -> Message:
        tree, buffers = receive(self.socket)
        if type(tree) is not list or len(tree) != 4 or [type(one) for one in tree[:3]] != [str, int, int]:
            raise Malformed("no message")
        kind, number, within, body = tree
        return Message(kind, number, within, body, buffers)

    def _end(self, error: BaseException) -> Gone:
        said = str(error) or "it has ended"
        self.gone = self.gone or f"the student's kernel does not answer: {said}"
        return Gone(self.gone)

    def _stack(self) -> list[int]:
        """This side's requests that this thread waits for."""
        found: list[int] = self._own.__dict__.setdefault("stack", [])
        return found

    def _requests(self) -> list[int]:
        """The other side's requests that this thread answers."""
        found: list[int] = self._own.__dict__.setdefault("requests", [])
        return found

    def _within(self) -> int:
        return self._requests()[-1] if self._requests() else 0


def tell(to: socket.socket, message: Any) -> None:
    """Send plain data as one frame; raises OSError, TooLarge and TypeError."""
    send(to, wire.pack(message))


def hear(source: socket.socket) -> Any:
    """Return plain data that was sent by `tell`; raises EOFError, OSError and Malformed."""
    tree, buffers = receive(source)
    return wire.unpacked(wire.Unpacker(buffers), tree)


def send(to: socket.socket, pieces: Sequence[Buffer]) -> None:
    """Send all of them; raises OSError."""
    rest = [memoryview(p) for p in pieces if len(p)]
    while rest:
        sent = to.sendmsg(rest[:PIECES])
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if sent:
            rest[0] = rest[0][sent:]


def receive(source: socket.socket) -> tuple[Any, list[bytearray]]:
    """Return the tree of a frame and its buffers; raises EOFError, OSError and Malformed."""
    (size,) = wire.HEAD.unpack(_exactly(source, wire.HEAD.size))
    if size > wire.MAX_HEADER:
        raise Malformed("too many values")
    tree, lengths = wire.header(_exactly(source, size))
    return tree, [_exactly(source, length) for length in lengths]


def _exactly(source: socket.socket, size: int) -> bytearray:
    """So many bytes; room is made for them as they come."""
    data = bytearray(min(size, PIECE))
    got = 0
    while got < size:
        if got == len(data):
            data.extend(bytes(min(size - got, len(data))))
        with memoryview(data) as room:
            count = source.recv_into(room[got:])
        if not count:
            raise EOFError("it has ended")
        got += count
    return data
