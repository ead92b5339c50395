"""How our kernels start and end outside of the sandbox: the environment of their accelerator, nothing left running."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Enum

from coursemill.effects import processes, workers
from coursemill.model import ACCELERATORS, Accelerator

MARK = "COURSEMILL_KERNEL"
"""Environment variable that tells which kernel a process belongs to."""
THREADS = "COURSEMILL_THREADS"
"""Environment variable: how many threads a kernel's numeric libraries take; unset: one a core."""

FIXED = {
    "PYTHONHASHSEED": "0",  # sets print in one order
    "SPARK_LOCAL_IP": "127.0.0.1",  # else Spark picks another interface, which may not be reachable
}
SMALL_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""A lesson's data are small: Spark starts and answers in less than half the time without its heavy machinery."""
DEFAULTS = {"TF_CPP_MIN_LOG_LEVEL": "2", "SPARK_SUBMIT_OPTS": SMALL_JVM, "SPARK_DAEMON_JAVA_OPTS": SMALL_JVM}
HIDE_GPUS = {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1"}
BY_ACCELERATOR: Mapping[Accelerator, Mapping[str, str]] = {
    "cpu": {**HIDE_GPUS, "JAX_PLATFORMS": "cpu"},
    "gpu": {"TF_FORCE_GPU_ALLOW_GROWTH": "true"},  # several kernels share the device
    "tpu": HIDE_GPUS,
}


def environment(accelerator: Accelerator, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a kernel, made from the one that would be inherited."""
    threads = given.get(THREADS, str(workers.cores()))
    defaults = DEFAULTS | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    # Programs of this environment first: `%%bash` finds the `python` and the `scrapy` of the kernel.
    programs = str(Path(sys.executable).parent)
    path = given.get("PATH", os.defpath)
    return {
        **defaults,
        **given,
        **FIXED,
        **BY_ACCELERATOR[accelerator],
        "PATH": path if path.split(os.pathsep)[0] == programs else programs + os.pathsep + path,
        "PYSPARK_PYTHON": sys.executable,  # else workers take PATH's python
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "COURSEMILL_ACCELERATOR": accelerator,
    }


class CoursemillProvisioner(LocalProvisioner):
    """A local kernel in the environment of its accelerator; its whole session dies with it."""

    accelerator = Enum(ACCELERATORS, default_value="cpu", help="What the kernel computes on.").tag(config=True)

    def _finalize_env(self, env: dict[str, str]) -> None:
        super()._finalize_env(env)
        env.update(environment(self.accelerator, env))
        env[MARK] = str(self.kernel_id)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the cell that runs; any thread may call it."""
        if self.pgid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pgid, signal.SIGINT)

    async def cleanup(self, restart: bool = False) -> None:
        """Kill what the kernel started and left running, also when it was shut down politely or restarts."""
        if self.pid:
            session, mark = self.pid, f"{MARK}={self.kernel_id}"
            processes.kill(lambda: processes.of_session(session) | processes.marked(mark))
            self.pid = None
        await super().cleanup(restart=restart)
