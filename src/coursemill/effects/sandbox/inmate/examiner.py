"""The examiner: runs the instructor's test cells, unchanged, and says how they ended.

It hears commands on one socket and looks at the candidate over another one. Each test sees the names of the given
cells, what earlier tests have bound, and, of the names that it looks up in the candidate, what they are at that moment.
"""

from __future__ import annotations

import ast
import contextlib
import signal
import socket
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from coursemill.effects.sandbox.inmate import raising
from coursemill.effects.sandbox.inmate.guard import Guard
from coursemill.effects.sandbox.inmate.peer import Mirror
from coursemill.effects.sandbox.inmate.sight import Sight
from coursemill.effects.sandbox.inmate.talk import Gone, hear, tell
from coursemill.pure import ended, plain, proxy, wire
from coursemill.pure.ended import Ended, Ran

TEST = "<test>"
"""The file that a test's code comes from, in tracebacks."""
BLANK = " \t\r"


def main(control: socket.socket, wall: socket.socket, mirror: Mirror | None = None) -> None:
    """Do what is said on `control` until it is closed.

    An interrupt (SIGINT) ends the test that is running; when none is, it does nothing.
    """
    examiner = Examiner(wall, mirror)
    signal.signal(signal.SIGINT, examiner.interrupted)
    while True:
        try:
            command = hear(control)
        except (EOFError, OSError):
            return
        tell(control, examiner.do(command))


