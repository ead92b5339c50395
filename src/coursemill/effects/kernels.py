"""Which of our kernels this machine has, and why not the others: probed in child processes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from coursemill.effects import frameworks, workers
from coursemill.model import Accelerator
from coursemill.pure.outcome import Framework, Kernel

FRESH = 600.0
"""Seconds that a kept answer counts."""
SPECS = Path(__file__).parents[1] / "kernelspecs"

INSTALL_GPU = "install NVIDIA's driver, then: pip install 'tensorflow[and-cuda]'"
INSTALL_TPU = "use a TPU virtual machine, then: pip install tensorflow-tpu"
DRIVER = Path("/proc/driver/nvidia")
PCI = Path("/sys/bus/pci/devices")
GOOGLE = "0x1ae0"
TPUS = {
    "0x0027": "TPU v2 or v3",
    "0x005e": "TPU v4",
    "0x0062": "TPU v5p",
    "0x0063": "TPU v5e",
    "0x006f": "TPU v6e",
    "0x0076": "TPU7x",
}
"""Google's devices on the PCI bus, as JAX knows them: jax/_src/hardware_utils.py."""
SETTINGS = ("CUDA_VISIBLE_DEVICES", "TPU_NAME", "JAX_PLATFORMS")
"""Environment variables that an answer depends on."""
ANSWER = 30.0
"""Seconds that a driver's tool or a program may take to answer."""
JAVA = 17
"""What Spark 4 runs on."""
PROGRAMS = {
    "java": "sudo apt-get install default-jre-headless",
    "node": "sudo apt-get install nodejs",
    "npm": "sudo apt-get install npm",
}


def probe(name: Accelerator, keep: Path | None = None, *, ask: bool = False) -> Kernel:
    """Find out whether a kernel can run here: its driver and devices at once, then what frameworks make of them.

    `ask` asks them about the CPU, too, which is there without. `keep` is a folder for their answers, which take
    long; a kept one counts for ten minutes, as long as devices and installed libraries stay the same.
    """
    kernel = Kernel("cpu", True, devices=(_processor(),)) if name == "cpu" else _hardware(name)
    if not kernel.available:
        return replace(kernel, frameworks=frameworks.unasked(name, kernel.reason, kernel.fix))
    if name == "cpu" and not ask:
        return kernel
    file = keep / f"{name}-{_circumstances(kernel)}.json" if keep else None
    if found := _kept(file):
        return found
    found = decided(kernel, frameworks.ask(name))
    if file and all(f.answered for f in found.frameworks):
        _store(file, found)
    return found


def decided(kernel: Kernel, found: tuple[Framework, ...]) -> Kernel:
    """A kernel whose hardware is there: available when a framework computes on it, the CPU in any case."""
    whole = replace(kernel, frameworks=found)
    if kernel.name == "cpu" or any(f.devices for f in found):
        return whole
    installed = [f for f in found if f.version]
    reasons = "; ".join(f"{f.label}: {f.reason}" for f in installed)
    labels = ", ".join(f.label for f in found)
    reason = f"nothing computes on {kernel.devices[0]}: {reasons or f'none of {labels} is installed'}"
    fixes = [f.fix for f in (*installed, *found) if f.fix]
    return replace(whole, available=False, reason=reason, fix=fixes[0] if fixes else "", devices=())


def missing(requires: tuple[str, ...]) -> tuple[str, str] | None:
    """The first program of a lesson's `requires` that is not here, as (reason, fix)."""
    for program in requires:
        found, fix = find_program(program), PROGRAMS.get(program, f"put `{program}` on PATH")
        if found is None:
            return f"{program} is not installed", fix
        if program == "java" and (version := _java_version(found)) < JAVA:
            return f"java is version {version}; {JAVA} or newer is needed", fix
    return None


def find_program(name: str) -> str | None:
    """Where a program is: on PATH, beside this Python, or, for Java, below JAVA_HOME."""
    if name == "java" and (home := os.environ.get("JAVA_HOME")) and os.access(f"{home}/bin/java", os.X_OK):
        return f"{home}/bin/java"
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


