"""Messages with a student's kernel, which may send anything: whatever makes no sense is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 32 << 20
"""Bytes of a message that is read; the connection of one who sends more is closed."""
AT_ONCE = 500
"""Messages that are read before somebody looks at the clock again."""
SHORT = 1 << 16
"""Bytes of a message that is read in any case: it may say that a cell has ended."""


def wait(sources: Iterable[Any], seconds: float) -> None:
    """Wait until there is something to read from one of them (sockets, or processes whose end it is), at most so long.

    What has ended, and so has no descriptor, is left out.
    """
    import zmq

    heard = [(one, zmq.POLLIN) for one in sources if isinstance(one, zmq.Socket) or one.fileno() >= 0]
    zmq.zmq_poll(heard, max(1, round(1000 * seconds)))


@dataclass(frozen=True, slots=True)
class Message:
    """What a kernel said, as far as it is well-formed."""

    channel: str
    kind: str
    parent: str
    """Id of the request that it says to follow."""
    content: Mapping[str, Any]
    size: int


class Talk:
    """The shell and iopub channels of a kernel, as its client has them."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        import zmq
        from jupyter_client.session import Session

        self._session: Any = Session(key=connection["key"].encode(), signature_scheme=connection["signature_scheme"])
        context: Any = zmq.Context.instance()
        self._sockets: dict[str, Any] = {}
        for channel, kind in (("iopub", zmq.SUB), ("shell", zmq.DEALER)):
            socket = context.socket(kind)
            socket.linger = 0
            socket.setsockopt(zmq.MAXMSGSIZE, LONGEST)
            socket.setsockopt(zmq.RCVHWM, 0)
            if channel == "iopub":
                socket.setsockopt(zmq.SUBSCRIBE, b"")
            socket.connect(f"ipc://{connection['ip']}-{connection[f'{channel}_port']}")
            self._sockets[channel] = socket

    @property
    def sources(self) -> tuple[Any, ...]:
        """Sockets that a zmq.Poller can wait for."""
        return tuple(self._sockets.values())

    def ask(self, kind: str, content: Mapping[str, Any]) -> str:
        """Send a request on the shell channel; return its id."""
        sent = self._session.send(self._sockets["shell"], kind, dict(content))
        return str(sent["header"]["msg_id"])

    def hear(self, *, brief: bool = False) -> Iterator[Message]:
        """What has come by now, outputs first; `brief`: long messages are of no interest."""
        import zmq

        for channel, socket in self._sockets.items():
            for _ in range(AT_ONCE):
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.ZMQError:  # there is nothing more
                    break
                size = sum(map(len, frames))
                if brief and size > SHORT:
                    continue
                if message := self._read(channel, frames, size):
                    yield message

    def close(self) -> None:
        """Close both channels."""
        for socket in self._sockets.values():
            socket.close()

    def _read(self, channel: str, frames: list[bytes], size: int) -> Message | None:
        try:
            _, rest = self._session.feed_identities(frames)
            message: Any = self._session.deserialize(rest)
            kind, parent, content = message["header"]["msg_type"], message["parent_header"], message["content"]
            asked = parent.get("msg_id", "")
        except Exception:  # malformed in one of countless ways
            return None
        if not (isinstance(kind, str) and isinstance(asked, str) and isinstance(content, dict)):
            return None
        return Message(channel, kind, asked, content, size)
