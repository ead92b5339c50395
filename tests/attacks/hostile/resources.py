"""More than there is: time, memory, processes, disk, words, threads, patience."""

from __future__ import annotations

from hostile.deed import Deed, attack

SMALL = {"memory": 600 << 20, "processes": 300, "output": 8 << 20, "disk": 32 << 20, "sockets": 100, "file": 16 << 20}


@attack(loses=True, timeout=1.0)
def endless_loop() -> Deed:
    """Loops without end, in a cell and in an answer."""
    return Deed({"limit": "while True:\n    pass", "price": "def price(text):\n    while True:\n        pass"})


@attack(loses=True, timeout=1.0)
def interrupts_ignored() -> Deed:
    """Loops, and ignores every interrupt."""
    return Deed(
        {
            "price": """
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)


def price(text):
    while True:
        try:
            while True:
                sum(range(1000))
        except BaseException:
            pass
"""
        }
    )


@attack(loses=True, timeout=1.0)
def asleep_in_c() -> Deed:
    """Computes in C, where no interrupt is heard."""
    return Deed({"roman": "def roman(number):\n    return sum(range(10 ** 12)) and (9 ** 9) ** (9 ** 9)"})


@attack(loses=True, timeout=1.0)
def deadlock() -> Deed:
    """Waits for a lock that it holds, in the answer and in a thread that the interpreter waits for."""
    return Deed(
        {
            "visit": """
import threading

lock = threading.Lock()
lock.acquire()


def visit(items, guest):
    threading.Thread(target=lock.acquire).start()
    lock.acquire()
"""
        }
    )


@attack(loses=True, timeout=1.0)
def a_little_too_slow() -> Deed:
    """Sleeps in every call, just so long that no single one is too long."""
    return Deed({"roman": "import time\n\n\ndef roman(number):\n    time.sleep(0.6)\n    return 'I'"})


@attack(loses=True, timeout=4.0, limits=SMALL)
def memory_bomb() -> Deed:
    """Takes all memory."""
    return Deed({"price": "def price(text):\n    kept = []\n    while True:\n        kept.append(bytearray(8 << 20))"})


@attack(loses=True, timeout=4.0, limits=SMALL)
def fork_bomb() -> Deed:
    """Forks, and so do its children."""
    return Deed(
        top="import os, time\nfor _ in range(1000):\n    try:\n        os.fork()\n    except OSError:\n        pass"
    )


@attack(loses=True, timeout=3.0, limits=SMALL)
def threads_without_end() -> Deed:
    """Starts threads until there are no more."""
    return Deed(
        top="""
import threading, time

try:
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
except RuntimeError:
    pass
"""
    )


@attack(loses=True, timeout=3.0, limits=SMALL)
def disk_filled() -> Deed:
    """Fills the disk: its folder, the temporary one, shared memory; with one file and with many."""
    return Deed(
        top="""
import itertools, os

for folder in (".", "/tmp", "/dev/shm"):
    try:
        with open(f"{folder}/big", "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        pass
    try:
        for number in range(20_000):
            os.mkdir(f"{folder}/{number}")
    except OSError:
        pass
"""
    )


@attack(loses=True, timeout=3.0, limits=SMALL)
def output_flood() -> Deed:
    """Prints without end, to all that there is."""
    return Deed(top="import os\nwhile True:\n    print('spam ' * 10_000)\n    os.write(2, b'x' * 10_000)")


@attack(loses=True, timeout=3.0, limits=SMALL)
def outputs_without_number() -> Deed:
    """Displays a hundred thousand small things."""
    return Deed(top="for number in range(100_000):\n    display(number)")


@attack(loses=True, timeout=3.0, limits=SMALL)
def sockets_without_end() -> Deed:
    """Opens sockets, pipes and files until there are no more."""
    return Deed(
        top="""
import os, socket

kept = []
try:
    while True:
        kept += [*socket.socketpair(), *os.pipe(), open("/dev/null")]
except OSError:
    pass
"""
    )


@attack(loses=True)
def kernel_killed() -> Deed:
    """Kills its own process in a test."""
    return Deed({"price": "import os\n\n\ndef price(text):\n    os.kill(os.getpid(), 9)"})


@attack(loses=True)
def kernel_crashed() -> Deed:
    """Crashes its own process."""
    return Deed({"price": "import ctypes\n\n\ndef price(text):\n    ctypes.string_at(0)"})


@attack(loses=True)
def exit_at_once() -> Deed:
    """Ends its process in the first cell, with the status of a success."""
    return Deed(top="import os\nos._exit(0)")


@attack()
def daemon_left() -> Deed:
    """Leaves a daemon behind, which lives on in a session of its own."""
    return Deed(
        top="""
import os, time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(1)
        os.execv("/bin/sh", ["sh", "-c", "trap '' TERM HUP INT; sleep 987654"])
    os._exit(0)
os.wait()
"""
    )


@attack(loses=True)
def parents_signalled() -> Deed:
    """Sends every signal to its parents, its group and everybody whom it may reach."""
    return Deed(
        top="""
import os, signal

signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD):
    for pid in (os.getppid(), 1, 2, 3, 4, 5):
        if pid != os.getpid() and pid > 0:
            try:
                os.kill(pid, number)
            except OSError:
                pass
"""
    )


@attack(loses=True, timeout=2.0)
def stopped() -> Deed:
    """Stops its own process, so that it neither runs nor ends."""
    return Deed({"price": "import os, signal\n\n\ndef price(text):\n    os.kill(os.getpid(), signal.SIGSTOP)"})


@attack(loses=True)
def nice_to_nobody() -> Deed:
    """Changes its priority, limits and name, and locks its memory."""
    return Deed(
        top="""
import ctypes, os, resource

libc = ctypes.CDLL(None)
for call in (lambda: os.nice(-20), lambda: libc.prctl(4, 0, 0, 0, 0), lambda: libc.mlockall(7),
             lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10 ** 6, 10 ** 6)), lambda: libc.prctl(1, 0, 0, 0, 0)):
    try:
        call()
    except (OSError, ValueError):
        pass
"""
    )
