"""Which of our kernels this machine has, and why not the others: probed in child processes."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from coursemill.effects import workers
from coursemill.model import Accelerator
from coursemill.pure.outcome import Kernel

PATIENCE = 120.0
"""Seconds that a probe's child may take; importing TensorFlow alone has been seen to take 35."""
FRESH = 600.0
"""Seconds that a kept answer counts."""
SPECS = Path(__file__).parents[1] / "kernelspecs"

INSTALL_GPU = "install NVIDIA's driver, then: pip install 'tensorflow[and-cuda]'"
INSTALL_TPU = "use a TPU virtual machine, then: pip install tensorflow-tpu"
TENSORFLOW = {
    "gpu": "devices = tf.config.list_physical_devices('GPU')",
    "tpu": (
        "resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=os.environ.get('TPU_NAME', 'local'))\n"
        "tf.config.experimental_connect_to_cluster(resolver)\n"
        "tf.tpu.experimental.initialize_tpu_system(resolver)\n"
        "devices = tf.config.list_logical_devices('TPU')"
    ),
}
JAVA = 17
"""What Spark 4 runs on."""
PROGRAMS = {
    "java": "sudo apt-get install default-jre-headless",
    "node": "sudo apt-get install nodejs",
    "npm": "sudo apt-get install npm",
}


def probe(name: Accelerator, keep: Path | None = None) -> Kernel:
    """Find out whether a kernel can run here; `keep` is a folder for answers that took long.

    A kept answer counts for ten minutes, as long as the installed libraries stay the same.
    """
    if name == "cpu":
        return Kernel("cpu", True, devices=(_processor(),))
    kernel = _hardware(name)
    if kernel.available:
        file = keep / f"{name}-{_libraries()}.json" if keep else None
        kernel = _kept(file) or _with_library(kernel)
        if file:
            _store(file, kernel)
    return kernel


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
        asked = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', asked.stderr + asked.stdout)
    return int(found.group(1)) if found else 0


def _hardware(name: Accelerator) -> Kernel:
    return _gpus() if name == "gpu" else _tpus()


def _gpus() -> Kernel:
    """Ask the driver; its tool answers in a fraction of a second."""
    tool = shutil.which("nvidia-smi")
    if tool is None and not Path("/proc/driver/nvidia/version").exists():
        return Kernel("gpu", False, "no NVIDIA driver", INSTALL_GPU)
    if tool is None:
        return Kernel("gpu", True, devices=("NVIDIA device",))
    try:
        asked = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Kernel("gpu", False, f"the NVIDIA driver does not answer: {error}", "run nvidia-smi to see why")
    names = tuple(line.partition(" (UUID")[0] for line in asked.stdout.splitlines() if line.startswith("GPU "))
    if asked.returncode or not names:
        said = (asked.stdout + asked.stderr).strip().splitlines()
        return Kernel("gpu", False, f"no GPU: {said[-1] if said else 'nvidia-smi lists none'}", "attach a GPU")
    return Kernel("gpu", True, devices=names)


def _tpus() -> Kernel:
    """Look for a TPU's device files, or for the address of one."""
    if os.environ.get("TPU_NAME"):
        return Kernel("tpu", True, devices=(os.environ["TPU_NAME"],))
    files = tuple(str(p) for p in sorted(Path("/dev").glob("accel[0-9]*")))
    if not files and "TPU_WORKER_ID" not in os.environ:
        return Kernel("tpu", False, "no TPU device", INSTALL_TPU)
    return Kernel("tpu", True, devices=files or ("TPU",))


def _with_library(kernel: Kernel) -> Kernel:
    """Ask TensorFlow, in a child process, for the devices that it can use."""
    fix = INSTALL_GPU if kernel.name == "gpu" else INSTALL_TPU
    if importlib.util.find_spec("tensorflow") is None:
        return Kernel(kernel.name, False, "TensorFlow is not installed", fix)
    program = (
        f"import json, os\nimport tensorflow as tf\n{TENSORFLOW[kernel.name]}\n"
        "print(json.dumps([d.name for d in devices]))"
    )
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    try:
        asked = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return Kernel(kernel.name, False, f"TensorFlow did not answer in {PATIENCE:.0f} s", "try again, or see why")
    return answered(kernel, asked.returncode, asked.stdout, asked.stderr, fix)


def answered(kernel: Kernel, code: int, out: str, err: str, fix: str) -> Kernel:
    """Read what TensorFlow's child said about hardware that is there."""
    if code:
        said = [line for line in err.splitlines() if line.strip()]
        return Kernel(kernel.name, False, f"TensorFlow: {said[-1].strip() if said else f'exit status {code}'}", fix)
    names = json.loads(out.splitlines()[-1])
    if not names:
        installed = " (tensorflow-cpu is installed)" if _has("tensorflow-cpu") else ""
        return Kernel(kernel.name, False, f"TensorFlow has no support for {kernel.devices[0]}{installed}", fix)
    return Kernel(kernel.name, True, devices=kernel.devices)


def _has(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    cores = workers.cores()
    return f"{cores} cores" if cores != 1 else "1 core"


def _libraries() -> str:
    return hashlib.sha256("\n".join(installed()).encode()).hexdigest()[:16]


def installed() -> tuple[str, ...]:
    """The installed distributions as `name-version`, read from folder names alone (a few milliseconds)."""
    found: set[str] = set()
    for folder in sys.path:
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
        data: Mapping[str, object] = json.loads(file.read_text(encoding="utf-8"))
        return Kernel(**{**data, "devices": tuple(data["devices"])})  # type: ignore[arg-type]  # our own file, else TypeError
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _store(file: Path, kernel: Kernel) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(kernel)), encoding="utf-8")
