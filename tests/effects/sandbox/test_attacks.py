"""Hostile code attacks the sandbox for real; the machine stays as it was, and nothing of the attack is left."""

import ast
import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.sandbox]
MB = 1 << 20


def gone(marker: str, patience: float = 5.0) -> bool:
    """Whether no process of this machine has `marker` in its command line, at last."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        lines = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
        if not any(marker in line for line in lines):
            return True
        time.sleep(0.05)
    return False


def ended(kernel, patience: float = 20.0) -> bool:
    end = time.monotonic() + patience
    while kernel.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    return kernel.poll() is not None


def test_it_sees_no_files_of_the_machine(cell: Any, tmp_path: Path) -> None:
    secret = tmp_path / "hidden_tests.py"
    secret.write_text("assert answer == 42")
    here = Path(__file__).parents[3]
    said = cell.run(
        f"""
import os
for path in ({str(secret)!r}, {str(here / "notes")!r}, {str(here / "src")!r}, {str(Path.home())!r} + "/.bashrc",
             "/etc/shadow", "/etc/hostname", "/dev/tty", "/dev/mem", "/dev/kvm", "/dev/vsock",
             "/run/systemd", "/var/log", "/proc/1/environ", "/proc/1/mem", "/sys/kernel"):
    try:
        print(path, "SEEN", os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(10))
    except OSError as error:
        print(path, error.strerror)
print(os.listdir("/home"))
"""
    )
    assert "SEEN" not in said, said
    way = {*Path(sys.prefix).parts, *Path(sys.base_prefix).parts}
    assert set(ast.literal_eval(said.splitlines()[-1])) - way == {"student"}


def test_it_writes_nowhere_but_to_its_own_folders(cell: Any) -> None:
    said = cell.run(
        """
import os
places = [f for f, _, _ in os.walk("/") if not f.startswith("/proc")]
writable = []
for place in places:
    try:
        with open(os.path.join(place, "probe"), "w") as file:
            file.write("x")
        writable.append(place)
    except OSError:
        pass
print([w for w in writable if not w.startswith(("/tmp", "/dev/shm", "/home/student"))])
for name in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/oom_score_adj"):
    try:
        open(name, "wb", buffering=0).write(b"-1000" if "oom" in name else b"|/tmp/x")
        print("WROTE", name)
    except OSError as error:
        print(error.strerror)
""",
        timeout=120,
    )
    assert said.startswith("[]"), said
    assert "WROTE" not in said, said


def test_it_does_not_reach_the_machines_loopback_nor_any_other_network(cell: Any) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        said = cell.run(
            f"""
import socket, http.server, threading, urllib.request
for address in (("127.0.0.1", {port}), ("10.0.0.1", 80), ("8.8.8.8", 53)):
    try:
        socket.create_connection(address, timeout=2)
        print("REACHED", address)
    except OSError as error:
        print(type(error).__name__)
ours = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=ours.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f"http://localhost:{{ours.server_port}}/").status)
"""
        )
    assert "REACHED" not in said, said
    assert "200" in said, said


def test_it_sees_no_process_but_its_own(start: Callable) -> None:
    bait = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "bait"])
    try:
        said = start().run(
            f"""
import os, signal
print(sorted(int(n) for n in os.listdir("/proc") if n.isdigit()))
for pid in ({bait.pid}, {os.getpid()}, 1, -1, os.getppid()):
    try:
        os.kill(pid, signal.SIGTERM if pid > 1 else 0)
        print("SIGNALLED", pid)
    except OSError as error:
        print(pid, error.strerror)
"""
        )
        assert bait.poll() is None
    finally:
        bait.kill()
        bait.wait()
    assert "[1, 2]" in said, said


def test_a_daemon_ends_with_the_kernel(start: Callable) -> None:
    cell = start()
    marker = f"daemon-{os.getpid()}"
    cell.run(
        f"""
import subprocess, sys
subprocess.Popen(["setsid", "-f", "nohup", sys.executable, "-c", "import time; time.sleep(600)", {marker!r}])
import time; time.sleep(0.5)
"""
    )
    assert not gone(marker, 0.5)
    cell.kernel.end()
    assert gone(marker)


def test_a_fork_bomb_hits_its_limit_and_ends(start: Callable) -> None:
    cell = start(processes=64)
    said = cell.run(
        """
import os, time
n = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(100)
            os._exit(0)
        n += 1
