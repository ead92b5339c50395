"""Candidates and examiners as plain processes, without a sandbox: for code that is trusted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coursemill.effects import processes
from coursemill.effects.sandbox import client, packing
from coursemill.errors import CoursemillError

PROGRAM = "from coursemill.effects.grading.unboxed import main; main()"
MARK = "COURSEMILL_UNBOXED"
"""Environment variable that tells which folder a process belongs to."""


class Plain:
    """A process that runs, or has ended, with a folder of its own."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process, self._folder = process, folder
        self._handle = os.pidfd_open(process.pid)
        self.status: int | None = None
        self.reason = ""

    def fileno(self) -> int:
        """A descriptor that can be read when it has ended."""
        return self._handle

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        if self.status is None:
            self.status = self._process.poll()
        return self.status

    def signal(self, number: int) -> None:
        """Send a signal to its process group."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def used(self) -> int:
        """Bytes that it has held in memory at most; 0 when it has ended."""
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8").splitlines()
            return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
        return 0

    def end(self) -> None:
        """End it with all that it started, and remove its folder."""
        if self._handle < 0:
            return
        self.signal(signal.SIGKILL)
        self.status = self._process.wait()
        mark = f"{MARK}={self._folder}"
        processes.kill(lambda: processes.of_session(self._process.pid) | processes.marked(mark))
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._handle)
        self._handle = -1


def start(order: client.Order) -> Plain:
    """Start what the order says in a folder with its files; raises CoursemillError when one cannot be written."""
    folder = Path(tempfile.mkdtemp(prefix="coursemill-"))
    home, temporary = folder / "work", folder / "tmp"
    for path in (home, temporary):
        path.mkdir()
    _write(home, order.files)
    settings = {
        "role": order.role,
        "handed": dict(order.handed),
        "connection": dict(order.connection),
        "home": str(home),
        "temporary": str(temporary),
        "parent": os.getpid(),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(settings)],
        cwd=home,
        env=_environment(folder),
        pass_fds=tuple(order.handed.values()),
        stdin=subprocess.DEVNULL,
        stdout=order.log,
        stderr=order.log,
        start_new_session=True,
    )
    return Plain(process, folder)


def main() -> None:
    """Be the kernel or the examiner that the first argument, as JSON, describes."""
    from coursemill.effects.sandbox.inmate import examiner, kernel, system
    from coursemill.effects.sandbox.inmate.mirror import Mirror

    system.die_with_parent()
    settings = json.loads(sys.argv[1])
    if os.getppid() != settings["parent"]:  # it has ended meanwhile
        return
    sys.argv = [""]
    sockets = {name: socket.socket(fileno=number) for name, number in settings["handed"].items()}
    folders = [settings["home"], settings["temporary"]]
    if settings["role"] == "examiner":
        examiner.main(sockets["control"], sockets["wall"], Mirror.of(folders, guard=True))
    else:
        app = _kernel(settings["connection"], settings["temporary"])
        kernel.answer(app.kernel, sockets["wall"], Mirror.of(folders))
        app.start()


def _kernel(connection: Mapping[str, Any], folder: str) -> Any:
    from ipykernel.kernelapp import IPKernelApp

    from coursemill.effects.sandbox.inmate.kernel import HISTORY

    file = Path(folder, "kernel.json")
    file.write_text(json.dumps(connection), encoding="utf-8")
    app_class: Any = IPKernelApp
    app = app_class.instance()
    app.initialize(["-f", str(file), HISTORY])
    return app


def _environment(folder: Path) -> dict[str, str]:
    from coursemill.effects.provisioner import environment  # jupyter_client takes a third of a second

    temporary = folder / "tmp"
    return {
        **environment("cpu", os.environ),
        "TMPDIR": str(temporary),
        "IPYTHONDIR": str(temporary / "ipython"),
        "MPLCONFIGDIR": str(temporary / "matplotlib"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        MARK: str(folder),
    }


def _write(home: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        if not packing.is_below(path):
            raise CoursemillError("no path below a folder", where=path)
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(content)
