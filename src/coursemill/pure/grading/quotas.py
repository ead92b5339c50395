"""How much is taken out of archives that anyone may have made."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Quotas:
    """Bytes are counted as they are unpacked; what goes beyond is refused, and never wholly read."""

    file: int = 64 * MB
    student: int = 256 * MB
    """All files of one submission."""
    total: int = 8192 * MB
    """All files that are looked into in one go."""
    members: int = 100_000
    """Files and folders, in all archives."""
    student_files: int = 2_000
    ratio: int = 200
    """Bytes that a packed byte may become; beyond, and from `unsuspicious` on, it is a bomb."""
    unsuspicious: int = 16 * MB
    seconds: float = 1800.0
    """For reading all of them."""
    student_seconds: float = 60.0
    """For reading an archive inside of another."""