except BlockingIOError as error:
    print("stopped at", n)
"""
    )
    assert "stopped at" in said, said
    assert int(said.split("stopped at")[1].split()[0]) < 64
    cell.kernel.end()


@pytest.mark.parametrize(
    "fill",
    [
        "hold = bytearray(3 * 10**9)",
        "import mmap; hold = mmap.mmap(-1, 3 * 10**9); [hold.write(b'x' * 2**20) for _ in range(2800)]",
        "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
        "        hold = bytearray(400 * 2**20); time.sleep(100); os._exit(0)\ntime.sleep(100)",
    ],
    ids=["private", "shared", "many"],
)
def test_memory_has_an_end(start: Callable, fill: str) -> None:
    cell = start(memory=1024 * MB)
    message = cell.talk.execute(fill)
    end = time.monotonic() + 20
    while cell.kernel.poll() is None and time.monotonic() < end:
        try:
            reply = cell.talk.get_shell_msg(timeout=0.2)
        except Exception:
            continue
        if reply["parent_header"].get("msg_id") == message:
            assert reply["content"]["ename"] in {"MemoryError", "OSError"}, reply["content"]
            return
    assert cell.kernel.poll() == -9
    assert "memory" in cell.kernel.reason


@pytest.mark.parametrize("place", ["/tmp", "/home/student", "/dev/shm"])
def test_each_place_to_write_has_an_end(start: Callable, place: str) -> None:
    said = start(disk=32 * MB, shared=16 * MB).run(
        f"""
written = 0
try:
    with open("{place}/big", "wb") as file:
        while True:
            written += file.write(b"x" * 2**20)
except OSError as error:
    print(error.strerror, written <= 33 * 2**20)
import os
files = os.statvfs("{place}").f_files
print(files)
"""
    )
    assert said == "No space left on device True\n100000\n"


@pytest.mark.parametrize(
    "attack",
    [
        "mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "umount2(b'/tmp', 2)",
        "unshare(0x10000000)",
        "setns(0, 0)",
        "ptrace(16, 1, 0, 0)",
        "chroot(b'/tmp')",
        "sethostname(b'x', 1)",
        "syscall(321, 0, 0, 0)",  # bpf
        "syscall(425, 8, 0)",  # io_uring_setup
        "syscall(250, 0, 0, 0)",  # keyctl
        "syscall(298, 0, 0, 0, 0, 0)",  # perf_event_open
        "syscall(310, 1, 0, 0, 0, 0, 0)",  # process_vm_readv
        "syscall(435, 0, 0)",  # clone3
        "syscall(56, 0x10000011, 0, 0, 0, 0)",  # clone with a user namespace
        "ioctl(0, 0x5412, b'x')",  # TIOCSTI
        "syscall(319, b'x', 0)",  # memfd_create
        "syscall(323, 0)",  # userfaultfd
        "syscall(135, 0)",  # personality
        "syscall(206, 1, 0)",  # io_setup
        "shmget(0, 4096, 0o1600)",
        "semget(0, 1, 0o1600)",
        "msgget(0, 0o1600)",
        "syscall(240, b'x', 0o102, 0o600, 0)",  # mq_open
    ],
)
def test_a_system_call_is_refused(cell: Any, attack: str) -> None:
    said = cell.run(
        f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
result = libc.{attack}
print(result, errno.errorcode.get(ctypes.get_errno()))
"""
    )
    assert said.split() in (["-1", "EPERM"], ["-1", "ENOSYS"]), said


def test_programs_that_raise_privileges_do_not(cell: Any) -> None:
    said = cell.run(
        """
import subprocess
for line in ("su -c id", "sudo -n id", "unshare -r id", "bwrap --dev-bind / / id", "mount", "newgrp root"):
    try:
        done = subprocess.run(line.split(), capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
        print("ROOT" if "uid=0" in done.stdout else done.returncode)
    except OSError as error:
        print(error.strerror)
print(open("/proc/self/status").read())
"""
    )
    assert "ROOT" not in said, said
    for line in (*(f"Cap{kind}:\t{0:016x}" for kind in ("Prm", "Eff", "Bnd")), "NoNewPrivs:\t1"):
        assert line in said
    assert "Seccomp:\t2" in said


