"""A student's process, as far as its grader deals with it: cells run in it, and end in time.

Nothing that it says decides anything but what is shown as its output: the grader goes by its own clock, and by what
the system says of the process.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from coursemill.effects import forks
from coursemill.effects.grading.pair import Pair
from coursemill.effects.grading.talk import Message, wait
from coursemill.effects.sandbox.inmate.system import SERVE
from coursemill.errors import Unavailable
from coursemill.pure.grading.outputs import Outputs

START = 120.0
"""Seconds that a kernel may take to answer first; a busy machine is slow."""
AGAIN = 0.5
"""Seconds between two first questions: what is said before its outputs are listened to is lost."""
GRACE = 2.0
"""Seconds that a cell has to end after an interrupt, and its last output to come after its reply."""

NUMBER = re.compile("[0-9]+")

End = Literal["timeout", "died", "limit"]
Status = Literal["done", "error", End]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a cell ended: by its kernel's word, or by the clock, or by what the system says."""

    status: Status
    seconds: float
    said: Mapping[str, Any] = field(default_factory=dict)
    """The content of the kernel's reply."""


@dataclass(slots=True)
class _Heard:
    """What was heard of a cell."""

    asked: str
    reply: Mapping[str, Any] | None = None
    replied: float = 0.0
    idle: bool = False


class Candidate:
    """Runs cells one after the other, until `end` says how it has ended."""

    def __init__(self, pair: Pair, outputs: Outputs) -> None:
        self._side, self._talk, self.outputs = pair.candidate, pair.talk, outputs
        self.end: End | None = None
        self.reason = ""
        """Why it has ended."""
        self.words = ""
        """The same without any number: the code may choose with what status it ends."""
        self.own = 0.0
        """Seconds that its cells took."""
        self._sources = (*self._talk.sources, self._side.process)
        self._serving = ""
        """The request by which it answers an examiner, until it says that this is over."""
        self.silent = 0.0
        """Since when it does not answer the examiner any more; 0: it does."""

    def ready(self) -> None:
        """Wait until the kernel answers and is heard; raises Unavailable."""
        end, asked = time.monotonic() + START, set()
        while time.monotonic() < end:
            asked.add(self._talk.ask("kernel_info_request", {}))
            again = time.monotonic() + AGAIN
            while (left := again - time.monotonic()) > 0:
                self._wait(left)
                if any(message.parent in asked and _is_idle(message) for message in self._talk.hear()):
                    return
                if self.gone():
                    raise Unavailable(f"no kernel starts: {self._side.last_words() or self.reason}")
        raise Unavailable(f"no kernel answers in {START:.0f} s")

    def run(self, cell: str, source: str, limit: float) -> Ran:
        """Run a cell; after `limit` seconds it is interrupted, and where that does not help, its kernel is ended."""
        began = time.monotonic()
        self.outputs.begin(cell)
        heard = _Heard(self._talk.ask("execute_request", _execution(source)))
        status: Status = "done"
        if not self._follow(heard, began + limit):
            status = "timeout"
            self.interrupt()
            if not self._follow(heard, time.monotonic() + GRACE):
                self.stop("timeout", f"a cell was still running after {limit:.0f} s")
        seconds = time.monotonic() - began
        self.own += seconds
        said = heard.reply or {}
        if status == "done" and said.get("status") != "ok":
            status = "error"
        return Ran(self.end or status, seconds, said)

    def serve(self) -> None:
        """Let it answer what the examiner asks on the wall, until that says that the test is over."""
        self._serving, self.silent = self._talk.ask(SERVE, {}), 0.0

    def settled(self, patience: float) -> bool:
        """Whether it has come back from what the examiner asked, or does within `patience` seconds, or has ended."""
        end = time.monotonic() + patience
        while self._serving and not self.gone():
            if (left := end - time.monotonic()) <= 0:
                return False
            self._wait(left)
            self.ignore()
        return True

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in what runs."""
        self._side.process.signal(signal.SIGINT)

    def stop(self, end: End, reason: str, words: str = "") -> None:
        """End it; `words` are the reason without any number that the code may choose."""
        if not self.gone():
            self.end, self.reason, self.words = end, reason, words or reason
            self._side.process.end()

    def gone(self, patience: float = 0.0) -> bool:
        """Whether it has ended, or does within `patience` seconds."""
        end = time.monotonic() + patience
        while self.end is None:
            status = self._side.process.poll()
            if status is not None:
                reason = self._side.process.reason
                self.end = "limit" if reason else "died"
                self.reason = f"Python was ended: the code {reason or forks.death(status)}"
                self.words = f"Python was ended: the code {NUMBER.sub('…', reason) or 'ended its process'}"
            elif (left := end - time.monotonic()) <= 0:
                return False
            else:
                self._wait(left)
                self.ignore()
        return True

    def ignore(self) -> None:
        """Throw away what it has said by now: outputs of nobody's."""
        for message in self._talk.hear(brief=True):
            if message.parent == self._serving and _is_idle(message):
                self._serving, self.silent = "", time.monotonic()

    def _follow(self, heard: _Heard, end: float) -> bool:
        """Take in outputs until the cell or the kernel has ended; False when neither has at `end`."""
        while True:
            gone = self.gone()
            for message in self._talk.hear(brief=self.outputs.full):
                if message.parent == heard.asked:
                    self._take(message, heard)
            if gone:
                return True
            now = time.monotonic()
            if heard.reply is not None and (heard.idle or now > heard.replied + GRACE):
                return True
            if now >= end:
                return False
            self._wait(min(end - now, GRACE))

    def _take(self, message: Message, heard: _Heard) -> None:
        if message.channel == "iopub":
            heard.idle = heard.idle or _is_idle(message)
            self.outputs.take(message.kind, message.content, message.size)
        elif message.kind == "execute_reply" and heard.reply is None:
            heard.reply, heard.replied = message.content, time.monotonic()

    def _wait(self, seconds: float) -> None:
        wait(self._sources, seconds)


def _execution(source: str) -> dict[str, Any]:
    return {
        "code": source,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }


def _is_idle(message: Message) -> bool:
    return message.kind == "status" and message.content.get("execution_state") == "idle"
