"""Execute notebooks with papermill: each in a process and a directory of its own, of which nothing is left.

The parent starts a worker process for each notebook (forked from a server that has papermill imported, so that a
worker starts in milliseconds), listens to its steps and ends it with all that it started: kernels, JVMs, servers.
Should the parent die first, the worker notices and does the same.
"""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from coursemill.effects import processes, recorded, store
from coursemill.effects.kernels import SPECS
from coursemill.effects.provisioner import THREADS
from coursemill.effects.workers import cores
from coursemill.pure.judge import Judgement, Stop, judge
from coursemill.pure.outcome import Failure, Sandbox
from coursemill.pure.record import UNKNOWN, Record

CLIENT = "coursemill.effects.clients.QuickClient"
MARK = "COURSEMILL_RUN"
"""Environment variable that tells which worker's directory a process belongs to."""
START = 120
"""Seconds that a worker may take to import papermill, and a kernel to answer first; a busy machine is slow."""
GRACE = 5.0
"""Seconds that a cell has to end after the interrupt that ends a lesson's time."""
LONGEST_SOCKET = 100
"""Bytes of the sockets' path, without the number at its end; Linux takes 107 in all."""
SHORT = "/tmp"
LAST_WORDS = 6
"""Lines of a dead kernel's log that are kept."""
ERROR_MARKER = "papermill-error-cell-tag"

