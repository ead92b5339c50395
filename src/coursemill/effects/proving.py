"""The worker that proves one lesson: it runs the lesson once, and tries every answer from the state before it.

`python -m coursemill.effects.proving N` reads a pickled Job from stdin and writes JSON, a line each, to file
descriptor N. The process belongs to the lesson: its directory, environment and IPython are the lesson's.

Where the process has one thread an answer is tried in a fork of it; where it has several (TensorFlow's, a
Spark session's, a server's), a fork would hang, and the answer is tried in the process itself and undone after.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from coursemill.effects import checkpoint, forks, processes
from coursemill.effects.examiner import Examiner
from coursemill.effects.rewind import Rewind
from coursemill.effects.shell import Shell, explain
from coursemill.pure.proof import Mode, Outcome, Tried
from coursemill.pure.trials import Owned, Part, Source, Step, Trial, Variant

AGAIN = 1.0
"""Seconds after which an answer that went on although its time was over is told so again."""
ERRORS, OUTPUT, COPY = "errors.log", "output.log", "copy"
Result = tuple[list[Outcome], str]
"""What the tests gave, or why an answer came to no end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may take, beyond which it is wrong; the lesson's own cells and solutions have `lesson`."""

    variant: float = 30.0
    lesson: float = 600.0
    memory: int = 3 * 2**30
    """Bytes beyond what the lesson holds already."""


@dataclass(frozen=True, slots=True)
class Job:
    """A lesson to prove in the current directory; `done` is what an earlier worker, now dead, has found out."""

    parts: tuple[Part, ...]
    scratch: Path
    limits: Limits = field(default_factory=Limits)
    done: Mapping[tuple[str, int], Tried] = field(default_factory=dict)


class Late(BaseException):
    """An answer's time is over."""


class Stopped(Exception):  # noqa: N818 - as the message says
    """A cell of the lesson's own failed: (line, reason)."""


