"""Coroutines across the wall: each side runs its own, in a loop of its own; the other one waits for them.

What a test awaits at one time (`gather`, `wait_for`) runs at one time in the candidate: it is started there, and the
candidate's loop is driven in short turns for as long as the test's loop has something to wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from coursemill.pure import proxy
from coursemill.pure.plain import Refused

TURN = 0.01
"""Seconds for which the candidate's loop runs while the test's stands still."""
Ask = Callable[..., Any]


def run(awaitable: Any) -> Any:
    """Return what an awaitable gives, from a loop of its own within the one that may be running."""
    with _no_loop(), asyncio.Runner() as runner:
        return runner.run(_awaited(awaitable))


class Loop:
    """The candidate's: it lives as long as the candidate, so that what belongs to a loop works from test to test.

    What is awaited while it runs, in a function of the test's that an answer has called, has another one.
    """

    def __init__(self) -> None:
        self._loops: list[asyncio.AbstractEventLoop] = []

    def start(self, awaitable: Any) -> asyncio.Task[Any]:
        """Begin to await something."""
        loop = next((one for one in self._loops if not one.is_running()), None)
        if loop is None:
            loop = asyncio.new_event_loop()
            self._loops.append(loop)
        return loop.create_task(_awaited(awaitable))

    def turn(self, tasks: list[asyncio.Task[Any]]) -> list[bool]:
        """Run until one of the tasks has ended, or the turn has; return which have."""
        for loop in {task.get_loop() for task in tasks}:
            mine = [task for task in tasks if task.get_loop() is loop]
            if not loop.is_running():
                with _no_loop():
                    loop.run_until_complete(asyncio.wait(mine, timeout=TURN, return_when=asyncio.FIRST_COMPLETED))
        return [task.done() for task in tasks]

    def result(self, task: asyncio.Task[Any]) -> Any:
        """What a task gave; raises what it raised."""
        return task.result()

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """End a task for which nobody waits any more."""
        task.cancel()
        self.turn([task])


class Waiting:
    """The examiner's: `ask` has the candidate do something with one of its things."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._pending: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, asyncio.Future[None]]] = (
            WeakKeyDictionary()
        )
        self._drivers: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = WeakKeyDictionary()

    async def wait(self, target: Any) -> Any:
        """Return what an awaitable of the candidate's gives."""
        loop = asyncio.get_running_loop()
        task = self._ask("start", target)
        if not proxy.is_proxy(task):
            raise Refused("what was to be awaited gives no task")
        pending = self._pending.setdefault(loop, {})
        pending[task] = loop.create_future()
        if loop not in self._drivers or self._drivers[loop].done():
            self._drivers[loop] = loop.create_task(self._drive(pending))
        try:
            await pending[task]
        except asyncio.CancelledError:
            self._ask("cancel", proxy.target(task))
            raise
        finally:
            del pending[task]
        return self._ask("result", proxy.target(task))

    async def _drive(self, pending: dict[Any, asyncio.Future[None]]) -> None:
        """Let the candidate's loop run while something is awaited."""
        while waiting := [task for task, future in pending.items() if not future.done()]:
            try:
                ended = self._ask("turn", None, waiting)
            except BaseException as error:
                for task in waiting:
                    pending[task].set_exception(error)
                return
            for task, done in zip(waiting, ended, strict=True):
                if done is True and not pending[task].done():
                    pending[task].set_result(None)
            await asyncio.sleep(0)


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


@contextlib.contextmanager
def _no_loop() -> Iterator[None]:
    """Let another loop run while one is running."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)
