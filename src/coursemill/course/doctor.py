"""What this machine can do for a course: which protections there are for hostile code, and which kernels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coursemill.effects import kernels
from coursemill.effects.sandbox import protections
from coursemill.effects.sandbox.protections import Protection
from coursemill.model import ACCELERATORS
from coursemill.pure.outcome import Kernel


@dataclass(frozen=True, slots=True)
class Health:
    """What was found."""

    protections: tuple[Protection, ...]
    kernels: tuple[Kernel, ...]

    @property
    def refusal(self) -> str:
        """Why hostile code would not be run here; empty when it would."""
        error = protections.refusal(self.protections)
        return str(error) if error else ""


def examine(keep: Path | None = None) -> Health:
    """Try everything; `keep` is a folder for answers of kernels that took long."""
    return Health(protections.find(), tuple(kernels.probe(name, keep) for name in ACCELERATORS))
