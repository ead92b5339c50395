"""Connections between a kernel's sockets and its clients', so that what a kernel says can be counted and ended."""

from __future__ import annotations

import contextlib
import select
import socket
import time

CHUNK = 1 << 18
MOST = 128
"""Connections at one time; a client has one for each channel."""


class Relay:
    """Listens where clients come, and connects each to the kernel's socket for that channel."""

    def __init__(self, outer: list[socket.socket], most: int) -> None:
        self.outer, self.most = outer, most
        self.inner = [_listening() for _ in outer]
        """Sockets for the kernel to accept connections on."""
        self.said = 0
        """Bytes that the kernel has sent."""
        self._names = [inner.getsockname() for inner in self.inner]
        self._links: list[_Link] = []
        for one in outer:
            one.setblocking(False)

    def hand_over(self) -> None:
        """Let the kernel alone have its sockets."""
        for inner in self.inner:
            inner.close()

    def wanted(self) -> tuple[list[socket.socket], list[socket.socket]]:
        """Sockets to read from and to write to."""
        reading = [*self.outer] if len(self._links) < MOST else []
        writing: list[socket.socket] = []
        for link in self._links:
            for way in link.ways:
                (writing if way.waiting else reading).append(way.target if way.waiting else way.source)
        return reading, writing

    def move(self, ready: list[socket.socket], room: list[socket.socket]) -> None:
        """Take in connections and pass bytes on."""
        for outer, name in zip(self.outer, self._names, strict=True):
            if outer in ready:
                self._connect(outer, name)
        for link in self._links:
            self.said += link.move(ready, room)
        for link in [link for link in self._links if link.over]:
            link.close()
            self._links.remove(link)

    def finish(self, patience: float) -> None:
        """The kernel has ended: pass on what it had said."""
        end = time.monotonic() + patience
        while self._links and not self.excess() and (left := end - time.monotonic()) > 0:
            ready, room = self.wanted()
            ready, room, _ = select.select([one for one in ready if one not in self.outer], room, [], left)
            self.move(ready, room)

    def excess(self) -> str:
        """What is too much; empty when it is not."""
        return f"said more than {self.most >> 20} MB, which is all it may" if self.said > self.most else ""

    def _connect(self, outer: socket.socket, name: bytes) -> None:
        with contextlib.suppress(OSError):  # the client has gone, or the kernel takes no more: it comes again
            client, _ = outer.accept()
            kernel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.setblocking(False)
            kernel.setblocking(False)
            try:
                kernel.connect(name)
            except OSError:
                client.close()
                kernel.close()
                raise
            self._links.append(_Link(client, kernel))


def _listening() -> socket.socket:
    """A socket with an abstract name, which counts in this network namespace only; the system chooses the name."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("")
    listener.listen(MOST)
    return listener


class _Way:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source, self.target = source, target
        self.waiting = b""
        self.over = False

    def move(self, ready: list[socket.socket], room: list[socket.socket]) -> int:
        """Pass on what there is and fits; return how many bytes came."""
        came = 0
        try:
            if not self.waiting and self.source in ready:
                self.waiting = self.source.recv(CHUNK)
                came = len(self.waiting)
                self.over = not came
            if came or self.target in room:
                self.waiting = self.waiting[self.target.send(self.waiting) :]
        except BlockingIOError:
            pass
        except OSError:
            self.over = True
            self.waiting = b""
        return came


class _Link:
    """A client's connection and the one that stands for it inside."""

    def __init__(self, client: socket.socket, kernel: socket.socket) -> None:
        self.ways = (_Way(kernel, client), _Way(client, kernel))

    @property
    def over(self) -> bool:
        """Both ends close when one is closed, and what it sent before has been passed on."""
        return any(way.over and not way.waiting for way in self.ways)

    def move(self, ready: list[socket.socket], room: list[socket.socket]) -> int:
        """Pass bytes on in both directions; return how many the kernel sent."""
        said, _ = (way.move(ready, room) for way in self.ways)
        return said

    def close(self) -> None:
        for end in (self.ways[0].source, self.ways[0].target):
            end.close()
