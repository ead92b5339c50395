"""What a kernel's processes write to their streams, on its way to the client's."""

from __future__ import annotations

import os
import select
import signal
import time

LONGEST = 1 << 20
PIECE = select.PIPE_BUF
"""What a pipe takes at once when it has room at all."""
PLAIN = bytes(n if n in b"\t\n\r" or 32 <= n != 127 else ord("?") for n in range(256))
"""What steers a terminal does not reach one."""
STUCK = 1.0
"""Seconds after which a write is given up: another writer was quicker, and nobody reads."""


class Log:
    """Copies from a pipe to a stream whose reader may be slow, or gone; after a megabyte nothing is kept."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target, self.left = source, target, LONGEST
        self.over = False
        signal.signal(signal.SIGALRM, _give_up)

    def wanted(self) -> list[int]:
        """What to read from, now: nothing while the stream has no room."""
        return [self.source] if not self.over and (not self.left or self._room(0)) else []

    def copy(self) -> None:
        """Copy what is there, which is not nothing."""
        data = os.read(self.source, PIECE)
        self.over = not data
        self._write(data[: self.left].translate(PLAIN))
        self.left -= min(len(data), self.left)

    def drain(self, patience: float) -> None:
        """Copy what has been written by now; others may still be writing."""
        end = time.monotonic() + patience
        while self.wanted() and time.monotonic() < end and select.select([self.source], [], [], 0)[0]:
            self.copy()

    def finish(self, patience: float, last: str) -> None:
        """Everybody who wrote has ended: copy the rest, and a last line."""
        end = time.monotonic() + patience
        while not self.over and time.monotonic() < end and (not self.left or self._room(patience)):
            self.copy()
        if last and self._room(0):
            self._write(last.encode())

    def _room(self, patience: float) -> bool:
        return bool(select.select([], [self.target], [], patience)[1])

    def _write(self, data: bytes) -> None:
        signal.setitimer(signal.ITIMER_REAL, STUCK)
        try:
            while data:
                data = data[os.write(self.target, data) :]
        except OSError:  # a full disk is no reason to end, nor is a reader that has gone
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _give_up(*_: object) -> None:
    raise TimeoutError("nobody reads the log")