def test_it_learns_nothing_from_its_environment(start: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    said = start().run("import os; print(dict(os.environ)); print(open('/proc/self/environ').read())")
    assert "hunter2" not in said
    assert str(Path.home()) not in said.replace(sys.prefix, "")


def test_a_kernel_sees_neither_its_server_nor_its_siblings(start: Callable) -> None:
    first, second = start(), start()
    first.run("secret = 'x' * 10; open('/tmp/mine', 'w').write('1'); open('/dev/shm/mine', 'w').write('1')")
    said = second.run(
        """
import os, socket
print(os.listdir("/tmp"), os.listdir("/dev/shm"), os.listdir("/proc/self/fd"))
print([n for n in os.listdir("/proc") if n.isdigit()])
print(open("/proc/net/unix").read().count("\\n"))
"""
    )
    assert "mine" not in said
    assert "['1', '2']" in said
    assert not [line for line in said.splitlines() if "socket" in line]


def test_two_kernels_draw_different_numbers(start: Callable) -> None:
    code = "import random, numpy, tempfile; print(random.random(), numpy.random.rand(), tempfile.mkdtemp())"
    first, second = (start(imports=("numpy",)).run(code).split() for _ in range(2))
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_a_killed_client_leaves_nothing(tmp_path: Path) -> None:
    marker = f"left-{os.getpid()}"
    program = f"""
import sys, time
from jupyter_client.manager import KernelManager
km = KernelManager(kernel_name="coursemill-cpu")
km.start_kernel()
kc = km.client(); kc.start_channels(); kc.wait_for_ready(60)
sleep = "import time; time.sleep(600)"
kc.execute_interactive(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {{sleep!r}}, {marker!r}])")
print('', km.provisioner.sockets.path, *km.provisioner.sockets.group.folders, flush=True)
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    folders = [Path(word) for word in process.stdout.readline().split() if word.startswith("/")]
    assert folders
    assert all(folder.is_dir() for folder in folders)
    assert not gone(marker, 0.3)
    process.kill()
    process.wait()
    process.stdout.close()
    assert gone(marker)
    end = time.monotonic() + 5
    while any(folder.exists() for folder in folders) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize(
    "flood",
    [
        "while True: print('x' * 10**6)",
        "'x' * (100 * 10**6)",
        "from IPython.display import display\nwhile True: display({'text/plain': 'x' * 10**6}, raw=True)",
    ],
    ids=["prints", "a result", "pictures"],
)
def test_what_it_says_has_an_end(start: Callable, flood: str) -> None:
    cell = start(output=4 * MB)
    cell.talk.execute(flood)
    received = 0
    end = time.monotonic() + 30
    while cell.kernel.poll() is None and time.monotonic() < end:
        with contextlib.suppress(queue.Empty):
            received += len(json.dumps(cell.talk.get_iopub_msg(timeout=0.2)["content"]))
    assert cell.kernel.poll() == -9
    assert "said" in cell.kernel.reason
    assert received < 20 * MB


def test_a_process_that_hides_its_memory_is_counted(start: Callable) -> None:
    cell = start(memory=700 * MB)
    cell.talk.execute(
        """
import ctypes, os, time
for _ in range(6):
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
        os.setsid()
        hold = bytearray(b"x") * (200 * 2**20)
        time.sleep(100)
        os._exit(0)
"""
    )
    assert ended(cell.kernel)
    assert "memory" in cell.kernel.reason


def test_memory_that_nobody_maps_cannot_be_made(cell: Any) -> None:
    said = cell.run(
        """
import mmap, os
for number in (-1, os.open("/dev/zero", os.O_RDWR)):
    try:
        print("MAPPED", mmap.mmap(number, 2**20, flags=mmap.MAP_SHARED))
    except OSError as error:
        print(error.strerror)
print(open("/dev/zero", "rb").read(3))
"""
    )
    assert "MAPPED" not in said, said
    assert r"b'\x00\x00\x00'" in said


def test_sockets_have_an_end(start: Callable) -> None:
    cell = start(sockets=200)
    cell.talk.execute("import socket\nheld = [socket.socketpair() for _ in range(200)]\nwhile True: pass")
    assert ended(cell.kernel)
    assert "sockets" in cell.kernel.reason


def test_a_log_that_nobody_reads_stops_no_watchdog(start: Callable) -> None:
    reader, writer = os.pipe()
    try:
        cell = start(log=writer, memory=700 * MB)
        cell.talk.execute(
            """
import os, threading, time
threading.Thread(target=lambda: [os.write(2, b"x" * 4096) for _ in range(1000)], daemon=True).start()
time.sleep(1)
for _ in range(4):
    if os.fork() == 0:
        hold = bytearray(b"x") * (300 * 2**20)
        time.sleep(100)
"""
        )
        assert ended(cell.kernel)
        assert "memory" in cell.kernel.reason
    finally:
        os.close(reader)
        os.close(writer)


def test_processor_time_has_an_end_for_all_together_and_the_log_says_so(start: Callable) -> None:
    cell = start(cpu=2)
    cell.run("import os; os.write(2, b'first words\\x1b[2J'); [os.write(2, b'x' * 10**5) for _ in range(300)]; None")
    cell.talk.execute("for _ in range(3): os.fork()\nwhile True: pass")
    assert ended(cell.kernel, 60)
    assert "processor time" in cell.kernel.reason
    end = time.monotonic() + 5
    while b"processor time" not in (log := cell.log.read_bytes()) and time.monotonic() < end:
        time.sleep(0.05)
    assert log.startswith(b"first words?[2J")
    assert b"coursemill: the kernel was ended: it used" in log
    assert len(log) < 2 * MB


def test_process_1_hears_nothing_and_shows_nothing(cell: Any) -> None:
    said = cell.run(
        """
import os, signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    os.kill(1, number)
os.kill(1, signal.SIGKILL)
for name in ("fd", "environ", "mem", "maps", "cwd", "root", "exe", "syscall", "stack", "auxv", "map_files"):
    try:
        path = f"/proc/1/{name}"
        print("SEEN", name, os.listdir(path) if os.path.isdir(path) else os.path.islink(path) and os.readlink(path)
              or open(path, "rb").read(10))
    except OSError as error:
        print(error.strerror)
"""
    )
    assert "SEEN" not in said, said
    assert cell.run("print('alive')") == "alive\n"


def test_it_inherits_no_descriptor_but_its_own(cell: Any) -> None:
    said = cell.run(
        """
import os
for number in os.listdir("/proc/self/fd"):
    try:
        print(os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        pass
"""
    )
    ours = ("socket:", "pipe:", "anon_inode:[event", "/dev/null", "/dev/zero", "/dev/urandom", "/tmp/", "/proc/")
    assert [line for line in said.splitlines() if not line.startswith(ours)] == []


@pytest.mark.parametrize("family", [40, 17, 38, 29])
def test_sockets_of_other_kinds_do_not_exist(cell: Any, family: int) -> None:
    said = cell.run(
        f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for number in ({family}, {family} + (1 << 32)):
    libc.syscall.argtypes = [ctypes.c_long] * 4
    print(libc.syscall(41, number, 1, 0), errno.errorcode[ctypes.get_errno()])
print(libc.syscall(41, 16, 3, 12), errno.errorcode[ctypes.get_errno()])  # netlink, of the firewall
"""
    )
    assert said.split() == ["-1", "EAFNOSUPPORT"] * 3, said


def test_system_calls_of_another_architecture_kill(cell: Any) -> None:
    said = cell.run(
        """
import ctypes, os
pid = os.fork()
if pid == 0:
    ctypes.CDLL(None).syscall(0x40000000 + 39)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    )
    assert int(said) == -31


def test_a_crash_leaves_no_core_and_asks_no_handler(cell: Any) -> None:
    assert cell.run("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))") == "(1, 1)\n"


def test_no_setting_of_the_system_can_be_written(cell: Any) -> None:
    said = cell.run(
        """
import os
for place, _, names in os.walk("/proc"):
    if place.startswith("/proc/") and place.split("/")[2].isdigit() or "self" in place:
        continue
    for name in names:
        try:
            os.close(os.open(os.path.join(place, name), os.O_WRONLY))
            print("OPENED", place, name)
        except OSError:
            pass
print("done")
""",
        timeout=120,
    )
    assert said == "done\n"


def test_settings_of_its_clients_interpreter_do_not_reach_it(start: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONSTARTUP", "PYTHONPATH", "LD_PRELOAD", "JUPYTER_TOKEN", "BASH_ENV"):
        monkeypatch.setenv(name, "" if name == "LD_PRELOAD" else "/hidden")
    assert "hidden" not in start().run("import os, sys; print(os.environ, sys.path)")
