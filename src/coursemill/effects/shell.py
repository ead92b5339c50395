"""IPython without a kernel: cells run here as in a notebook, with magics, shell lines and top-level await.

No thread is started, so that the process can be forked. What cells print goes to the process's own stdout and
stderr. One process has one shell.
"""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
import traceback
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursemill.pure.trials import Source

MESSAGE = 600
"""Characters of an error's message that are kept."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a cell: its error, the value of its last expression, what it wrote to stderr."""

    error: BaseException | None = None
    value: Any = None
    stderr: str = ""


class Shell:
    """The process's IPython; `errors` is the file that its stderr goes to."""

    def __init__(self, errors: Path) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        settings = Config()
        settings.HistoryManager.enabled = False  # it would start a thread
        settings.InteractiveShell.colors = "nocolor"
        self.running = ""
        shell: Any = InteractiveShell.instance(config=settings)
        shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: None  # they are told by `explain`
        shell.compile.get_code_name = lambda *_: self.running
        self.shell = shell
        self.errors = errors
        for name in ("bash", "sh"):
            self._replace_shell_magic(name)

    @property
    def names(self) -> dict[str, Any]:
        """What the cells have defined, live."""
        found: dict[str, Any] = self.shell.user_ns
        return found

    def run(self, cell: str, source: str) -> Ran:
        """Run a cell; its lines show as those of the file `cell` in tracebacks."""
        before = self._size()
        self.running = cell
        result = self.shell.run_cell(source, store_history=False)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        error = result.error_before_exec or result.error_in_exec
        if error is not None and not isinstance(error, BaseException):
            error = SystemExit(error)
        with self.errors.open(errors="replace") as stream:
            stream.seek(before)
            return Ran(error, result.result, stream.read(MESSAGE))

    @contextmanager
    def among(self, module: types.ModuleType) -> Iterator[None]:
        """Let cells see and bind the names of `module`, and not what other cells have defined."""
        shell, before = self.shell, (self.shell.user_module, self.shell.user_ns)
        shell.user_module, shell.user_ns = module, module.__dict__
        try:
            yield
        finally:
            shell.user_module, shell.user_ns = before

    def _size(self) -> int:
        return self.errors.stat().st_size

    def _replace_shell_magic(self, name: str) -> None:
        """IPython's own starts a thread for an event loop; with options, which are rare, it is still used."""
        original = self.shell.find_cell_magic(name)

        def magic(line: str, cell: str) -> Any:
            arguments = shlex.split(line)
            if any(a.startswith("--") for a in arguments):
                return original(line, cell)
            sys.stdout.flush()
            ended = subprocess.run([name, *arguments], input=cell.encode(), check=False)
            if ended.returncode:
                raise subprocess.CalledProcessError(ended.returncode, f"%%{name}")
            return None

        self.shell.register_magic_function(magic, "cell", name)


def explain(error: BaseException, cells: Mapping[str, Source]) -> tuple[int, str]:
    """Return the note's line where an error arose (0 when in none of `cells`), and what to tell of it."""
    line, text = 0, ""
    source: Source | None
    if isinstance(error, SyntaxError) and error.filename and error.filename in cells:
        source = cells[error.filename]
        line = source.line((error.lineno or 1) + _blank(source.text))
    for frame, number in traceback.walk_tb(error.__traceback__):
        source = cells.get(frame.f_code.co_filename)
        if source:
            number += _blank(source.text)
            line = source.line(number)
            lines = source.text.split("\n")
            text = lines[number - 1].strip() if number <= len(lines) else ""
    said = io.StringIO()
    said.write(type(error).__name__)
    message = _message(error)
    if message:
        said.write(f": {message}")
    elif text:
        said.write(f" in `{text}`")
    return line, said.getvalue()


def _blank(text: str) -> int:
    """How many lines IPython takes away at the top of a cell."""
    return text[: len(text) - len(text.lstrip())].count("\n")


def _message(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception as broken:  # an answer's own exception class may do anything
        return f"<{type(broken).__name__} while it was shown>"
    text = text.replace(os.fspath(Path.cwd()) + os.sep, "")
    return text if len(text) <= MESSAGE else text[: MESSAGE - 1] + "…"
