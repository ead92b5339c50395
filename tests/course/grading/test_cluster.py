"""The same work done by Dask's workers: processes of their own, one of which is killed on the way."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coursemill.course import grade
from coursemill.effects.grading import cluster
from coursemill.errors import CoursemillError, Unavailable

pytest.importorskip("distributed")
pytestmark = pytest.mark.nbgrader
FAKES = str(Path(__file__).parent / "fakes")
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Start]:
    """Start one of Dask's programs, in a folder of its own; all end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, hidden: str = "", **environment: str) -> subprocess.Popen[bytes]:
        folder = tmp_path / f"dask-{len(started)}"
        folder.mkdir()
        around = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", hidden] if hidden else []
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*around, sys.executable, "-m", "dask", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": FAKES, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in reversed(started):
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()


@pytest.fixture
def scheduler(dask: Start) -> str:
    port = free_port()
    dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    wait_for(port)
    return f"tcp://127.0.0.1:{port}"


def worker(dask: Start, scheduler: str, **environment: str) -> "subprocess.Popen[bytes]":
    arguments = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
    return dask("worker", scheduler, *arguments, **environment)


def test_two_workers_of_which_one_is_killed(classroom: Any, dask: Start, scheduler: str) -> None:
    for number in range(12):
        slow = f"import time\ntime.sleep(0.3)\n{(classroom.RIGHT, classroom.WRONG)[number % 2]}"
        classroom.hand_in(f"s{number:02}", add=slow, why="Because.")
    classroom.grade()
    wanted, files = classroom.gradebook(), classroom.files()
    classroom.ran()
    workers = [worker(dask, scheduler), worker(dask, scheduler)]

    class Watch(grade.Watch):
        def end(self, slot: Any, verdict: Any) -> None:
            if not any(one.poll() for one in workers):
                os.killpg(workers[0].pid, signal.SIGKILL)
                workers[0].wait()

    result = classroom.grade(fresh=True, scheduler=scheduler, watch=Watch())
    assert workers[0].poll() == -signal.SIGKILL
    assert workers[1].poll() is None
    assert result.ran == 12
    assert not result.lost
    assert len(classroom.ran()) >= 13
    assert (classroom.gradebook(), classroom.files()) == (wanted, files)


@pytest.mark.sandbox
def test_a_worker_that_does_not_see_the_course(classroom: Any, dask: Start, scheduler: str) -> None:
    """All that it needs is sent to it."""
    (classroom.root / "source/WS/data.csv").write_text("1,2")
    classroom.hand_in("ada", add=classroom.RIGHT)
    worker(dask, scheduler, hidden=str(classroom.root))
    assert classroom.grade(scheduler=scheduler).standings[0].score == 5


def test_a_local_cluster(classroom: Any) -> None:
    from distributed import LocalCluster

    classroom.hand_in("ada", add=classroom.RIGHT)
    about: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=False, **about) as local:
        assert classroom.grade(scheduler=local.scheduler_address).standings[0].score == 5


def test_no_scheduler(classroom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(Unavailable, match="no scheduler answers"):
        classroom.grade(scheduler=f"tcp://127.0.0.1:{free_port()}")


def test_an_address_that_is_none(classroom: Any) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    with pytest.raises(Unavailable, match="no scheduler answers"):
        classroom.grade(scheduler="nonsense")


def test_no_workers(classroom: Any, scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    with pytest.raises(Unavailable, match="the scheduler has no workers"):
        classroom.grade(scheduler=scheduler)


def test_a_worker_with_other_libraries(classroom: Any, dask: Start, scheduler: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "surprise-1.0.dist-info").mkdir(parents=True)
    worker(dask, scheduler, PYTHONPATH=f"{FAKES}{os.pathsep}{other}")
    classroom.hand_in("ada", add=classroom.RIGHT)
    with pytest.raises(Unavailable, match=r"has another environment: surprise-1\.0"):
        classroom.grade(scheduler=scheduler)


def test_without_dask(classroom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Unavailable, match=r"not installed here \(pip install 'coursemill\[cluster\]'\)"):
        classroom.grade(scheduler="tcp://127.0.0.1:1")


def test_a_scheduler_that_goes_away(classroom: Any, dask: Start) -> None:
    port = free_port()
    head = dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    wait_for(port)
    address = f"tcp://127.0.0.1:{port}"
    worker(dask, address)
    for number in range(4):
        classroom.hand_in(f"s{number}", add=f"import time\ntime.sleep(1)\n{classroom.RIGHT}")

    class Watch(grade.Watch):
        def end(self, slot: Any, verdict: Any) -> None:
            os.killpg(head.pid, signal.SIGKILL)

    with pytest.raises(CoursemillError, match="the scheduler is gone"):
        classroom.grade(scheduler=address, watch=Watch())
    done = [line for line in set(classroom.ran()) if not line.startswith("solution")]
    classroom.grade()
    assert len(classroom.ran()) in (2, 3), f"what was done is not run again: {done}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            return
