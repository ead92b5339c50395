"""What is to be seen inside the sandbox: the command line of bubblewrap, and what comes before it for root.

Started by root, everything happens as an unprivileged user all the same: a sandbox that root makes may write to
`/proc/sys/kernel/core_pattern`, by which the machine is taken. An interpreter below root's home is not readable for
that user; so a first bubblewrap, as root, lays a view of the machine in which only that path is, and drops root.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coursemill.errors import Unavailable

TRUST = "--trust-submissions (COURSEMILL_TRUST_SUBMISSIONS=1) if you trust all code"
HOME = "/home/student"
"""The kernel's working directory."""
USER = "student"
NOBODY = 64900
"""User and group that root becomes: above what Debian gives to people and packages, used by nobody else."""
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl/certs",
)
"""Of the machine's settings, those that programs need and that say nothing of its users; and Java's."""
PYTHON = ("bin", "lib", "lib32", "lib64", "libexec", "include", "share", "ssl", "etc/fonts", "pyvenv.cfg")
"""What is shown of a Python's folder: it may be a course's, too, and `etc` holds the settings of Jupyter."""
HIDDEN = ("/usr/local/etc", "/usr/local/share/nbgrader", "/usr/share/nbgrader", "/usr/local/share/jupyter")
"""Below the system's folders: settings with passwords, and nbgrader's exchange with everybody's submissions."""
IMPORTING = 64 << 20
"""Bytes of `/tmp` while the server imports."""


@dataclass(frozen=True, slots=True)
class View:
    """What the sandbox shows beside the system and this Python: paths to read, device nodes, and the environment."""

    environment: Mapping[str, str]
    read: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    """Path → descriptor that holds the content of a file that only the sandbox has."""


def command(view: View, inner: Iterable[str], *, root: bool) -> list[str]:
    """Return the command that runs `inner` in the sandbox; `root`: this process is root's, and drops it."""
    # The outermost has no parent to die with: its server is there for all, until it is idle.
    own = ["--die-with-parent"] if root else []
    return [*(_dropped() if root else ()), *_sandboxed(view), *own, "--", *inner]


def require() -> None:
    """Raise Unavailable where it can be seen at once that there is no sandbox."""
    if sys.platform != "linux":
        raise Unavailable(f"no sandbox on {sys.platform}", fix=f"use Linux, WSL 2 or a Linux container, or {TRUST}")
    programs = ("bwrap", *(("setpriv",) if os.geteuid() == 0 else ()), "setsid")
    for program in programs:
        if shutil.which(program) is None:
            package = "bubblewrap" if program == "bwrap" else "util-linux"
            raise Unavailable(
                f"no sandbox: {program} is not installed", fix=f"sudo apt-get install {package}, or {TRUST}"
            )


def prefixes() -> tuple[str, ...]:
    """Folders of this Python: its own, that of the environment, and where their links lead."""
    given = (sys.prefix, sys.base_prefix, sys.exec_prefix)
    real = (os.path.realpath(sys.executable).rpartition("/bin/")[0], *map(os.path.realpath, given))
    paths = dict.fromkeys(path for path in (*given, *real) if path and not _within(path, SYSTEM))
    return tuple(path for path in paths if not _within(path, [other for other in paths if other != path]))


def _dropped() -> Iterator[str]:
    """As root: show this Python where only root may look, then become nobody, with no way back."""
    yield from ("bwrap", "--dev-bind", "/", "/")
    hidden = {str(parent) for path in prefixes() for parent in Path(path).parents if not _is_open(parent)}
    outermost = [path for path in sorted(hidden) if not _within(path, [other for other in hidden if other != path])]
    for path in outermost:
        yield from ("--perms", "0755", "--tmpfs", path)
    for prefix in prefixes():
        if _within(prefix, outermost):
            yield from _folders(prefix, outermost)
            yield from ("--ro-bind", prefix, prefix)
    yield "--"
    user = str(NOBODY)
    yield from ("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs")
    yield from ("--bounding-set", "-all", "--inh-caps", "-all")


def _folders(path: str, above: list[str]) -> Iterator[str]:
    """Make the folders that lead to `path` below one of `above`."""
    for parent in reversed(Path(path).parents):
        if _within(str(parent), above) and str(parent) not in above:
            yield from ("--perms", "0755", "--dir", str(parent))


def _sandboxed(view: View) -> Iterator[str]:
    yield from ("bwrap", "--unshare-all", "--new-session", "--clearenv")
    for path in SYSTEM:
        if os.path.islink(path):  # noqa: PTH114 - beside readlink, which pathlib resolves to a path
            yield from ("--symlink", os.readlink(path), path)  # noqa: PTH115 - the text of the link
        elif os.path.isdir(path):  # noqa: PTH112 - likewise
            yield from ("--ro-bind", path, path)
    # First, for this Python may lie below it.
    yield from ("--proc", "/proc", "--dev", "/dev", "--size", str(IMPORTING), "--tmpfs", "/tmp")
    java = sorted(str(path) for path in Path("/etc").glob("java*"))
    python = [f"{prefix}/{part}" for prefix in prefixes() for part in PYTHON]
    for path in (*SETTINGS, *java, *python, *view.read):
        yield from ("--ro-bind-try", path, path)
    for path in filter(os.path.isdir, HIDDEN):
        yield from ("--size", "4096", "--tmpfs", path, "--remount-ro", path)
    for path in view.devices:
        yield from ("--dev-bind-try", path, path)
    yield from ("--dir", HOME, "--dir", "/var/tmp")
    for path, descriptor in view.files.items():
        yield from ("--perms", "0644", "--ro-bind-data", str(descriptor), path)
    for name, value in view.environment.items():
        yield from ("--setenv", name, value)
    yield from ("--chdir", "/", "--remount-ro", "/dev", "--remount-ro", "/")


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _is_open(folder: Path) -> bool:
    """Whether everybody may enter the folder."""
    return bool(folder.stat().st_mode & 0o001)
