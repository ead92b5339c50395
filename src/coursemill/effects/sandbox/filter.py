"""The system calls that are refused in the sandbox, as a seccomp program.

The list follows what lets a process see or change others, namespaces, mounts and the kernel (see seccomp(2)), and what
takes memory that no limit counts. Arguments are compared in their lower 32 bits where the kernel looks at no others.
"""

from __future__ import annotations

import errno
import socket
import tempfile
from functools import lru_cache
from typing import Any

from coursemill.errors import Unavailable

REFUSED = (
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "mount_setattr"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "quotactl", "quotactl_fd", "swapon", "swapoff", "acct"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"),
    *("bpf", "perf_event_open", "userfaultfd", "fanotify_init", "lookup_dcookie"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "io_setup"),
    *("memfd_create", "memfd_secret", "shmget", "msgget", "semget", "mq_open"),
    *("keyctl", "add_key", "request_key"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog"),
    *("open_by_handle_at", "name_to_handle_at", "iopl", "ioperm", "modify_ldt", "vhangup", "personality"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
    *("uselib", "ustat", "sysfs", "_sysctl", "nfsservctl", "vm86", "vm86old", "vserver"),
)
NEW_NAMESPACES = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
"""Flags of clone: mount, cgroup, uts, ipc, user, pid, net (linux/sched.h)."""
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
"""Requests of ioctl that type into a terminal (CVE-2017-5226)."""
FAMILIES = frozenset({socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK})
"""Kinds of sockets that exist inside; others reach the machine below (vsock) or seldom used parts of the kernel."""
MORE_FAMILIES = 64
"""Above the number of any kind of socket that Linux has."""
ROUTE = 0
"""The one part of netlink that programs ask, for addresses of this machine."""
SHARED_AND_ANONYMOUS = 0x21
"""Flags of mmap for memory that stays when nobody maps it any more, as long as a page of its area is mapped."""
LOWER = 0xFFFFFFFF


@lru_cache(maxsize=1)
def program() -> bytes:
    """Return the filter as BPF for this machine; calls of another architecture kill the process.

    Raises Unavailable where libseccomp is not installed.
    """
    try:
        import pyseccomp as seccomp
    except (ImportError, OSError, RuntimeError) as error:
        raise Unavailable(f"no seccomp: {error}", fix="sudo apt-get install libseccomp2") from error
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in REFUSED:
        try:
            rules.add_rule(refuse, name)
        except OSError:  # libseccomp, or this processor, has no such call
            continue
    for flag in NEW_NAMESPACES:
        rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory: programs fall back to clone
    for request in (TIOCSTI, TIOCLINUX):
        rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, LOWER, request))
    rules.add_rule(
        seccomp.ERRNO(errno.ENOMEM),
        "mmap",
        seccomp.Arg(3, seccomp.MASKED_EQ, SHARED_AND_ANONYMOUS, SHARED_AND_ANONYMOUS),
    )
    _refuse_sockets(rules, seccomp)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _refuse_sockets(rules: Any, seccomp: Any) -> None:
    unknown = seccomp.ERRNO(errno.EAFNOSUPPORT)
    for family in sorted(set(range(MORE_FAMILIES)) - FAMILIES):
        rules.add_rule(unknown, "socket", seccomp.Arg(0, seccomp.MASKED_EQ, LOWER, family))
    netlink = seccomp.Arg(0, seccomp.MASKED_EQ, LOWER, socket.AF_NETLINK)
    rules.add_rule(unknown, "socket", netlink, seccomp.Arg(2, seccomp.NE, ROUTE))
