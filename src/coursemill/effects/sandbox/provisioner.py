"""Kernels in the sandbox, by kernelspec alone: for papermill, nbclient, nbgrader and JupyterLab."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from traitlets import Bool, Dict, List, Unicode, default

from coursemill import config
from coursemill.effects.provisioner import CoursemillProvisioner, environment
from coursemill.effects.sandbox import client, groups, hardware, servers, view
from coursemill.effects.sandbox.limits import Limits
from coursemill.errors import ConfigError
from coursemill.model import Accelerator

PASSED_ON = ("LANG", "LC_ALL", "TZ", "KERAS_BACKEND", "COURSEMILL_THREADS", "TF_USE_LEGACY_KERAS")
"""Of the client's environment, what a kernel may know."""
TRUST, PRELOAD, IMPORTS = "COURSEMILL_TRUST_SUBMISSIONS", "COURSEMILL_PRELOAD", "COURSEMILL_IMPORTS"
"""Environment variables of the client: 1 starts kernels without a sandbox; 0 without a server; names of modules."""
TRUSTED = b"coursemill: all code is trusted: the kernel runs without a sandbox\n"
LOOK = 0.01
"""Seconds between two looks at whether a kernel has ended."""


class SandboxProvisioner(CoursemillProvisioner):
    """A kernel that sees nothing of this machine's users, reaches nothing but itself, and takes nothing with it.

    What it is and may do is said by the kernelspec and the client's environment, never by a notebook.
    """

    preload = Bool(help="Fork it from a server that has the imports already.").tag(config=True)
    imports = List(Unicode(), help="Modules that the server imports.").tag(config=True)
    limits = Dict(help="Limits by name, where they are not the usual ones.").tag(config=True)
    trust = Bool(help="Start it without a sandbox.").tag(config=True)

    kernel: client.Kernel | None = None
    sockets: client.Sockets | None = None

    @default("preload")
    def _preload(self) -> bool:
        return os.environ.get(PRELOAD) != "0"

    @default("imports")
    def _imports(self) -> list[str]:
        return [name.strip() for name in os.environ.get(IMPORTS, "").split(",") if name.strip()]

    @default("trust")
    def _trust(self) -> bool:
        return os.environ.get(TRUST) == "1"

    @property
    def has_process(self) -> bool:
        return super().has_process if self.trust else self.kernel is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Let the kernel's channels be files in a private folder; raises Unavailable."""
        if self.trust:
            return await super().pre_launch(**kwargs)
        view.require()
        if self.sockets is None:
            self.sockets = client.Sockets()
            manager: Any = self.parent
            manager.transport, manager.ip = "ipc", str(self.sockets.path / "kernel")
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; of `cmd`, which would start it outside, nothing is used. Raises Unavailable."""
        if self.trust:
            if os.environ.get(TRUST) == "1":
                os.write(_descriptor(kwargs.get("stderr")), TRUSTED)
            return await super().launch_kernel(cmd, **kwargs)
        try:
            self.kernel = await self._started(self._order(kwargs))
        except BaseException:
            await self.cleanup()
            raise
        self.process = self.kernel  # type: ignore[assignment] # who looks at it asks how it ended, as of a Popen
        return self.connection_info

    async def poll(self) -> int | None:
        if self.trust:
            return await super().poll()
        return self.kernel.poll() if self.kernel else 0

    async def wait(self) -> int | None:
        if self.trust:
            return await super().wait()
        while (status := await self.poll()) is None:
            await asyncio.sleep(LOOK)
        self.kernel = None
        return status

    async def send_signal(self, signum: int) -> None:
        if self.trust:
            await super().send_signal(signum)
        elif self.kernel:
            self.kernel.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        if self.trust:
            await super().kill(restart)
        else:
            await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        if self.trust:
            await super().terminate(restart)
        else:
            await self.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the cell that runs; any thread may call it."""
        if self.trust:
            super().interrupt()
        elif self.kernel:
            self.kernel.signal(signal.SIGINT)

    async def cleanup(self, restart: bool = False) -> None:
        """End what is left, and remove the sockets' folder unless the kernel starts again."""
        if self.kernel:
            self.kernel.end()
            self.kernel = None
        if self.sockets and not restart:
            self.sockets.remove()
            self.sockets = None
        await super().cleanup(restart=restart)

    async def _started(self, order: client.Order) -> client.Kernel:
        machine = hardware.of(self.accelerator)
        needs = servers.Needs(tuple(self.imports), order.environment, machine.devices, machine.folders)
        try:
            return await asyncio.to_thread(client.start, order, needs, preload=self.preload)
        finally:
            os.close(order.log)

    def _order(self, launch: dict[str, Any]) -> client.Order:
        given = launch.get("cwd")
        connection: dict[str, Any] = dict(self.connection_info)
        return client.Order(
            connection={**connection, "key": connection["key"].decode()},
            environment=surroundings(self.accelerator),
            limits=_limits(self.limits),
            folder=Path(given) if given else _here(),
            log=os.dup(_descriptor(launch.get("stderr"))),
            group=self.sockets.group if self.sockets else groups.NONE,
        )


def _here() -> Path | None:
    """The folder that a kernel would be started in outside, unless it is a course or a home: nothing of these."""
    folder = Path.cwd()
    private = (*config.MARKERS, ".git", "gradebook.db", "source", "submitted")
    if folder in (Path.home(), Path(folder.anchor)) or any((folder / name).exists() for name in private):
        return None
    return folder


def _limits(given: dict[str, int]) -> Limits:
    try:
        return Limits(**given)
    except TypeError as error:
        raise ConfigError(f"limits of the sandbox: {error}", fix=f"they are {', '.join(Limits().order())}") from error


def surroundings(accelerator: Accelerator) -> dict[str, str]:
    """The environment in the sandbox: nothing of this process's but what is harmless and known to be of use."""
    passed = (*PASSED_ON, *hardware.of(accelerator).environment)
    given = {name: os.environ[name] for name in passed if name in os.environ}
    plain = {
        "HOME": view.HOME,
        "USER": view.USER,
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": "/tmp",
        "IPYTHONDIR": "/tmp/ipython",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "XDG_CACHE_HOME": "/tmp/cache",
        **given,
    }
    return environment(accelerator, plain)


def _descriptor(stream: Any) -> int:
    """Where what the kernel writes to its streams goes: what the client says, else nowhere."""
    if hasattr(stream, "fileno"):
        return int(stream.fileno())
    return stream if isinstance(stream, int) and stream >= 0 else 2