@functools.cache
def _java_version(program: str) -> int:
    try:
        asked = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=ANSWER, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', asked.stderr + asked.stdout)
    return int(found.group(1)) if found else 0


def _hardware(name: Accelerator) -> Kernel:
    return _gpus() if name == "gpu" else _tpus()


def _gpus() -> Kernel:
    """Ask the driver; its tool answers in a fraction of a second."""
    tool = shutil.which("nvidia-smi")
    if tool is None and not (DRIVER / "version").exists():
        return Kernel("gpu", False, "no NVIDIA driver", INSTALL_GPU)
    if tool is None:
        models = tuple(_models())
        why = "the NVIDIA driver lists no device"
        return Kernel("gpu", True, devices=models) if models else Kernel("gpu", False, why, "attach a GPU")
    try:
        asked = subprocess.run(
            [tool, "-L"], capture_output=True, text=True, errors="replace", timeout=ANSWER, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Kernel("gpu", False, f"the NVIDIA driver does not answer: {error}", "run nvidia-smi to see why")
    names = tuple(line.partition(" (UUID")[0] for line in asked.stdout.splitlines() if line.startswith("GPU "))
    if asked.returncode or not names:
        said = (asked.stdout + asked.stderr).strip().splitlines()
        return Kernel("gpu", False, f"no GPU: {said[-1] if said else 'nvidia-smi lists none'}", "attach a GPU")
    return Kernel("gpu", True, devices=names)


def _models() -> Iterator[str]:
    """The GPUs that the driver's files name."""
    for file in sorted((DRIVER / "gpus").glob("*/information")):
        found = re.search(r"^Model:\s*(.+)$", file.read_text(errors="replace"), re.MULTILINE)
        yield f"GPU: {found[1].strip()}" if found else "GPU"


def _tpus() -> Kernel:
    """Look for the address of a TPU, or for its devices."""
    if os.environ.get("TPU_NAME"):
        return Kernel("tpu", True, devices=(os.environ["TPU_NAME"],))
    devices = tuple(_chips()) or tuple(str(p) for p in sorted(Path("/dev").glob("accel[0-9]*")))
    if not devices:
        return Kernel("tpu", False, "no TPU device", INSTALL_TPU)
    return Kernel("tpu", True, devices=devices)


def _chips() -> Iterator[str]:
    for folder in sorted(PCI.glob("*")):
        with contextlib.suppress(OSError):
            if (folder / "vendor").read_text().strip() == GOOGLE:
                name = TPUS.get((folder / "device").read_text().strip())
                if name:
                    yield f"{name} at {folder.name}"


def _processor() -> str:
    cores = workers.cores()
    found = re.search(r"^model name\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")), re.MULTILINE)
    model = f", {' '.join(found[1].split())}" if found else ""
    return (f"{cores} cores" if cores != 1 else "1 core") + model


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def _circumstances(kernel: Kernel) -> str:
    parts = (*installed(), *kernel.devices, *(f"{name}={os.environ.get(name)}" for name in SETTINGS))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def installed() -> tuple[str, ...]:
    """The installed distributions as `name-version`, read from folder names alone (a few milliseconds).

    Whatever this process has imported: setuptools adds the libraries that it brings for itself to the path.
    """
    found: set[str] = set()
    for folder in sys.path:
        if folder.endswith("_vendor"):
            continue
        try:
            found.update(
                e.name.rpartition(".")[0] for e in os.scandir(folder) if e.name.endswith((".dist-info", ".egg-info"))
            )
        except OSError:
            continue  # a zip, or a folder that is gone
    return tuple(sorted(found))


def _kept(file: Path | None) -> Kernel | None:
    try:
        if file is None or time.time() - file.stat().st_mtime > FRESH:
            return None
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        asked = tuple(Framework(**{**one, "devices": tuple(one["devices"])}) for one in data["frameworks"])
        return Kernel(**{**data, "devices": tuple(data["devices"]), "frameworks": asked})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _store(file: Path, kernel: Kernel) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(kernel)), encoding="utf-8")
