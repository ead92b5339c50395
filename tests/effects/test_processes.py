import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from coursemill.effects import processes

pytestmark = pytest.mark.skipif(not processes.PROC.exists(), reason="there is no /proc to find processes in")

Alive = Callable[[int], bool]

# A process that starts one that leaves its session, and one that is an orphan at once.
FAMILY = """
import os, subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep, start_new_session=True)
if (child := os.fork()) == 0:
    subprocess.Popen(sleep, env={})
    os._exit(0)
os.waitpid(child, 0)
print("ready", flush=True)
time.sleep(600)
"""


def start(mark: str) -> subprocess.Popen[str]:
    program = f"import sys; sys.path[:] = {sys.path!r}\n"
    program += f"from coursemill.effects import processes\nprocesses.become_subreaper()\n{FAMILY}"
    name, value = mark.split("=")
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, name: value},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_tree_is_killed_with_orphans_and_those_who_left_the_session(alive: Alive) -> None:
    with start("COURSEMILL_TEST=tree") as process:
        family = processes.below(process.pid)
        assert len(family) == 2
        processes.kill_tree(process.pid)
        assert process.wait(10) == -9
    assert not any(alive(pid) for pid in family)


def test_a_session_and_those_who_left_it_are_found_by_number_and_by_mark(alive: Alive) -> None:
    with start("COURSEMILL_TEST=session") as process:
        family = processes.below(process.pid) | {process.pid}
        try:
            assert len(processes.of_session(process.pid) & family) == 2
            assert len(processes.marked("COURSEMILL_TEST=session") & family) == 2
            assert processes.marked("COURSEMILL_TEST=sess") == frozenset()
            both = "COURSEMILL_TEST=session"
            assert processes.kill(lambda: processes.of_session(process.pid) | processes.marked(both))
        finally:
            processes.kill_tree(process.pid)
    assert not any(alive(pid) for pid in family)


def test_killing_gives_up_on_what_does_not_die() -> None:
    assert not processes.kill(lambda: {os.getpid()}, patience=0.02)
