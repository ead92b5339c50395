"""Which parts of the sandbox are to be had on this machine: found out by trying, in child processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from coursemill.effects.sandbox import filter, groups, servers, view
from coursemill.errors import Unavailable

PATIENCE = 30.0
"""Seconds that a trial may take."""
ALLOW = (
    "let ordinary users make namespaces: sudo sysctl -w user.max_user_namespaces=15000;"
    " docs/sandbox.md says what Ubuntu and containers ask for"
)
GROUPS = f"run as root, or in a session of systemd with delegated groups, or name one by {groups.GIVEN}"

LIBRARY = "sudo apt-get install libseccomp2; pip install pyseccomp"


@dataclass(frozen=True, slots=True)
class Protection:
    """A part of the sandbox: whether it is on here, and how to get it."""

    name: str
    on: bool
    meaning: str
    """What it does."""
    reason: str = ""
    """Why it is off, or how it is on."""
    fix: str = ""
    needed: bool = True
    """Without it no hostile code is run."""


@lru_cache(maxsize=1)
def find() -> tuple[Protection, ...]:
    """Try all of them; the answer is kept as long as this process lives."""
    if sys.platform != "linux":
        reason, fix = f"this is {sys.platform}", f"use Linux, WSL 2 or a Linux container, or {view.TRUST}"
        return (Protection("Linux", False, "the sandbox is made of parts of Linux", reason, fix),)
    programs = tuple(_programs())
    said, failure = _trial() if all(program.on for program in programs) else ({}, "")
    return (*programs, *_tried(said, failure), *_counted())


def refusal(found: Sequence[Protection], said: str = "") -> Unavailable | None:
    """Why hostile code must not be run here; `said` is what a server of kernels wrote at its end."""
    for protection in found:
        if protection.needed and not protection.on:
            return Unavailable(f"no sandbox: {protection.name}: {protection.reason}", fix=protection.fix)
    if said:
        return Unavailable(f"no kernel starts in the sandbox: {said}", fix="`coursemill doctor` shows its parts")
    return None


def _programs() -> Iterator[Protection]:
    packages = {"bwrap": "bubblewrap", "setsid": "util-linux", "setpriv": "util-linux"}
    missing = [name for name in packages if shutil.which(name) is None and (name != "setpriv" or os.geteuid() == 0)]
    reason = f"{missing[0]} is not installed" if missing else _version()
    fix = f"sudo apt-get install {packages[missing[0]]}" if missing else ""
    yield Protection("bubblewrap", not missing, "shows the system, this Python, and no other file", reason, fix)


def _version() -> str:
    asked = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return asked.stdout.strip()


def _tried(said: Mapping[str, str], failure: str) -> Iterator[Protection]:
    """What the trial says; where it said nothing, the first is what it failed for."""
    untold = "not tried"
    for name, meaning, reason, fix in (
        ("namespaces", "a kernel has users, processes, network and IPC of its own", failure or untold, ALLOW),
        ("folders", "/tmp, /dev/shm and the working folder are its own, of limited size", untold, ALLOW),
        ("seccomp", "calls that attack the system or see other processes are refused", untold, LIBRARY),
    ):
        why = said.get(name, reason)
        yield Protection(name, not why, meaning, why, fix if why and why != untold else "")
    root, user = os.geteuid() == 0, said.get("user")
    yield Protection(
        "ordinary user",
        not root or user not in {None, "0"},
        "root's rights are dropped before anything starts",
        "you are not root" if not root else f"as user {user}" if user else untold,
    )


def _trial() -> tuple[Mapping[str, str], str]:
    """What the trial in the sandbox said, and why it said nothing."""
    try:
        program = filter.program().hex()
    except Unavailable as error:
        program, lacking = "", str(error)
    else:
        lacking = ""
    try:
        done = servers.attempt(["trial", view.HOME, program], PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        return {}, str(error)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return {}, said[-1] if said else f"exit status {done.returncode}"
    found: dict[str, str] = json.loads(done.stdout)
    return found | ({"seccomp": lacking} if lacking else {}), ""


def _counted() -> Iterator[Protection]:
    folders = groups.parents()
    version = {0: "", 1: "version 2", 2: "version 1"}[len(folders)]
    yield Protection(
        "control groups",
        bool(folders),
        "the system counts a kernel's memory and processes",
        version or "none may be made by this user; the watchdog counts instead",
        "" if folders else GROUPS,
        needed=False,
    )
    yield Protection("watchdog", True, "looks four times a second at memory, processor time, output", "always on")
