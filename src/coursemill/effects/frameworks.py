"""What TensorFlow, JAX and PyTorch compute on here: each is asked in a process of its own, which may take its time."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from coursemill.effects import workers
from coursemill.model import Accelerator
from coursemill.pure.outcome import Framework

PATIENCE = 120.0
"""Seconds that a framework may take to answer; importing TensorFlow alone has been seen to take 35."""
GRACE = 5.0
"""Seconds that a process may take to go when it is killed."""
PROGRAM = Path(__file__).with_name("devices.py")
LONGEST = 1 << 16
"""Bytes that are read of what a process has written."""
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Library:
    """A framework as it is installed: the distributions that bring it, the general one first, and how to get it."""

    label: str
    distributions: tuple[str, ...]
    install: Mapping[Accelerator, str]


LIBRARIES: Mapping[str, Library] = {
    "tensorflow": Library(
        "TensorFlow",
        ("tensorflow", "tensorflow-cpu", "tensorflow-tpu", "tf-nightly"),
        {
            "cpu": "pip install tensorflow-cpu",
            "gpu": "pip uninstall tensorflow-cpu, then: pip install 'tensorflow[and-cuda]'",
            "tpu": "pip uninstall tensorflow-cpu, then: pip install tensorflow-tpu",
        },
    ),
    "jax": Library(
        "JAX",
        ("jax",),
        {"cpu": "pip install jax", "gpu": "pip install 'jax[cuda12]'", "tpu": "pip install 'jax[tpu]'"},
    ),
    "torch": Library(
        "PyTorch",
        ("torch",),
        {"cpu": "pip install torch", "gpu": "pip install torch", "tpu": "pip install 'torch_xla[tpu]'"},
    ),
}


def ask(kernel: Accelerator, patience: float = PATIENCE) -> tuple[Framework, ...]:
    """Ask every framework that is installed for the devices of a kernel, several at a time."""
    with ThreadPoolExecutor(max_workers=max(1, min(len(LIBRARIES), workers.cores()))) as pool:
        return tuple(pool.map(lambda name: _asked(name, kernel, patience), LIBRARIES))


def unasked(kernel: Accelerator, reason: str, fix: str) -> tuple[Framework, ...]:
    """The frameworks where there is nothing to ask for: each is installed or not, and sees nothing for this reason."""
    return tuple(
        Framework(name, library.label, installed_version(name), (), reason, fix)
        if is_installed(name)
        else _not_installed(name, kernel)
        for name, library in LIBRARIES.items()
    )


def is_installed(name: str) -> bool:
    """Whether a framework can be imported, without doing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def installed_version(name: str) -> str:
    """The version of a framework's distribution; empty when that is not known."""
    return next(filter(None, map(_version, LIBRARIES[name].distributions)), "")


def read(framework: Framework, kernel: Accelerator, code: int, out: bytes, err: bytes) -> Framework:
    """Understand what a framework's process left: its exit status, one line of JSON, and what it complained of."""
    try:
        if code:
            raise ValueError(f"it ended with exit status {code}" if code > 0 else f"it was killed by {_signal(-code)}")
        version, devices, reason = _checked(json.loads(out))
    except (ValueError, RecursionError) as error:
        told = str(error) if code else "its answer makes no sense"
        last = _last_line(err) if code else ""
        reason = f"{told}: {last}" if last else told
        return replace(framework, reason=reason, fix="run `coursemill kernels` again, or see why", answered=False)
    found = replace(framework, version=version or framework.version, devices=devices, reason=reason)
    if devices:
        return replace(found, reason="")
    return replace(
        found, reason=reason or _no_support(framework.name, kernel), fix=LIBRARIES[framework.name].install[kernel]
    )


def _asked(name: str, kernel: Accelerator, patience: float) -> Framework:
    if not is_installed(name):
        return _not_installed(name, kernel)
    framework = Framework(name, LIBRARIES[name].label, installed_version(name))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryDirectory() as folder:
        try:
            code = _run([sys.executable, "-P", str(PROGRAM), name, kernel], kernel, folder, (out, err), patience)
        except OSError as error:
            return replace(framework, reason=f"it cannot be asked: {error}", answered=False)
        if code is None:
            reason, fix = f"no answer in {patience:g} s", "try again when the machine is less busy"
            return replace(framework, reason=reason, fix=fix, answered=False)
        return read(framework, kernel, code, _tail(out), _tail(err))


def _run(
    command: Sequence[str], kernel: Accelerator, folder: str, streams: tuple[IO[bytes], IO[bytes]], patience: float
) -> int | None:
    """Run a command in a kernel's environment and a session of its own; None when it did not end in time."""
    from coursemill.effects.provisioner import environment  # jupyter_client takes a third of a second

    out, err = streams
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        env=environment(kernel, {**os.environ, "TMPDIR": folder}),
        cwd=folder,
        start_new_session=True,
    )
    try:
        return child.wait(patience)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # what it has started, too
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in a driver
            child.wait(GRACE)


def _checked(data: Any) -> tuple[str, tuple[str, ...], str]:
    """Version, devices and reason; raises ValueError when `data` is something else."""
    if not isinstance(data, dict) or not isinstance(devices := data.get("devices"), list):
        raise ValueError("no answer")
    texts = [data.get("version", ""), data.get("reason", ""), *devices]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("no texts")
    version, reason, *names = (_short(text) for text in texts)
    return version, tuple(names), reason


def _not_installed(name: str, kernel: Accelerator) -> Framework:
    return Framework(name, LIBRARIES[name].label, "", (), "not installed", LIBRARIES[name].install[kernel])


def _no_support(name: str, kernel: Accelerator) -> str:
    """A framework that starts and sees nothing is built for something else, or lacks a library."""
    build = next(filter(_version, LIBRARIES[name].distributions[1:]), "")
    return f"sees no {kernel.upper()}" + (f" ({build} is installed)" if build else "")


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _tail(stream: IO[bytes]) -> bytes:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - LONGEST))
    return stream.read(LONGEST)


def _last_line(err: bytes) -> str:
    lines = [line for line in err.decode(errors="replace").splitlines() if line.strip()]
    return _short(lines[-1]) if lines else ""


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_REASON else flat[: LONGEST_REASON - 1] + "…"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
