"""Coroutines across the wall: each side runs its own to their end, also where an event loop runs already."""

from __future__ import annotations

import asyncio
from typing import Any


def run(awaitable: Any) -> Any:
    """Return what an awaitable gives, from a loop of its own within the one that may be running."""

    async def awaited() -> Any:
        return await awaitable

    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        with asyncio.Runner() as runner:
            return runner.run(awaited())
    finally:
        asyncio._set_running_loop(running)
