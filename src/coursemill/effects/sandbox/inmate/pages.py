"""Larger pages for a server's memory: a fork copies a table of its pages, and is done in half the time with fewer.

Numbers are from asm-generic/mman-common.h; MADV_COLLAPSE is there since Linux 6.1.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from coursemill.effects.sandbox.inmate.system import LIBC

LARGE = 2 << 20
HUGEPAGE, COLLAPSE = 14, 25


def join() -> None:
    """Put what this process has written into large pages, as far as the system does that."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        place, rights, _, _, file, *_ = line.split()
        start, end = (int(number, 16) for number in place.split("-"))
        start, end = -(-start // LARGE) * LARGE, end // LARGE * LARGE
        if rights == "rw-p" and file == "0" and start < end:
            for advice in (HUGEPAGE, COLLAPSE):
                LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)
