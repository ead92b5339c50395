"""Work of every kind, for processes that other processes start."""

import os
import signal
import time
from pathlib import Path

ready = []


def add(shared: int, number: int) -> int:
    return shared + number


def fail(shared: int, why: str) -> None:
    raise ValueError(why)


def die(shared: int, log: str) -> None:
    with Path(log).open("a") as stream:
        stream.write("died\n")
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(shared: int, log: str) -> str:
    if not Path(log).exists():
        die(shared, log)
    return "alive"


def slow(shared: int) -> str:
    time.sleep(0.3)
    return "slept"


def forever(shared: int, log: str) -> None:
    with Path(log).open("a") as stream:
        stream.write(f"{os.getpid()}\n")
    time.sleep(600)


def prepare() -> None:
    ready.append(True)


def prepared(shared: int) -> tuple[bool, bool]:
    return bool(ready), signal.getsignal(signal.SIGINT) is signal.SIG_IGN
