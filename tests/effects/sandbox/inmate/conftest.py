import asyncio
import os
import signal
import socket
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import IPython.core.interactiveshell  # noqa: F401 - so that each fork has it
import pytest

from coursemill.effects.sandbox.inmate import candidate, examiner
from coursemill.effects.sandbox.inmate.talk import Gone, hear, tell
from coursemill.pure import names

Serve = Callable[[socket.socket, dict[str, Any]], None]


class Notebook:
    """A candidate and an examiner in processes of their own, without a sandbox; `serve` is what the candidate does."""

    def __init__(self, answer: str = "", given: str = "", serve: Serve | None = None) -> None:
        self.answer = answer
        theirs, ours = socket.socketpair()
        self.control, control = socket.socketpair()
        self.processes = [
            _forked(lambda: (serve or _served(given, answer))(theirs, {}), [ours, self.control, control]),
            _forked(lambda: examiner.main(control, ours), [theirs, self.control]),
        ]
        for one in (theirs, ours, control):
            one.close()
        if given:
            assert self.do(do="given", cell="g", define=given) == {"trouble": ""}

    def do(self, **command: Any) -> Any:
        """Give a command and return the reply."""
        tell(self.control, command)
        return hear(self.control)

    def test(self, source: str, looked_up: Sequence[str] | None = None, **more: Any) -> Any:
        """Run a test that looks up what the answer binds."""
        wanted = sorted(names.mentioned(source) & names.bound(self.answer)) if looked_up is None else list(looked_up)
        return self.do(do="test", id="t", source=source, names=wanted, **more)

    def passes(self, source: str, looked_up: Sequence[str] | None = None, **more: Any) -> None:
        """Run a test, which must pass."""
        reply = self.test(source, looked_up, **more)
        assert reply["status"] == "passed", reply["reason"]

    def close(self) -> None:
        """End both."""
        self.control.close()
        for process in self.processes:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _served(given: str, answer: str) -> Serve:
    def serve(wall: socket.socket, _: dict[str, Any]) -> None:
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        exec(f"{given}\n{answer}", module.__dict__)
        while True:
            asyncio.new_event_loop().run_until_complete(candidate.serve(wall, module.__dict__))

    return serve


def _forked(what: Callable[[], None], closing: list[socket.socket]) -> int:
    process = os.fork()
    if process:
        return process
    try:
        for one in closing:
            one.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - for as long as the process lives
        warnings.resetwarnings()
        what()
    except Gone:
        pass
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    os._exit(0)


@pytest.fixture(scope="module")
def open_notebook() -> Iterator[Callable[..., Notebook]]:
    """Make notebooks, which are closed after the module's tests."""
    made: list[Notebook] = []

    def make(*args: Any, **kwargs: Any) -> Notebook:
        made.append(Notebook(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()
