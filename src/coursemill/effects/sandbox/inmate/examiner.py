"""The examiner: runs the instructor's test cells, unchanged, and says how they ended.

It hears commands on one socket and looks at the candidate over another one. Each test sees the names of the given
cells, what earlier tests have bound, and, of the names that it looks up in the candidate, what they are at that moment.
"""

from __future__ import annotations

import builtins
import contextlib
import socket
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from coursemill.effects.sandbox.inmate import guard
from coursemill.effects.sandbox.inmate.peer import Mirror
from coursemill.effects.sandbox.inmate.sight import Sight
from coursemill.effects.sandbox.inmate.talk import Gone, hear, tell
from coursemill.pure import plain, proxy, wire
from coursemill.pure.ended import Ended, explained

TEST = "<test>"
"""The file that a test's code comes from, in tracebacks."""


def main(control: socket.socket, wall: socket.socket, mirror: Mirror | None = None) -> None:
    """Do what is said on `control` until it is closed."""
    examiner = Examiner(wall, mirror)
    while True:
        try:
            command = hear(control)
        except (EOFError, OSError):
            return
        tell(control, examiner.do(command))


class Examiner:
    """One notebook's tests."""

    def __init__(self, wall: socket.socket, mirror: Mirror | None = None) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        settings = Config()
        settings.HistoryManager.enabled = False  # it would start a thread
        settings.InteractiveShell.colors = "nocolor"
        self.module = types.ModuleType("__main__")
        shell: Any = InteractiveShell.instance(config=settings, user_module=self.module)
        shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: None
        shell.compile.get_code_name = lambda *_: TEST
        sys.modules["__main__"] = self.module
        self.shell = shell
        self.sight = Sight(wall, mirror)
        self.modules: set[str] = set()
        self.commands: dict[str, Callable[..., dict[str, Any]]] = {
            "given": self._given,
            "test": self._test,
            "capture": self._capture,
            "modules": self._modules,
        }
        self.module.__dict__["__builtins__"] = {**vars(builtins), "issubclass": self._derives}

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do a command; return what is to be said."""
        return self.commands[command["do"]](**{name: value for name, value in command.items() if name != "do"})

    def _given(self, cell: str, define: str = "", values: Mapping[str, bytes] | None = None) -> dict[str, Any]:
        """Take over what a given cell defines, and the data that it left behind."""
        names = self.module.__dict__
        data = {name: wire.loads(value) for name, value in (values or {}).items()}
        names.update(data)
        before = dict(names)
        trouble = ""
        try:
            exec(compile(define, f"<{cell}>", "exec"), names)
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
        for name, value in names.items():
            if isinstance(value, type) and before.get(name) is not value and value.__module__ == "__main__":
                self.sight.classes[value.__qualname__] = value
        names.update(data)
        return {"trouble": trouble}

    def _modules(self, paths: list[str]) -> dict[str, Any]:
        """Note which files answers have written: their modules stay in the candidate."""
        self.modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths}
        guard.see_modules(self.modules, self.sight.module)
        return {}

    def _capture(self, names: list[str]) -> dict[str, Any]:
        """The candidate's plain data under these names, for another run."""
        try:
            found = self.sight.look(names)
            self.sight.end()
        except Gone as gone:
            return {"trouble": str(gone), "values": {}}
        return {"values": {name: dumped for name, value in found.items() if (dumped := _dumped(value)) is not None}}

    def _test(
        self,
        id: str,
        source: str,
        names: Sequence[str],
        imported: Sequence[str] = (),
        files: bool = False,
        lines: Sequence[int] = (),
    ) -> dict[str, Any]:
        """Run a test; say how it ended."""
        sight = self.sight
        sight.files, sight.crossed = files, []
        for name in self.modules:
            sys.modules.pop(name, None)
        try:
            with self._seeing(names, sight.look(names, imported)):
                ended = self._ran(source)
            sight.end()
        except Gone as gone:
            return Ended("died", message="", reason=str(gone), kind="Gone", by="candidate").said()
        except plain.TooLarge as error:
            return Ended("limit", message=str(error), reason=str(error), kind="TooLarge", by="candidate").said()
        return ended.hiding(source, frozenset(lines)).said()

    @contextlib.contextmanager
    def _seeing(self, names: Sequence[str], found: Mapping[str, Any]) -> Iterator[None]:
        """Let a test have what was found under these names, which are the instructor's again afterwards."""
        scope = self.module.__dict__
        before = {name: scope.pop(name) for name in names if name in scope}
        scope.update(found)
        try:
            yield
        finally:
            for name in names:
                if name in found and scope.get(name) is found[name]:
                    del scope[name]
                if name in before and name not in scope:
                    scope[name] = before[name]

    def _ran(self, source: str) -> Ended:
        result = self.shell.run_cell(source, store_history=False)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        error = result.error_before_exec or result.error_in_exec
        if self.sight.talk.gone:
            raise Gone(self.sight.talk.gone)
        if error is None:
            value = result.result
            return Ended("passed", part=float(value) if type(value) in (int, float) else None)
        if not isinstance(error, BaseException):
            error = SystemExit(error)
        if isinstance(error, Gone):
            raise error
        return explained(error, TEST, source, crossed=any(error is one for one in self.sight.crossed))

    def _derives(self, cls: Any, base: Any) -> bool:
        """`issubclass`, which takes no proxies where `base` is abstract."""
        if proxy.is_proxy(cls) and not proxy.is_proxy(base):
            target = proxy.target(cls)
            return target.cls is not None and issubclass(target.cls.claimed, base)
        return issubclass(cls, base)


def _dumped(value: Any) -> bytes | None:
    try:
        return wire.dumps(value)
    except (TypeError, plain.TooLarge):
        return None
