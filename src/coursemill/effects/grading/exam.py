"""The examiner's process, as its grader deals with it: it runs tests on a candidate, and says how they ended."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coursemill.effects import forks
from coursemill.effects.grading.candidate import GRACE, START, Candidate
from coursemill.effects.grading.pair import Pair
from coursemill.effects.grading.talk import wait
from coursemill.pure import wire
from coursemill.pure.grading.plan import Given, Look

CHUNK = 1 << 20
SILENCE = 10.0
"""Seconds after which a candidate that answers no more is believed to have gone its own way; a busy machine is slow."""
LOST = "died"
"""The status of a test at which the candidate let go of the wall."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test as it is put to the examiner."""

    id: str
    source: str
    look: Look
    hidden: frozenset[int] = frozenset()
    """Numbers of lines that students never see."""


class Examiner:
    """Takes over what is given, and runs tests; once `reason` says why it has ended it does no more."""

    def __init__(self, pair: Pair, candidate: Candidate) -> None:
        self._side, self._control, self._candidate = pair.examiner, pair.control, candidate
        self._control.setblocking(False)
        self.reason = ""
        """Why it has ended."""
        self.trouble = ""
        """Why it could not take over something that is given."""
        self._owed = 0
        self._came = bytearray()
        self._sources: tuple[Any, ...] = (
            *pair.talk.sources,
            pair.control,
            pair.candidate.process,
            pair.examiner.process,
        )

    def begin(self, modules: tuple[str, ...]) -> None:
        """Tell it which files are the candidate's modules."""
        if modules:
            self._tell({"do": "modules", "paths": list(modules)})

    def give(self, cell: str, given: Given) -> None:
        """Let it take over what one of the instructor's cells leaves behind."""
        self._tell({"do": "given", "cell": cell, "define": given.define, "values": dict(given.values)})

    def capture(self, names: tuple[str, ...]) -> Mapping[str, bytes]:
        """What is plain data of these names in the candidate, each as `wire` writes it."""
        self._candidate.serve()
        self._tell({"do": "capture", "names": list(names)})
        reply = self._reply(time.monotonic() + START) or {}
        values: Mapping[str, bytes] = reply.get("values", {})
        return values

    def test(self, test: Test, limit: float) -> Mapping[str, Any]:
        """Run a test; its reply, whose status is `timeout` after `limit` seconds."""
        began = time.monotonic()
        self._candidate.serve()
        self._tell(
            {
                "do": "test",
                "id": test.id,
                "source": test.source,
                "names": list(test.look.names),
                **({"imported": sorted(test.look.imported)} if test.look.imported else {}),
                **({"allowed": sorted(test.look.liberties)} if test.look.liberties is not None else {}),
                "files": test.look.files,
                "lines": sorted(test.hidden),
            }
        )
        reply = self._reply(began + limit)
        if reply is None and self._candidate.silent:
            self._end_overtime(limit)
            reply = {"status": "error", "kind": "Error", "reason": "the code keeps Python from answering the test"}
        elif reply is None:
            self._end_overtime(limit)
            said = f"still running after {limit:.0f} s"
            reply = {"status": "timeout", "message": said, "reason": said}
        elif reply.get("status") == LOST:
            self._candidate.gone(patience=GRACE)
        return {**reply, "seconds": time.monotonic() - began}

    def _end_overtime(self, limit: float) -> None:
        """Bring a test to its end: interrupt the answer, then the test itself; end the one, then the other."""
        steps = (
            self._candidate.interrupt,
            lambda: self._side.process.signal(signal.SIGINT),
            lambda: self._candidate.stop("timeout", f"a test was still running after {limit:.0f} s"),
            lambda: self._stop(f"a test was still running after {limit:.0f} s, in itself"),
        )
        for step in steps:
            step()
            if self._reply(time.monotonic() + GRACE) is not None:
                break
        if not self._candidate.settled(GRACE):
            self._candidate.stop("timeout", f"the code was still running after {limit:.0f} s, and took no interrupt")

    def _tell(self, command: Mapping[str, Any]) -> None:
        data = memoryview(wire.dumps(command))
        self._owed += 1
        with contextlib.suppress(ConnectionError):  # it has ended, which is noticed when its reply does not come
            while data and not self.reason:
                try:
                    data = data[self._control.send(data) :]
                except BlockingIOError:
                    self._hear(START)

    def _reply(self, end: float) -> Mapping[str, Any] | None:
        """The reply to the last command; None when it has not come at `end`, or the candidate has gone its own way."""
        found: Mapping[str, Any] = {}
        while self._owed:
            if self.reason:
                return {"status": "error", "reason": self.reason}
            frame = self._frame()
            if not frame:
                if self._candidate.silent:
                    end = min(end, self._candidate.silent + SILENCE)
                if (left := end - time.monotonic()) <= 0:
                    return None
                self._hear(left)
                continue
            found = wire.loads(frame)
            self._owed -= 1
            self.trouble = self.trouble or found.get("trouble", "")
        return found

    def _frame(self) -> bytes:
        """What has come, if it is a whole reply."""
        head = wire.HEAD.size
        if len(self._came) < head:
            return b""
        size = head + wire.HEAD.unpack_from(self._came)[0]
        if len(self._came) < size:
            return b""
        size += sum(wire.header(self._came[head:size])[1])
        if len(self._came) < size:
            return b""
        frame = bytes(self._came[:size])
        del self._came[:size]
        return frame

    def _hear(self, seconds: float) -> None:
        """Take in what has come, after at most `seconds`; what the candidate prints meanwhile is nobody's."""
        wait(self._sources, min(seconds, GRACE))
        self._candidate.ignore()
        try:
            while data := self._control.recv(CHUNK):
                self._came += data
            self._ended()
        except BlockingIOError:
            if self._side.process.poll() is not None:
                self._ended()
        except ConnectionError:
            self._ended()

    def _ended(self) -> None:
        status = self._side.process.poll()
        how = self._side.process.reason or (forks.death(status) if status is not None else "let go of its grader")
        self._stop(f"{how}: {self._side.last_words()}".removesuffix(": "))

    def _stop(self, reason: str) -> None:
        self.reason = self.reason or f"the tests' own process was ended: {reason}"
        self._side.process.end()
