import asyncio
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager

from coursemill.effects.clients import QuickClient

pytestmark = pytest.mark.kernel


def manager() -> Any:
    return AsyncKernelManager(kernel_name="python3", client_class="coursemill.effects.clients.QuickClient")


def test_nothing_that_a_cell_says_is_lost_after_a_quick_start() -> None:
    async def session() -> list[str]:
        kernel = manager()
        await kernel.start_kernel()
        client = kernel.client()
        assert isinstance(client, QuickClient)
        client.start_channels()
        said: list[str] = []
        try:
            await client.wait_for_ready(timeout=60)
            await client.execute_interactive(
                "print('first')", timeout=30, output_hook=lambda m: said.append(m["content"].get("text", ""))
            )
        finally:
            client.stop_channels()
            await kernel.shutdown_kernel(now=True)
        return said

    assert "first\n" in asyncio.run(session())


def test_a_kernel_that_dies_is_not_waited_for() -> None:
    async def session() -> None:
        kernel = manager()
        await kernel.start_kernel()
        client = kernel.client()
        client.start_channels()
        await kernel.signal_kernel(9)
        try:
            await client.wait_for_ready(timeout=60)
        finally:
            client.stop_channels()
            await kernel.shutdown_kernel(now=True)

    with pytest.raises(RuntimeError, match="died"):
        asyncio.run(session())
