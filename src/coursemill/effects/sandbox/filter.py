"""The system calls that are refused in the sandbox, as a seccomp program.

The list follows what lets a process see or change others, namespaces, mounts and the kernel; see seccomp(2).
"""

from __future__ import annotations

import errno
import tempfile
from functools import lru_cache

REFUSED = (
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "mount_setattr"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "quotactl", "quotactl_fd", "swapon", "swapoff", "acct"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"),
    *("bpf", "perf_event_open", "userfaultfd", "fanotify_init", "lookup_dcookie"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("memfd_create", "memfd_secret", "shmget", "msgget"),  # memory that belongs to no process and no folder
    *("keyctl", "add_key", "request_key"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog"),
    *("open_by_handle_at", "name_to_handle_at", "iopl", "ioperm", "modify_ldt", "vhangup", "personality"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
)
NEW_NAMESPACES = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
"""Flags of clone: mount, cgroup, uts, ipc, user, pid, net (linux/sched.h)."""
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
"""Requests of ioctl that type into a terminal (CVE-2017-5226)."""


@lru_cache(maxsize=1)
def program() -> bytes:
    """Return the filter as BPF for this machine; calls of another architecture kill the process.

    Raises RuntimeError where libseccomp is not installed.
    """
    import pyseccomp as seccomp

    refuse = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in REFUSED:
        try:
            rules.add_rule(refuse, name)
        except OSError:  # libseccomp, or this processor, has no such call
            continue
    for flag in NEW_NAMESPACES:
        rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory: programs fall back to clone
    for request in (TIOCSTI, TIOCLINUX):
        rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
