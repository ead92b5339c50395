"""Results of earlier runs: a lesson that passed is not run again while all that it depends on is the same."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursemill.effects import kernels
from coursemill.pure.outcome import Kernel, Run, from_data, to_data

PACKAGE = Path(__file__).parents[1]
OUR_CODE = (
    "effects/processes.py",
    "effects/provisioner.py",
    "effects/runs.py",
    "pure/claims.py",
    "pure/judge.py",
    "pure/statements.py",
    "pure/traces.py",
    *(f"kernelspecs/coursemill-{name}/kernel.json" for name in ("cpu", "gpu", "tpu")),
)
"""What a result depends on beside the notebook: how it is run and judged."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What every result on a kernel depends on, as a digest."""

    digest: str

    @classmethod
    def of(cls, kernel: Kernel, programs: Iterable[str] = ()) -> Environment:
        """Look at Python, the installed distributions, the kernel's devices, our own code and outside programs."""
        parts = [sys.version, platform.machine(), kernel.name, *kernels.installed()]
        parts += kernel.devices if kernel.name != "cpu" else ()
        parts += [_sum(PACKAGE / name) for name in OUR_CODE]
        parts += [_stamp(program) for program in sorted(set(programs))]
        return cls(_digest(parts))


def key(
    environment: Environment,
    notebook: str,
    files: str,
    parameters: Mapping[str, Any],
    timeout: float,
) -> str:
    """Everything that a run's result depends on, as a digest; `files` is the digest of what lies beside it."""
    return _digest([environment.digest, notebook, files, json.dumps(parameters, sort_keys=True), f"{timeout:g}"])


def digest(files: Iterable[tuple[str, Path]]) -> str:
    """One digest of the names and the bytes of files."""
    return _digest(part for name, path in sorted(files) for part in (name, _sum(path)))


def find(executed: Path, wanted: str) -> Run | None:
    """The kept result that goes with an executed notebook, when it has this key and the notebook is untouched."""
    kept = _read(executed)
    try:
        if kept.get("key") != wanted or kept["notebook"] != _sum(executed):
            return None
        return from_data(kept["run"])
    except (OSError, KeyError, TypeError):
        return None


def seconds(executed: Path) -> float | None:
    """How long the last pass of that notebook took, however old it is; None when it is not known."""
    took = _read(executed).get("run", {}).get("seconds")
    return float(took) if isinstance(took, int | float) else None


def store(executed: Path, made_with: str, run: Run) -> None:
    """Keep a result beside its executed notebook."""
    kept = {
        "key": made_with,
        "notebook": _sum(executed),
        "run": to_data(run),
    }
    file = _file(executed)
    half = file.with_name(f".{file.name}.new")
    half.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    half.replace(file)


def _file(executed: Path) -> Path:
    return executed.with_suffix(".json")


def _read(executed: Path) -> dict[str, Any]:
    try:
        kept = json.loads(_file(executed).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _stamp(program: str) -> str:
    found = kernels.find_program(program)
    if found is None:
        return program
    real = os.path.realpath(found)
    status = Path(real).stat()
    return f"{program} {real} {status.st_size} {status.st_mtime_ns}"


def _sum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest(parts: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole.update(f"{len(data)}:".encode() + data)
    return whole.hexdigest()
