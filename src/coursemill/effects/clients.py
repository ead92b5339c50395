"""Clients that take a kernel for ready as soon as it is."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

PATIENCE = 0.5
"""Seconds between two questions; what is asked before the kernel listens to its channels is lost."""


class QuickClient(AsyncKernelClient):
    """An AsyncKernelClient that does not wait for 0.2 s of silence on iopub.

    The idle message that follows its own question there says the same: that the channel is connected, and that
    nothing of before is to come.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on shell and iopub; raises RuntimeError as jupyter_client does."""
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        asked: set[str] = set()
        while True:
            asked.add(self.kernel_info())
            if await self._heard(asked) and (reply := await self._replied(asked)):
                self._handle_kernel_info_reply(reply)
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _heard(self, asked: set[str]) -> bool:
        """Whether iopub says that one of the questions has been dealt with."""
        try:
            while True:
                message: dict[str, Any] = await self.iopub_channel.get_msg(timeout=PATIENCE)
                idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
                if idle and message["parent_header"].get("msg_id") in asked:
                    return True
        except Empty:
            return False

    async def _replied(self, asked: set[str]) -> dict[str, Any] | None:
        try:
            while True:
                message: dict[str, Any] = await self.shell_channel.get_msg(timeout=PATIENCE)
                if message["parent_header"].get("msg_id") in asked:
                    return message
        except Empty:
            return None