class Worker:
    """Goes through a lesson once; `tell` sends what happens to the parent."""

    def __init__(self, job: Job, shell: Shell, pipe: int) -> None:
        self.job, self.shell, self.pipe = job, shell, pipe
        self.owned, self.late = Owned(), False
        self.examiner: Examiner | None = None  # of the exercise at hand, made before the forks
        self.folder = Rewind(Path.cwd(), job.scratch / COPY)
        self.cells: dict[str, Source] = {}

    def work(self) -> None:
        """Prove the whole lesson."""
        try:
            for part in self.job.parts:
                if isinstance(part, Trial):
                    self._prove(part)
                else:
                    self.tell(what="step", line=part.source.line(1))
                    self._advance(part)
        except Stopped as stop:
            line, reason = stop.args
            self.tell(what="stopped", line=line, reason=reason)
            return
        self.tell(what="end")

    def tell(self, **message: Any) -> None:
        """Send a message."""
        os.write(self.pipe, json.dumps(message).encode() + b"\n")

    def _advance(self, step: Step) -> None:
        """Run a cell of the lesson; only what an author marked so, and tests, may fail."""
        ran = self.shell.run(self._known(step.id, step.source), step.source.text)
        self.owned = self.owned.after(step, step.source)
        if ran.error and step.role == "code" and not step.may_raise:
            line, reason = explain(ran.error, self.cells)
            raise Stopped(line or step.source.line(1), reason)

    def _prove(self, trial: Trial) -> None:
        modes: dict[str, Mode] = {step.id: "isolated" for step in trial.tests}
        self.examiner = None
        self.folder.mark()
        first = self.job.done.get((trial.id, 0)) or self._solution(trial, modes)
        modes.update((o.test, o.mode) for o in first.outcomes)
        patience = max(self.job.limits.variant, 5 * first.seconds)
        fine = not first.broken and not any(o.reason for o in first.outcomes)
        for number, variant in enumerate(trial.variants[1:] if fine else (), start=1):
            if (trial.id, number) not in self.job.done:
                self.tell(what="try", trial=trial.id, variant=number, limit=patience)
                self._found(trial, number, self._try(trial, variant, modes, patience))
        if first.broken:
            raise Stopped(trial.variants[0].line, f"{trial.id}: the solution {first.broken}")
        self.tell(what="step", line=trial.line)
        for step in trial.steps:
            self._advance(step)

    def _solution(self, trial: Trial, modes: dict[str, Mode]) -> Tried:
        """Find out how each test can look at the solution: through the wall, else live, else all of them live."""
        tried = self._once(trial, modes)
        failed = {o.test for o in tried.outcomes if o.reason}
        for live in (failed, set(modes)):
            if tried.broken or not failed or all(modes[test] == "in-candidate" for test in live):
                continue
            modes.update(dict.fromkeys(live, "in-candidate"))
            tried = self._once(trial, modes)
            failed = {o.test for o in tried.outcomes if o.reason}
        self._found(trial, 0, tried)
        return tried

    def _once(self, trial: Trial, modes: Mapping[str, Mode]) -> Tried:
        limit = self.job.limits.lesson
        self.tell(what="try", trial=trial.id, variant=0, limit=limit)
        return self._try(trial, trial.variants[0], modes, limit)

    def _found(self, trial: Trial, number: int, tried: Tried) -> None:
        self.tell(what="tried", trial=trial.id, variant=number, tried=asdict(tried))

    def _try(self, trial: Trial, variant: Variant, modes: Mapping[str, Mode], limit: float) -> Tried:
        began = time.monotonic()
        try:
            if forks.threads() == 1:
                outcomes, broken = self._forked(trial, variant, modes, limit)
            else:
                with checkpoint.kept(self.shell.names, self.folder):
                    outcomes, broken = self._in_place(trial, variant, modes, limit)
        finally:
            for name in (ERRORS, OUTPUT):
                os.truncate(self.job.scratch / name, 0)
        return Tried(variant.name, variant.kind, tuple(outcomes), broken, round(time.monotonic() - began, 4))

    def _forked(self, trial: Trial, variant: Variant, modes: Mapping[str, Mode], limit: float) -> Result:
        if self.examiner is None:
            self.examiner = Examiner(self.shell, self.owned, trial)
        examiner = self.examiner

        def run() -> tuple[list[dict[str, Any]], str]:
            outcomes, broken = self._run(trial, variant, modes, examiner)
            return [asdict(o) for o in outcomes], broken

        try:
            found, died = forks.call(run, limit, self.pipe)
        finally:
            self.folder.back()
        outcomes, broken = found or ([], died)
        return [Outcome(**o) for o in outcomes], broken

    def _in_place(self, trial: Trial, variant: Variant, modes: Mapping[str, Mode], limit: float) -> Result:
        before = signal.signal(signal.SIGALRM, self._ring)
        try:
            signal.setitimer(signal.ITIMER_REAL, limit, AGAIN)
            return self._run(trial, variant, modes, Examiner(self.shell, self.owned, trial))
        except Late:
            return [], forks.overtime(limit)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            self.late = False

    def _ring(self, _: int, __: FrameType | None) -> None:
        self.late = True
        raise Late

    def _run(self, trial: Trial, variant: Variant, modes: Mapping[str, Mode], examiner: Examiner) -> Result:
        """Run an exercise's cells with the variant's answers; an error in one does not stop the next ones."""
        outcomes = []
        try:
            with forks.memory(self.job.limits.memory):
                for step in trial.steps:
                    source = variant.answers.get(step.id, step.source)
                    name = self._known(step.id, source)
                    if step.role == "test":
                        outcomes.append(examiner.test(step, name, modes[step.id], self.cells))
                    else:
                        self.shell.run(name, source.text)
                        examiner.follow(step)
                    if self.late:  # whoever caught it
                        raise Late
        except Exception as error:  # what the answer made cannot even be looked at
            return [], f"cannot be graded: {type(error).__name__}: {error}"
        return outcomes, ""

    def _known(self, cell: str, source: Source) -> str:
        """The name that a cell's code has in tracebacks."""
        name = f"<{cell}>"
        self.cells[name] = source
        return name


def main() -> None:
    """Prove the lesson that stdin describes."""
    pipe = int(sys.argv[1])
    os.set_inheritable(pipe, False)
    sys.argv[:] = [""]  # libraries that read it shall not find ours
    job: Job = pickle.load(sys.stdin.buffer)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(job.scratch / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    errors = os.open(job.scratch / ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for new, old in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(new, old)
        os.close(new)
    processes.die_with_parent()
    processes.become_subreaper()
    Worker(job, Shell(job.scratch / ERRORS), pipe).work()
    os._exit(0)  # what the lesson has left running is the parent's to end


if __name__ == "__main__":
    main()
