"""What a kernel's processes use, read from their own process table: none of them can hide from it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")

LEAST = 0.03
"""Part of the machine's memory that must be left while several processes are looked at."""
INIT = "1"
"""Ours: what it holds in memory is the server's."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Looks at what there is below a descriptor of the kernel's `/proc`."""

    proc: int
    limits: dict[str, int]

    def excess(self) -> str:
        """What is used too much; empty when nothing is."""
        pids = self._pids()
        return self._memory(pids) or self._processor([INIT, *pids]) or self._sockets()

    def highest(self) -> int:
        """Bytes that the processes which there are now have held in memory at most, shared pages counted for each."""
        lines = (line.split() for pid in self._pids() for line in self._read(pid, "status").splitlines())
        return sum(int(line[1]) << 10 for line in lines if line[0] == "VmHWM:")

    def _pids(self) -> list[str]:
        """All but process 1."""
        names = os.listdir(self.proc)  # noqa: PTH208 - a descriptor has no Path
        return [name for name in names if name.isdigit() and name != INIT]

    def _memory(self, pids: list[str]) -> str:
        most = self.limits["memory"]
        if sum(self._held(pid) for pid in pids) <= most:  # the cheap way, which counts shared pages several times
            return ""
        used = 0
        for pid in pids:  # which takes ten milliseconds for a large one
            used += self._held_in_part(pid)
            if used > most:
                return f"used {used >> 20} MB of memory, and {most >> 20} MB are allowed"
            if self._is_scarce():
                return "used memory of which the machine has none left"
        return ""

    def _processor(self, pids: list[str]) -> str:
        most = self.limits["cpu"]
        used = sum(self._seconds(pid) for pid in pids)
        return f"used {used:.0f} s of processor time, and {most} s are allowed" if used > most else ""

    def _sockets(self) -> str:
        """Their buffers are the system's memory and nobody's; this process is in the kernel's network namespace."""
        most = self.limits["sockets"]
        line = Path("/proc/self/net/sockstat").read_text().partition("\n")[0]  # sockets: used 12
        used = int(line.split()[-1])
        return f"had {used} sockets, and {most} are allowed" if used > most else ""

    def _held(self, pid: str) -> int:
        """Bytes in memory, swapped out, and in page tables."""
        sizes = (line.split() for line in self._read(pid, "status").splitlines() if line.startswith("Vm"))
        return sum(int(size[1]) << 10 for size in sizes if size[0] in {"VmRSS:", "VmSwap:", "VmPTE:"})

    def _held_in_part(self, pid: str) -> int:
        """Bytes, shared pages counted in part; a process may forbid that look, and then all are counted."""
        lines = [line.split() for line in self._read(pid, "smaps_rollup").splitlines()]
        sizes = [int(line[1]) << 10 for line in lines if line[0] in {"Pss:", "SwapPss:"}]
        return sum(sizes) if sizes else self._held(pid)

    def _seconds(self, pid: str) -> float:
        """Processor time of a process, and of its children that have ended."""
        fields = self._read(pid, "stat").rpartition(")")[2].split()  # its name, in brackets, may hold anything
        return sum(map(int, fields[11:15])) / TICKS

    def _is_scarce(self) -> bool:
        """Whether the machine is about to run out of memory."""
        lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
        sizes = {line[0]: int(line[1]) for line in lines}
        return sizes["MemAvailable:"] < sizes["MemTotal:"] * LEAST

    def _read(self, pid: str, name: str) -> str:
        with contextlib.suppress(OSError):  # it has ended
            descriptor = os.open(f"{pid}/{name}", os.O_RDONLY, dir_fd=self.proc)
            with os.fdopen(descriptor, errors="replace") as file:
                return file.read()
        return ""
