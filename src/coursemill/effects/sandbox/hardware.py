"""What of the machine a kernel needs for its accelerator, beside what every kernel sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coursemill.model import Accelerator

BUS = ("/sys/bus/pci", "/sys/devices", "/sys/class/drm")
DEVICES: Mapping[Accelerator, tuple[str, ...]] = {
    "cpu": (),
    "gpu": ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm*", "nvidia-modeset", "nvidia-caps", "dri", "kfd"),
    "tpu": ("accel[0-9]*", "vfio"),
}
"""Patterns of names in /dev: of NVIDIA's and AMD's drivers, and of Google's."""
FOLDERS: Mapping[Accelerator, tuple[str, ...]] = {
    "cpu": (),
    "gpu": ("/usr/local/nvidia", "/opt/cuda", "/opt/rocm", "/etc/nvidia", *BUS),
    "tpu": BUS,
}
ENVIRONMENT: Mapping[Accelerator, tuple[str, ...]] = {
    "cpu": (),
    "gpu": ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XLA_FLAGS", "CUDA_HOME"),
    "tpu": ("TPU_NAME", "TPU_WORKER_ID", "TPU_CHIPS_PER_HOST_BOUNDS", "TPU_ACCELERATOR_TYPE", "TPU_SKIP_MDS_QUERY"),
}
"""Variables that say where the driver's libraries are, and which devices to take."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Device nodes to let in, folders to read, variables to pass on."""

    devices: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


def of(accelerator: Accelerator, dev: Path = Path("/dev")) -> Hardware:
    """Return what a kernel on `accelerator` needs of this machine; for the CPU that is nothing."""
    nodes = sorted(str(path) for pattern in DEVICES[accelerator] for path in dev.glob(pattern))
    return Hardware(tuple(nodes), FOLDERS[accelerator], ENVIRONMENT[accelerator])
