"""Results of earlier runs: a lesson that passed is not run again while all that it depends on is the same."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coursemill.effects import kernels, store
from coursemill.pure.outcome import Kernel, Run, Sandbox, from_data, to_data

PACKAGE = Path(__file__).parents[1]
OUR_CODE = (
    "effects/processes.py",
    "effects/provisioner.py",
    "effects/recorded.py",
    "effects/runs.py",
    "effects/testimony.py",
    "pure/claims.py",
    "pure/judge.py",
    "pure/statements.py",
    "pure/traces.py",
    *(f"kernelspecs/coursemill-{name}/kernel.json" for name in ("cpu", "gpu", "tpu")),
)
"""What a result depends on beside the notebook: how it is run and judged."""
SETTINGS = ("KERAS_BACKEND", "TF_USE_LEGACY_KERAS")
"""Environment variables that are passed on to kernels, and decide what a lesson computes with."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What every result on a kernel depends on, as a digest."""

    digest: str

    @classmethod
    def of(cls, kernel: Kernel, programs: Iterable[str] = ()) -> Environment:
        """Look at Python, the installed distributions, the kernel's devices, our own code and outside programs."""
        parts = [sys.version, platform.machine(), kernel.name, *kernels.installed()]
        parts += kernel.devices if kernel.name != "cpu" else ()
        parts += [store.digest(PACKAGE / name) for name in OUR_CODE]
        parts += [f"{name}={os.environ.get(name, '')}" for name in SETTINGS]
        parts += [_stamp(program) for program in sorted(set(programs))]
        return cls(_digest(parts))


def key(
    environment: Environment,
    notebook: str,
    files: str,
    parameters: Mapping[str, Any],
    timeout: float,
    inside: Sandbox | None = None,
) -> str:
    """Everything that a run's result depends on, as a digest; `notebook` and `files`, beside it, are digests too."""
    where = json.dumps(asdict(inside), sort_keys=True) if inside else ""
    settings = json.dumps(parameters, sort_keys=True)
    return _digest([environment.digest, notebook, files, settings, f"{timeout:g}", where])


def digest(files: Iterable[tuple[str, Path]]) -> str:
    """One digest of the names and the bytes of files."""
    return _digest(part for name, path in sorted(files) for part in (name, store.digest(path)))


def find(root: Path, output: str, wanted: str) -> Run | None:
    """The result kept with the executed notebook `output`, when it has this key and the notebook is untouched."""
    kept = store.recall(root / _file(output))
    try:
        if kept.get("key") != wanted or kept["notebook"] != store.digest(root / output):
            return None
        return from_data(kept["run"])
    except (OSError, KeyError, TypeError):
        return None


def seconds(root: Path, output: str) -> float | None:
    """How long the last pass of that notebook took, however old it is; None when it is not known."""
    run = store.recall(root / _file(output)).get("run")
    took = run.get("seconds") if isinstance(run, dict) else None
    return float(took) if isinstance(took, int | float) else None


def keep(root: Path, output: str, made_with: str, run: Run) -> None:
    """Keep a result beside its executed notebook; raises CoursemillError when it cannot be written."""
    kept = {"key": made_with, "notebook": store.digest(root / output), "run": to_data(run)}
    store.remember(root, _file(output), kept)


def _file(output: str) -> str:
    return f"{output.removesuffix('.ipynb')}.json"


def _stamp(program: str) -> str:
    found = kernels.find_program(program)
    if found is None:
        return program
    real = os.path.realpath(found)
    status = Path(real).stat()
    return f"{program} {real} {status.st_size} {status.st_mtime_ns}"


def _digest(parts: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole.update(f"{len(data)}:".encode() + data)
    return whole.hexdigest()
