"""Control groups of kernels, where this user may make them: the system itself counts memory and processes.

Version 1 as root, version 2 where a group with both controllers is delegated to this user. See cgroups(7).
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from coursemill.effects.sandbox.limits import Limits

ROOT = Path("/sys/fs/cgroup")
GIVEN = "COURSEMILL_CGROUP"
"""Environment variable: a group of version 2 below which kernels may have theirs."""
CONTROLLERS = ("memory", "pids")
PREFIX = "coursemill-"
PATIENCE = 30.0
"""Seconds in which the processes of a kernel that was ended are gone."""
MOMENT = 0.01
OLD = 10.0
"""Seconds after which an empty group is taken for one that was left behind."""


@dataclass(frozen=True, slots=True)
class Group:
    """A kernel's folders below the hierarchies of control groups; none where there are no groups to be had."""

    folders: tuple[Path, ...] = ()

    def hold(self, pid: int, limits: Limits) -> None:
        """Make it, with its limits, and put a process in; what it starts is in, too.

        It waits until the kernel that was in it before is gone, which may have left hundreds of processes to be ended.
        Where that fails after all, the watchdog is left.
        """
        if pid <= 0:  # 0 would be this process
            return
        end = time.monotonic() + PATIENCE
        while self._held() and time.monotonic() < end:
            time.sleep(MOMENT)
        memory = limits.memory + 2 * limits.disk + limits.shared  # files in memory are counted, too
        values = {
            "memory.max": memory,
            "memory.swap.max": 0,
            "memory.oom.group": 1,
            "memory.limit_in_bytes": memory,
            "memory.memsw.limit_in_bytes": memory,
            "pids.max": limits.processes + 8,  # the monitor and process 1
        }
        with contextlib.suppress(OSError):
            for folder in self.folders:
                folder.mkdir(exist_ok=True)
                for name, value in values.items():
                    if (folder / name).exists():
                        _write(folder / name, value)
                _write(folder / "cgroup.procs", pid)

    def _held(self) -> bool:
        """Whether a process is in it."""
        with contextlib.suppress(OSError):
            return any((folder / "cgroup.procs").read_text(encoding="ascii") for folder in self.folders)
        return False

    def killed(self) -> int:
        """How many of its processes the system has killed because there was no memory left for them."""
        count = 0
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError):
                    counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                    count += int(counts.get("oom_kill", 0))
        return count


NONE = Group()
"""For where there are no groups, or none is wanted."""


def named(name: str) -> Group:
    """The group of that name, which need not be there yet."""
    return Group(tuple(parent / f"{PREFIX}{name}" for parent in parents()))


@lru_cache(maxsize=1)
def parents() -> tuple[Path, ...]:
    """The folders below which a group can be made; none if memory or processes would not be limited."""
    own = _own()
    first = tuple(path for name in CONTROLLERS if (path := _usable(ROOT / name / own.get(name, "").lstrip("/"))))
    if len(first) == len(CONTROLLERS):
        return first
    unified = next((path for path in (ROOT, ROOT / "unified") if (path / "cgroup.controllers").exists()), None)
    if unified is None or "" not in own:
        return ()
    start = unified / own[""].lstrip("/")
    given = [Path(os.environ[GIVEN])] if os.environ.get(GIVEN) else []
    for folder in (*given, start, *start.parents):
        if folder == unified.parent:
            break
        if _delegated(folder) and (found := _usable(folder)):
            return (found,)
    return ()


def sweep() -> None:
    """Remove what clients that were killed left behind."""
    for parent in parents():
        for folder in parent.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # it is in use, or gone
                if time.time() - folder.stat().st_mtime > OLD:
                    folder.rmdir()


def _own() -> dict[str, str]:
    """This process's group by controller; version 2's has an empty name."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        _, names, path = line.split(":", 2)
        found.update(dict.fromkeys(names.split(","), path))
    return found


def _delegated(folder: Path) -> bool:
    try:
        enabled = (folder / "cgroup.subtree_control").read_text(encoding="utf-8").split()
    except OSError:
        return False
    # A process is moved only by who may write to the group above both places.
    return set(CONTROLLERS) <= set(enabled) and os.access(folder / "cgroup.procs", os.W_OK)


def _usable(folder: Path) -> Path | None:
    """The folder, if a group can be made in it: by trying."""
    trial = folder / f"{PREFIX}trial-{os.getpid()}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError:
        return None
    return folder


def _write(file: Path, value: int) -> None:
    file.write_text(str(value), encoding="ascii")