class Examiner:
    """One notebook's tests."""

    def __init__(self, wall: socket.socket, mirror: Mirror | None = None) -> None:
        self.module = types.ModuleType("__main__")
        sys.modules["__main__"] = self.module
        sys.path.append(sys.path.pop(0) if sys.path[0] == "" else "")  # what lies here hides no library
        self.shown: list[BaseException] = []
        """Errors that the test at hand has shown; magics (`%%time`, `%run`) show them and go on."""
        self.shell = _shell(self.module, self.shown)
        self.guard = Guard(mirror)
        self.sight = Sight(wall, self.guard, self.guard.note)
        self.testing = False
        self.commands: dict[str, Callable[..., dict[str, Any]]] = {
            "given": self._given,
            "test": self._test,
            "capture": self._capture,
            "modules": self._modules,
        }
        self.module.__dict__["issubclass"] = self._derives

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do a command; return what is to be said."""
        return self.commands[command["do"]](**{name: value for name, value in command.items() if name != "do"})

    def interrupted(self, *_: object) -> None:
        """End the test that is running."""
        if self.testing:
            self.sight.talk.interrupt()

    # Commands

    def _given(self, cell: str, define: str = "", values: Mapping[str, bytes] | None = None) -> dict[str, Any]:
        """Take over what a given cell defines, and the data that it left behind."""
        names, trouble = self.module.__dict__, []
        known = self._read(values or {}, [])  # of classes that it defines itself, only afterwards
        names.update(known)
        before = dict(names)
        for statement in ast.parse(define).body:  # one that fails leaves the others to those who need them
            try:
                with self.guard.watching(define):
                    exec(self.shell.compile(ast.Module([statement], []), f"<{cell}>", "exec"), names)
            except Exception as error:
                trouble.append(f"{cell}, line {statement.lineno}: {type(error).__name__}: {error}")
        for name, value in names.items():
            is_class = plain.subclass(type(value), type) and value is not before.get(name)
            if is_class and plain.text(value, "__module__") == "__main__":
                self.sight.own_classes.give(value)
        names.update(known | self._read({n: v for n, v in (values or {}).items() if n not in known}, trouble))
        return {"trouble": "; ".join(trouble)}

    def _read(self, values: Mapping[str, bytes], trouble: list[str]) -> dict[str, Any]:
        found = {}
        for name, data in values.items():
            try:
                found[name] = wire.loads(data, self.sight.resolve)
            except wire.Malformed as error:
                trouble.append(f"{name}: {error}")
        return found

    def _modules(self, paths: Sequence[str]) -> dict[str, Any]:
        """Note which files answers have written: their modules stay in the candidate."""
        names = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths}
        self.guard.see_modules(names, self.sight.module)
        return {}

    def _capture(self, names: Sequence[str]) -> dict[str, Any]:
        """The candidate's plain data under these names, for another run."""
        try:
            self.sight.begin(files=False)
            found = self.sight.look(names)
            self.sight.end()
        except (Gone, plain.Refused) as error:
            return {"trouble": str(error), "values": {}}
        return {"values": {name: data for name, value in found.items() if (data := _dumped(value)) is not None}}

    def _test(
        self,
        id: str,
        source: str,
        names: Sequence[str],
        imported: Sequence[str] = (),
        files: bool = False,
        lines: Sequence[int] = (),
        allowed: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Run a test; say how it ended, and which liberties the answer took: `allowed`, or when it is None, any."""
        try:
            self.testing = True
            self.sight.begin(files=files, allowed=allowed)
            found = self._tested(source, names, imported)
        except Gone as gone:
            found = Ended("died", message=str(gone), reason=str(gone), kind="Gone", by="candidate")
        except KeyboardInterrupt:
            found = Ended("error", reason="it was interrupted", kind="KeyboardInterrupt")
        finally:
            self.testing = False
        taken = sorted(self.sight.liberties.taken)
        return found.hiding(source, frozenset(lines)).said() | {"taken": taken}

    def _tested(self, source: str, names: Sequence[str], imported: Sequence[str]) -> Ended:
        self.guard.forget_modules()
        try:
            try:
                found = self.sight.look(names, imported)
            except Exception as error:  # what cannot even be looked at
                return self._explained(error, Ran(TEST, source))
            with self._seeing(names, found):
                return self._ran(source)
        finally:
            self.sight.end()

    def _ran(self, source: str) -> Ended:
        stripped = source.lstrip("\n" + BLANK)
        skipped = source[: len(source) - len(stripped)].count("\n")  # IPython takes blank lines at the top away
        ran = Ran(TEST, "\n".join(source.split("\n")[skipped:]), skipped)
        self.shown.clear()
        self.shell.displayhook.cell = source
        with self.guard.watching(source), _usual_streams():
            result = self.shell.run_cell(source, store_history=False)
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        error = result.error_before_exec or result.error_in_exec or next(iter(self.shown), None)
        if self.sight.talk.gone:
            raise Gone(self.sight.talk.gone)
        if error is None:
            return self.sight.liberties.passed(result.result)
        return self._explained(error if isinstance(error, BaseException) else SystemExit(error), ran)

    def _explained(self, error: BaseException, ran: Ran) -> Ended:
        seen = raising.seen(error)
        crossed = any(error is one for one in self.sight.crossed)
        found = ended.explained(error, ran, crossed=crossed, trace=seen.trace if seen else "")
        if isinstance(error, plain.TooLarge):
            return Ended("limit", message=found.message, reason=found.reason, line=found.line, kind=found.kind)
        return found

    # What tests see

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

    def _derives(self, cls: Any, base: Any) -> bool:
        """`issubclass`, which takes no proxies where `base` is abstract."""
        if proxy.is_proxy(cls) and not proxy.is_proxy(base):
            bases = base if isinstance(base, tuple) else (base,)
            return any(issubclass(cls, b) if proxy.is_proxy(b) else issubclass(self._claimed(cls), b) for b in bases)
        return issubclass(cls, base)

    def _claimed(self, cls: Any) -> type:
        thing = proxy.target(cls)
        if thing.cls is None:
            raise TypeError("issubclass() arg 1 must be a class")
        found: type = thing.cls.claimed
        return found


def _shell(module: types.ModuleType, shown: list[BaseException]) -> Any:
    """The process's IPython; it shows nothing, so that no object of an answer's is asked how it looks.

    Errors that it would show are `shown`.
    """
    from IPython.core.displayhook import DisplayHook
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Quiet(DisplayHook):
        cell = ""

        def __call__(self, result: Any = None) -> None:
            hook: Any = self
            if result is not None and not hook.semicolon_at_end_of_expression(self.cell):
                hook.fill_exec_result(result)

    class Shell(InteractiveShell):
        displayhook_class = Quiet

    settings = Config()
    settings.HistoryManager.enabled = False  # it would start a thread
    settings.InteractiveShell.colors = "nocolor"
    shell: Any = Shell.instance(config=settings, user_module=module)
    shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: shown.extend(filter(None, [sys.exc_info()[1]]))
    shell.compile.get_code_name = lambda *_: TEST
    return shell


@contextlib.contextmanager
def _usual_streams() -> Iterator[None]:
    """Undo what a test has left of redirections."""
    before = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _dumped(value: Any) -> bytes | None:
    try:
        return wire.dumps(value)
    except (TypeError, plain.TooLarge):
        return None
