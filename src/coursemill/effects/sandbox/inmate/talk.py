"""Requests and replies over a socket, either way, one within the other: two processes that call each other.

Each side has one conversation: while it waits for a reply it answers what it is asked. Several threads may ask; what
one is asked back, it answers itself. What comes is not trusted: it is bounded, and what makes no sense ends the talk.
"""

from __future__ import annotations

import contextlib
import mmap
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursemill.pure import wire
from coursemill.pure.wire import Buffer, Malformed

PIECES = 512
"""Buffers that are handed to the system at once; it takes 1024."""
LARGE = 1 << 20
"""Bytes from which on a buffer has pages of its own: new ones from the heap would be a hundred times slower."""
DEEPEST = 150
"""Requests within requests."""
FRAMES = 40
"""Of Python's, for each of them: they are not the test's or the answer's."""
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
    _given_up: set[int] = field(default_factory=set)
    _arrived: dict[int, Message] = field(default_factory=dict)
    _asked: dict[int, list[Message]] = field(default_factory=dict)
    _idle: set[int] = field(default_factory=set)
    _reading: bool = False
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _own: threading.local = field(default_factory=threading.local)
    _busy: bool = False
    _late: bool = False

    def __post_init__(self) -> None:
        self.socket.setblocking(True)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, option, ROOM)

    def ask(self, body: Any, buffers: list[Buffer], sent: Callable[[], None] = lambda: None) -> Message:
        """Send a request, call `sent`, and return the reply, answering what comes in between; raises Gone."""
        if len(self._answers()) >= DEEPEST:
            raise RecursionError("calls go back and forth between test and answer without end")
        with self._turn:
            self._last += 1
            number = self._last
            self._waiting.add(number)
        try:
            with self._undisturbed():
                self.send("ask", number, self._within(), body, buffers)
                sent()
                return self._wait(number)
        except BaseException:
            with self._turn:
                self._given_up.add(number)
            raise
        finally:
            with self._turn:
                self._waiting.discard(number)
                self._arrived.pop(number, None)

    def serve(self) -> None:
        """Answer requests until the other side says `end`; raises Gone."""
        with self._undisturbed():
            self._wait(0)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt, now or when no message is half sent or half read; for a signal's handler."""
        if self._busy:
            self._late = True
        else:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def _undisturbed(self, busy: bool = True) -> Iterator[None]:
        """Put interrupts off, or, with `busy=False`, let them through; they come to the main thread alone."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before, self._busy = self._busy, busy
        try:
            self._heed()
            yield
        finally:
            self._busy = before
        self._heed()

    def _heed(self) -> None:
        if self._late and not self._busy:
            self._late = False
            raise KeyboardInterrupt

    def send(self, kind: str, number: int, within: int, body: Any, buffers: list[Buffer]) -> None:
        """Send a message; raises Gone, and TooLarge before anything is sent."""
        pieces = [p for p in wire.frame([kind, number, within, body], buffers) if len(p)]
        with self._undisturbed(), self._sending:
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
        stack = self._answers()
        stack.append(message.id)
        try:
            with _room(), self._undisturbed(busy=False):
                self.answer(message)
        finally:
            stack.pop()

    def _wait(self, number: int) -> Message:
        """Read until the reply has come (0: the end), by this thread or by another one that reads already."""
        while True:
            with self._turn:
                self._idle.add(number)
                try:
                    while not (number in self._arrived or self._asked.get(number) or self.gone or not self._reading):
                        with self._undisturbed(busy=False):
                            self._turn.wait()
                    found, asked = self._arrived.pop(number, None), self._asked.get(number)
                    self._reading = self._reading or not (found or asked or self.gone)
                finally:
                    self._idle.discard(number)
            if found:
                return found
            if asked:
                self.answering(asked.pop(0))
            elif self.gone:
                raise Gone(self.gone)
            else:
                self._read(number)

    def _read(self, number: int) -> None:
        """Read a message and put it where it is waited for: a request of no thread's goes to one that is idle."""
        try:
            message = self._received()
            with self._turn:
                if message.kind == "ask":
                    idle = {number, *self._idle}
                    whose = message.within if message.within in self._waiting else 0 if 0 in idle else max(idle)
                    self._asked.setdefault(whose, []).append(message)
                elif message.kind == "end":
                    self._arrived[0] = message
                elif message.id in self._waiting and message.id not in self._arrived:
                    self._arrived[message.id] = message
                elif message.id in self._given_up:
                    self._given_up.remove(message.id)
                else:
                    raise Malformed("a reply to what was not asked")
        except (OSError, EOFError, Malformed, MemoryError) as error:
            raise self._end(error) from None
        finally:
            with self._turn:
                self._reading = False
                self._turn.notify_all()

    def _received(self) -> Message:
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        with self._undisturbed(busy=False):
            waiting.poll()
        tree, buffers = receive(self.socket)
        if type(tree) is not list or len(tree) != 4 or [type(one) for one in tree[:3]] != [str, int, int]:
            raise Malformed("no message")
        kind, number, within, body = tree
        return Message(kind, number, within, body, buffers)

    def _end(self, error: BaseException) -> Gone:
        said = str(error) or "it has ended"
        self.gone = self.gone or f"the student's kernel does not answer: {said}"
        return Gone(self.gone)

    def _answers(self) -> list[int]:
        """The other side's requests that this thread answers."""
        found: list[int] = self._own.__dict__.setdefault("answers", [])
        return found

    def _within(self) -> int:
        return self._answers()[-1] if self._answers() else 0


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Let answering a request cost none of Python's frames; the limit is all threads', so one of them sets it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


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


def receive(source: socket.socket) -> tuple[Any, list[Buffer]]:
    """Return the tree of a frame and its buffers; raises EOFError, OSError and Malformed."""
    (size,) = wire.HEAD.unpack(_exactly(source, wire.HEAD.size))
    if size > wire.MAX_HEADER:
        raise Malformed("too many values")
    tree, lengths = wire.header(_exactly(source, size))
    return tree, [_exactly(source, length) for length in lengths]


def _exactly(source: socket.socket, size: int) -> bytearray | mmap.mmap:
    """So many bytes. Room for many is taken as they come: a size that is only claimed costs nothing."""
    data: bytearray | mmap.mmap
    if size < LARGE:
        data = bytearray(size)
    else:
        data = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        data.madvise(mmap.MADV_HUGEPAGE)
    got = 0
    with memoryview(data) as room:
        while got < size:
            count = source.recv_into(room[got:])
            if not count:
                raise EOFError("it has ended")
            got += count
    return data
