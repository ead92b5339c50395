"""Starting kernels: ours (sandboxed, forked) against stock ipykernel, by turns: python -m benchmarks.kernels.

From asking for a kernel to the result of its first cell; and the memory that several kernels take together (PSS, the
server included).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
from jupyter_client.manager import AsyncKernelManager

CELLS = {
    "plain": ("", "1 + 1"),
    "pandas": ("pandas", "import pandas as pd; pd.DataFrame({'a': [1, 2]}).a.sum()"),
    "TensorFlow": ("tensorflow", "import tensorflow as tf; float(tf.reduce_sum(tf.ones((3, 3))))"),
}
STOCK, OURS = "python3", "coursemill-cpu"
QUICK = "coursemill.effects.clients.QuickClient"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=7, help="how often each kernel is started")
    parser.add_argument("--kernels", type=int, nargs="*", default=[1, 4, 8], help="how many at a time, for memory")
    options = parser.parse_args()
    print("| start to first result | ipykernel, s | ours, s | ratio | ours, first of all, s |")
    print("|---|---|---|---|---|")
    for work, (imports, code) in CELLS.items():
        os.environ["COURSEMILL_IMPORTS"] = imports
        first = _start(OURS, code)
        pairs = [(_start(STOCK, code), _start(OURS, code)) for _ in range(options.repeat)]
        stock, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"| {work} | {stock:.2f} | {ours:.2f} | {ours / stock:.2f} | {first:.1f} |", flush=True)
    print("\n| TensorFlow kernels | ipykernel, MB | ours, MB | ratio |")
    print("|---|---|---|---|")
    for count in options.kernels:
        stock, ours = (_memory(name, count, CELLS["TensorFlow"][1]) for name in (STOCK, OURS))
        print(f"| {count} | {stock:.0f} | {ours:.0f} | {ours / stock:.2f} |", flush=True)


def _start(name: str, code: str) -> float:
    began = time.perf_counter()
    with _kernel(name, code):
        return time.perf_counter() - began


@contextmanager
def _kernel(name: str, code: str) -> Iterator[None]:
    """A kernel that has run `code`."""
    with asyncio.Runner() as runner:
        manager: Any = AsyncKernelManager(kernel_name=name, **({"client_class": QUICK} if name == OURS else {}))
        client = runner.run(_first(manager, code))
        try:
            yield
        finally:
            client.stop_channels()
            runner.run(manager.shutdown_kernel(now=True))


async def _first(manager: Any, code: str) -> Any:
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=120)
    reply = await client.execute_interactive(code, timeout=120, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply["content"]
    return client


def _memory(name: str, count: int, code: str) -> float:
    """MB that `count` kernels take together, less what was there before the first."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_kernel(name, code))
        return sum(map(_pss, _processes(name))) / 1e6


def _processes(name: str) -> list[psutil.Process]:
    """The processes of the kernels that run, and, for ours, of their server."""
    mark = "sandbox.inmate" if name == OURS else "ipykernel_launcher"
    found = [p for p in psutil.process_iter(["cmdline"]) if mark in " ".join(p.info["cmdline"] or ())]
    wanted = json.dumps({"imports": [os.environ["COURSEMILL_IMPORTS"]]})[1:-1]
    return [p for p in found if name == STOCK or wanted in " ".join(p.info["cmdline"])]


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0


if __name__ == "__main__":
    main()
