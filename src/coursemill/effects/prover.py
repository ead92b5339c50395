"""Prove lessons, each in a process and a directory of its own, of which nothing is left.

A worker that an answer has killed or hung is replaced: the next one runs the lesson's own cells again, and goes on
behind that answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursemill.effects import forks, processes
from coursemill.effects.proving import ERRORS, Job, Limits
from coursemill.pure.proof import Outcome, Tried
from coursemill.pure.trials import Part, Trial

GRACE = 10.0
"""Seconds beyond its limit after which a worker that says nothing is killed."""
START = 120.0
"""Seconds that a worker may take to start."""
BEAT = 0.2
"""Seconds after which a worker's parent looks whether it shall go on."""
LAST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Order:
    """A lesson to prove: what it executes, what lies in its directory, its environment."""

    parts: tuple[Part, ...]
    files: tuple[tuple[str, Path], ...] = ()
    """(path in its directory, the file to copy)."""
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(slots=True)
class Found:
    """What has been found out so far."""

    tried: dict[tuple[str, int], Tried] = field(default_factory=dict)
    stopped: tuple[int, str] | None = None
    """The note's line (0: unknown) beyond which the lesson could not be run, and why."""
    ended: bool = False


OnStep = Callable[[Found], None]


def prove(order: Order, on_step: OnStep = lambda _: None, cancelled: threading.Event | None = None) -> Found:
    """Try every answer of a lesson; `on_step` is told of each. Returns early when `cancelled` is set."""
    found = Found()
    cancelled = cancelled or threading.Event()
    while not (found.ended or found.stopped or cancelled.is_set()):
        scratch = Path(tempfile.mkdtemp(prefix="coursemill-prove-"))
        try:
            _Worker(order, scratch, found).listen(on_step, cancelled)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return found


class _Worker:
    """The parent's view of a worker process."""

    def __init__(self, order: Order, scratch: Path, found: Found) -> None:
        self.order, self.scratch, self.found = order, scratch, found
        folder = _laid_out(order, scratch)
        self.pipe, theirs = os.pipe()
        with (scratch / ERRORS).open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "coursemill.effects.proving", str(theirs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[theirs],
                cwd=folder,
                env=_environment(order.environment, scratch),
                start_new_session=True,
            )
        os.close(theirs)
        self.deadline = time.monotonic() + START
        self.trying: tuple[str, int] | None = None
        self.line = 0  # of the lesson's cell that is running
        self.limit = START
        job = Job(order.parts, scratch, order.limits, dict(found.tried))
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stream:
            stream.write(pickle.dumps(job))

    def listen(self, on_step: OnStep, cancelled: threading.Event) -> None:
        """Take in what the worker says until it ends, or has to be ended."""
        try:
            said = b""
            while not cancelled.is_set():
                if select.select([self.pipe], [], [], BEAT)[0]:
                    piece = os.read(self.pipe, 1 << 16)
                    *lines, said = (said + piece).split(b"\n")
                    for line in lines:
                        self._take(json.loads(line))
                        on_step(self.found)
                    if not piece:
                        self._lost(forks.death(self.process.wait()))
                        return
                elif time.monotonic() > self.deadline:
                    self._lost(forks.overtime(self.limit))
                    return
        finally:
            processes.kill_tree(self.process.pid)
            self.process.wait()
            os.close(self.pipe)

    def _take(self, message: dict[str, Any]) -> None:
        match message["what"]:
            case "try":
                self.trying = message["trial"], message["variant"]
                self._patient(message["limit"])
            case "tried":
                self.trying = None
                tried = message["tried"]
                outcomes = tuple(Outcome(**o) for o in tried.pop("outcomes"))
                self.found.tried[message["trial"], message["variant"]] = Tried(**tried, outcomes=outcomes)
                self._patient(self.order.limits.lesson)
            case "step":
                self._patient(self.order.limits.lesson)
                self.line = message["line"]
            case "stopped":
                self.found.stopped = message["line"], message["reason"]
            case "end":
                self.found.ended = True

    def _patient(self, seconds: float) -> None:
        self.limit, self.deadline = seconds, time.monotonic() + seconds + GRACE

    def _lost(self, how: str) -> None:
        """The worker said no more: blame the answer that it tried, or the lesson."""
        if self.found.ended or self.found.stopped:
            return
        if self.trying is None:
            words = (self.scratch / ERRORS).read_text(errors="replace").strip().splitlines()
            reason = "; ".join([f"the cell {how}", *words[-LAST_WORDS:]])
            self.found.stopped = self.line, reason
            return
        name, number = self.trying
        trial = next(p for p in self.order.parts if isinstance(p, Trial) and p.id == name)
        variant = trial.variants[number]
        self.found.tried[self.trying] = Tried(variant.name, variant.kind, broken=how)


def _laid_out(order: Order, scratch: Path) -> Path:
    """Make the lesson's directory and its files."""
    folder = scratch / "lesson"
    for one in (folder, scratch / "tmp", scratch / "ipython"):
        one.mkdir()
    for name, source in order.files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return folder


def _environment(given: Mapping[str, str], scratch: Path) -> dict[str, str]:
    return {
        **given,
        "IPYTHONDIR": str(scratch / "ipython"),
        "TMPDIR": str(scratch / "tmp"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as in a kernel
    }