OnStep = Callable[["Job", int, int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A notebook to execute."""

    name: str
    notebook: str
    """nbformat's JSON."""
    kernel: str
    """A kernelspec's name."""
    root: Path
    output: str
    """Where the executed notebook is kept, below `root`, also one that failed."""
    timeout: float
    """Seconds, from the kernel's start to the last cell."""
    files: tuple[tuple[str, Path], ...] = ()
    """What the notebook finds beside it: (path in its directory, the file to copy)."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sandbox: Sandbox | None = None
    """None: the code is trusted, and its kernel starts outside."""


@dataclass(frozen=True, slots=True)
class Executed:
    """What came of a job."""

    judgement: Judgement
    seconds: float
    record: Record = UNKNOWN


def execute(jobs: Sequence[Job], workers: int, on_step: OnStep = lambda *_: None) -> Generator[tuple[Job, Executed]]:
    """Execute notebooks, `workers` at a time and in the order given; yield each as it ends.

    `on_step(job, k, n)` is told when code cell k of n starts. Closing the generator, or an exception such as
    KeyboardInterrupt in it, ends what runs. A failure of a notebook is a value, not an exception.
    """
    context = multiprocessing.get_context("forkserver")
    # Each worker imports the main module again (Python does not preload it, gh-126631): let the server have its parts.
    ours = [name for name in sys.modules if name.partition(".")[0] == __package__.partition(".")[0]]
    context.set_forkserver_preload(["__main__", "coursemill.effects.warm", *ours])
    _start_server()
    waiting, running = deque(jobs), list[_Worker]()
    threads = str(max(1, cores() // max(1, min(workers, len(jobs)))))
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_Worker(context.Process, context.Pipe, waiting.popleft(), threads))
            wait([w.talk for w in running], timeout=max(0.0, min(w.deadline for w in running) - time.monotonic()))
            for worker in tuple(running):
                if result := worker.listen(on_step):
                    running.remove(worker)
                    worker.end()
                    yield worker.job, result
    finally:
        for worker in running:
            worker.end()


def _start_server() -> None:
    """Start the server that workers are forked from; where TMPDIR is too long for a socket, it is in /tmp."""
    usual = tempfile.gettempdir()
    listener = os.path.join(usual, "pymp-12345678", "listener-12345678")  # noqa: PTH118 - bytes are counted, no path made
    if len(os.fsencode(listener)) > LONGEST_SOCKET:
        tempfile.tempdir = SHORT
    try:
        forkserver.ensure_running()
    finally:
        tempfile.tempdir = usual


class _Worker:
    """The parent's view of a worker process."""

    def __init__(self, process: Callable[..., ForkServerProcess], pipe: Callable[..., Any], job: Job, threads: str):
        self.job = job
        store.remove(job.root, job.output)  # what an earlier run left there says nothing of this one
        self.scratch = Path(tempfile.mkdtemp(prefix="coursemill-"))
        self.began = time.monotonic()
        self.deadline = self.began + START
        self.cell = ""
        self.talk, theirs = pipe()
        environment = {THREADS: threads, **os.environ, MARK: str(self.scratch)}
        self.process = process(target=_work, args=(job, self.scratch, environment, theirs), daemon=True)
        try:
            self.process.start()
        except BaseException:  # Ctrl-C too: a worker that has started all the same sees its pipe's end
            self.end()
            raise
        finally:
            theirs.close()

    def listen(self, on_step: OnStep) -> Executed | None:
        """Take in what the worker said; its result, once there is one."""
        try:
            while self.talk.poll():
                match self.talk.recv():
                    case ("started",):
                        self.began = time.monotonic()
                        self.deadline = self.began + self.job.timeout + 4 * GRACE
                    case ("cell", done, total, cell):
                        self.cell = cell
                        on_step(self.job, done, total)
                    case Executed() as result:
                        if (executed := self.scratch / "out.ipynb").exists():
                            store.copy(self.job.root, self.job.output, executed)
                        return result
        except (EOFError, OSError):
            self.process.join(GRACE)
            return self._lost(Stop("died", self.cell, f"the worker {_how_it_ended(self.process.exitcode)}"))
        if time.monotonic() > self.deadline:
            return self._lost(Stop("timeout", self.cell, f"no end after {self.job.timeout:.0f} s, nor to an interrupt"))
        return None

    def end(self) -> None:
        """Kill the worker with all below it, and remove its directory."""
        if self.process.pid:
            if self.process.is_alive():
                processes.kill_tree(self.process.pid)
            else:  # its children have other parents now
                processes.kill(lambda: processes.marked(f"{MARK}={self.scratch}"))
            self.process.join(GRACE)
            with contextlib.suppress(ValueError):  # it cannot be killed, hanging in a device: let it be
                self.process.close()
        self.talk.close()
        _remove(self.scratch)

    def _lost(self, stop: Stop) -> Executed:
        """The worker could not say what happened: judge the notebook as it was given, nothing of it proven."""
        return Executed(judge(json.loads(self.job.notebook), stop), time.monotonic() - self.began)


def _work(job: Job, scratch: Path, environment: Mapping[str, str], talk: Connection) -> None:
    """A worker's whole life. The kernel's own noise goes to a file, and Ctrl-C to the parent alone."""
    os.setsid()
    processes.become_subreaper()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=_outlive, args=(talk, scratch), daemon=True).start()
    log = os.open(scratch / "kernel.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    logging.disable()  # papermill and nbclient log what the result says
    try:
        result = _execute(job, scratch, talk)
    except Exception as error:  # whatever it is, the other lessons go on, and it is told
        message = f"the lesson could not be run: {type(error).__name__}: {error}"
        result = Executed(Judgement("failed", 0, 0, 0, (Failure("error", "", "", message),), message), 0.0)
    talk.send(result)
    threading.Event().wait()  # the parent ends this process, after what it started


def _outlive(talk: Connection, scratch: Path) -> None:
    """Wait for the parent's end; it never says anything."""
    with contextlib.suppress(EOFError, OSError):
        talk.recv()
    me = os.getpid()
    processes.kill(lambda: processes.below(me))
    _remove(scratch)
    os._exit(1)


def _execute(job: Job, scratch: Path, talk: Connection) -> Executed:
    """Run papermill and judge what it left."""
    from papermill.exceptions import PapermillExecutionError

    _prepare(job, scratch)
    talk.send(("started",))
    attempt = _Attempt(job, _manager(job, scratch), talk)
    began = time.monotonic()
    stop: Stop | None = None
    try:
        attempt.execute(scratch)
    except PapermillExecutionError:
        stop = attempt.overtime()
    except (RuntimeError, TimeoutError) as error:
        # nbclient's DeadKernelError and jupyter_client's complaints at the start are RuntimeErrors
        stop = attempt.overtime() or attempt.died(error, scratch / "kernel.log")
    seconds = time.monotonic() - began
    attempt.save(scratch / "out.ipynb")
    notebook = json.loads((scratch / "out.ipynb").read_text(encoding="utf-8"))
    judgement = judge(notebook, stop)
    dead = stop is not None and stop.kind == "died"
    record = UNKNOWN if dead else recorded.ask(attempt.manager, recorded.imports(notebook))
    notebook["metadata"].setdefault("coursemill", {})["record"] = asdict(record)
    _tidy(notebook, job, keep_markers=bool(judgement.failures))
    (scratch / "out.ipynb").write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Executed(judgement, seconds, record)


class _Attempt:
    """One call of papermill: its kernel, its clock, and how far it got."""

    def __init__(self, job: Job, manager: Any, talk: Connection) -> None:
        self.job, self.manager, self.talk = job, manager, talk
        self.end = time.monotonic() + job.timeout
        self.late = False
        self.cell, self.done, self.total = "", 0, 0
        self.notebook: Any = None

    def execute(self, scratch: Path) -> None:
        from papermill import execute_notebook

        alarm = threading.Timer(self.job.timeout, self._interrupt)
        alarm.daemon = True
        alarm.start()
        try:
            execute_notebook(
                str(scratch / "in.ipynb"),
                str(scratch / "out.ipynb"),
                parameters=dict(self.job.parameters),
                kernel_name=self.job.kernel,
                language="python",
                progress_bar=False,
                request_save_on_cell_execute=False,  # 6 ms a save, two a cell; what there is at the end is kept
                start_timeout=max(1, int(min(START, self.job.timeout))),
                cwd=str(scratch / "lesson"),
                km=self.manager,
                timeout_func=lambda _cell: max(1.0, self.end + GRACE - time.monotonic()),
                iopub_timeout=START,  # 4 s is too short for output that is late on a busy machine
                on_notebook_start=self._begin,
                on_cell_execute=self._step,
                coalesce_streams=True,
            )
        finally:
            alarm.cancel()

    def save(self, file: Path) -> None:
        """Write the notebook as far as it got; papermill writes it only when a cell failed or all are done."""
        if not file.exists():
            file.write_text(json.dumps(self.notebook or json.loads(self.job.notebook)), encoding="utf-8")

    def overtime(self) -> Stop | None:
        return Stop("timeout", self.cell, f"still running after {self.job.timeout:g} s") if self.late else None

    def died(self, error: Exception, log: Path) -> Stop:
        process = getattr(self.manager.provisioner, "process", None)
        code = process.poll() if process else None
        how = _how_it_ended(code) if code is not None else f"did not answer: {error}"
        words = [line for line in log.read_text(errors="replace").splitlines() if line and "[IPKernelApp]" not in line]
        return Stop("died", self.cell, "\n".join([f"the kernel {how}", *words[-LAST_WORDS:]]))

    def _begin(self, notebook: Any) -> None:
        self.notebook = notebook
        self.total = sum(c.cell_type == "code" and bool(c.source.strip()) for c in notebook.cells)

    def _step(self, cell: Any, cell_index: int) -> None:
        self.cell = cell.get("id") or f"cell-{cell_index}"
        self.done += 1
        self.talk.send(("cell", self.done, self.total, self.cell))

    def _interrupt(self) -> None:
        """Let the running cell say by a traceback where it is."""
        self.late = True
        self.manager.provisioner.interrupt()


def _manager(job: Job, scratch: Path) -> Any:
    """A kernel manager whose sockets are files: kernels that start at one time can pick the same TCP port."""
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

    inside = job.sandbox
    kernel: dict[str, Any] = {"trust": inside is None}
    if inside:
        kernel |= {"imports": list(inside.imports), "limits": dict(inside.limits), "preload": inside.preload}
    settings: dict[str, Any] = {
        "kernel_name": job.kernel,
        "client_class": CLIENT,
        "config": Config({"SandboxProvisioner": kernel}),
    }
    sockets = str(scratch / "kernel")
    if len(os.fsencode(sockets)) > LONGEST_SOCKET:
        return AsyncKernelManager(**settings)
    return AsyncKernelManager(transport="ipc", ip=sockets, **settings)


def _prepare(job: Job, scratch: Path) -> None:
    """Lay out the worker's directory, and point Jupyter, IPython and `tempfile` into it."""
    for name in ("lesson", "tmp", "jupyter/runtime", "ipython"):
        (scratch / name).mkdir(parents=True)
    (scratch / "jupyter" / "kernels").symlink_to(SPECS)
    (scratch / "in.ipynb").write_text(job.notebook, encoding="utf-8")
    for name, source in job.files:
        target = scratch / "lesson" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    search = os.environ.get("JUPYTER_PATH")
    os.environ.update(
        JUPYTER_PATH=os.pathsep.join([str(scratch / "jupyter"), *([search] if search else [])]),
        JUPYTER_RUNTIME_DIR=str(scratch / "jupyter" / "runtime"),
        IPYTHONDIR=str(scratch / "ipython"),
        TMPDIR=str(scratch / "tmp"),
    )


def _tidy(notebook: dict[str, Any], job: Job, *, keep_markers: bool) -> None:
    """Take out paths that are gone by now, and papermill's marks of errors that were meant."""
    for name in ("input_path", "output_path"):
        notebook["metadata"].get("papermill", {}).pop(name, None)
    if not keep_markers:
        notebook["cells"] = [c for c in notebook["cells"] if ERROR_MARKER not in c["metadata"].get("tags", ())]


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "was lost"
    if code >= 0:
        return f"ended with exit status {code}"
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-code).name}{hint}"


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # a lesson took its own permissions away
        for path, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(path).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
