"""Say which devices a framework computes on: a program, run in a process of its own as `devices.py FRAMEWORK KERNEL`.

It prints one line of JSON. It needs the framework and the standard library, nothing of this project.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

Answer = tuple[str, list[str]]
"""The framework's version, and the names of the devices on which it added numbers."""


def main() -> None:
    """Ask the framework; what it prints meanwhile goes to the standard error stream."""
    framework, kernel = sys.argv[1:]
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        version, devices = FRAMEWORKS[framework](kernel)
        said: dict[str, Any] = {"version": version, "devices": devices}
    except Exception as error:  # whatever a driver or a framework raises is the answer
        said = {"version": "", "devices": [], "reason": f"{type(error).__name__}: {error}"}
    os.write(answer, json.dumps(said).encode())
    os._exit(0)  # a framework's threads are not waited for


def _tensorflow(kernel: str) -> Answer:
    tf: Any = importlib.import_module("tensorflow")

    if kernel == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=os.environ.get("TPU_NAME", "local"))
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.__version__, [device.name for device in tf.config.list_logical_devices("TPU")]
    devices = []
    for place, device in enumerate(tf.config.list_physical_devices(kernel.upper())):
        with tf.device(f"/device:{kernel.upper()}:{place}"):
            tf.reduce_sum(tf.ones(4)).numpy()
        name = tf.config.experimental.get_device_details(device).get("device_name", "")
        devices.append(f"{kernel.upper()}:{place} {name}".rstrip())
    return tf.__version__, devices


def _jax(kernel: str) -> Answer:
    jax: Any = importlib.import_module("jax")

    try:
        found = jax.devices(kernel)
    except RuntimeError as error:
        if "Unknown backend" in str(error):  # JAX is built for other devices
            return jax.__version__, []
        raise
    for device in found:
        jax.device_put(1.0, device).block_until_ready()
    kinds = (f" {device.device_kind}" if device.device_kind != kernel else "" for device in found)
    return jax.__version__, [f"{kernel.upper()}:{device.id}{kind}" for device, kind in zip(found, kinds, strict=True)]


def _torch(kernel: str) -> Answer:
    torch: Any = importlib.import_module("torch")

    if kernel == "tpu":
        xla: Any = importlib.import_module("torch_xla")
        return torch.__version__, [str(device) for device in xla.devices()]
    if kernel == "cpu":
        torch.ones(4).sum().item()
        return torch.__version__, ["CPU:0"]
    devices = []
    for place in range(torch.cuda.device_count()):
        torch.ones(4, device=f"cuda:{place}").sum().item()
        devices.append(f"GPU:{place} {torch.cuda.get_device_name(place)}")
    return torch.__version__, devices


FRAMEWORKS: dict[str, Callable[[str], Answer]] = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}

if __name__ == "__main__":
    main()
